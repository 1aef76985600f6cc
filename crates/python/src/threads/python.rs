//! The pool as Python sees it: submitting calls, being one of its threads, taking results in.

use std::{cell::Cell, sync::Arc};

use andon_wire::state::Step;
use pyo3::{
    exceptions::{PyRuntimeError, PyValueError},
    intern,
    prelude::*,
    types::{PyList, PyTuple},
};

use super::{
    call::{Call, Done, Function, Work, with_scope},
    pool::{Pool, nobody},
    seat::{Endpoint, Running, Seat},
    state::Next,
};
use crate::{
    clock::{self, ProcessorMark},
    exchange::Exchange,
    native::Progress,
    serving::Serving,
};

thread_local! {
    static OF_POOL: Cell<bool> = const { Cell::new(false) };
}

/// Whether the calling thread is one of the pool's, and not the event loop's.
pub(crate) fn is_pool_thread() -> bool {
    OF_POOL.get()
}

/// What the pool calls in Python.
pub(crate) struct Attached {
    copy_context: Py<PyAny>,
    create_future: Py<PyAny>,
    call_soon_threadsafe: Py<PyAny>,
    deliver: Py<PyAny>,
    /// Called in each call's context before it; `None` where there is nothing to prepare.
    prepare: Option<Py<PyAny>>,
    /// anyio's thread-local object.
    locals: Py<PyAny>,
}

impl Attached {
    /// Has the event loop call `callback()`.
    pub(crate) fn call_soon_threadsafe(&self, py: Python<'_>, callback: &Py<PyAny>) -> PyResult<()> {
        self.call_soon_threadsafe.bind(py).call1((callback,)).map(drop)
    }

    fn prepare(&self, context: &Bound<'_, PyAny>) -> PyResult<()> {
        let py = context.py();
        match &self.prepare {
            Some(prepare) => context.call_method1(intern!(py, "run"), (prepare, py.None())).map(drop),
            None => Ok(()),
        }
    }
}

/// What a function is called for, and how.
pub(crate) struct Submission {
    /// What `anyio.from_thread` finds as the cancel scope.
    pub(crate) scope: Py<PyAny>,
    /// Not to wait for a free thread.
    pub(crate) urgent: bool,
    pub(crate) exchange: Option<Py<Exchange>>,
}

/// Has a function called on a thread, in a copy of the current context: `callee` is the function and its arguments after
/// it. Returns a future of the event loop.
pub(crate) fn submit<'py>(
    serving: &Serving,
    callee: Bound<'py, PyList>,
    submission: Submission,
) -> PyResult<Bound<'py, PyAny>> {
    let py = callee.py();
    let attached = serving.attached()?;
    let context = attached.copy_context.bind(py).call0()?;
    attached.prepare(&context)?;
    let future = attached.create_future.bind(py).call0()?;
    let Submission { scope, urgent, exchange } = submission;
    let endpoint = exchange.as_ref().map_or(Endpoint(0), |exchange| exchange.get().endpoint(py));
    let function =
        Function { context: context.unbind(), callee: callee.unbind(), future: future.clone().unbind(), scope };
    serving.pool().submit(Box::new(Call { exchange, endpoint, work: Work::Function(function) }), urgent);
    Ok(future)
}

/// Has the code of an exchange run on a thread, in `context`, from its beginning.
pub(crate) fn submit_request(
    serving: &Serving,
    exchange: &Bound<'_, Exchange>,
    context: Bound<'_, PyAny>,
) -> PyResult<()> {
    serving.attached()?.prepare(&context)?;
    let endpoint = exchange.get().endpoint(exchange.py());
    let exchange = Some(exchange.clone().unbind());
    let work = Work::Request(context.unbind());
    serving.pool().submit(Box::new(Call { exchange, endpoint, work }), false);
    Ok(())
}

/// The threads of a worker.
#[pyclass(frozen, module = "andon._andon")]
pub(crate) struct Threads {
    serving: Arc<Serving>,
}

impl Threads {
    pub(crate) fn new(serving: Arc<Serving>) -> Self {
        Self { serving }
    }

    fn pool(&self) -> &Pool {
        self.serving.pool()
    }

    fn run(&self, py: Python<'_>, seat: &Seat, mark: &mut ProcessorMark, call: Call) -> PyResult<()> {
        let attached = self.serving.attached()?;
        let exchange = call.exchange.as_ref().map(|exchange| exchange.clone_ref(py));
        let began = clock::monotonic();
        mark.begin(began);
        seat.set_running(Some(running(&call, began, mark.processor)));
        let outcome = make(py, attached, call);
        self.pool().ended(seat);
        let now = clock::monotonic();
        let wall = now - began;
        let processor = mark.end(wall, now);
        if let Some(exchange) = &exchange {
            exchange.get().add_thread(wall, processor);
        }
        let done = match outcome? {
            Made::Function(done) => done,
            Made::Request(exchange, progress) => Exchange::leave_thread(exchange.bind(py), progress)?,
        };
        if let Some(done) = done
            && self.pool().put_done(done)
        {
            // Fails if the loop is closed: nobody waits then.
            let _ = attached.call_soon_threadsafe(py, &attached.deliver);
        }
        Ok(())
    }
}

/// What others may see of a call that begins.
fn running(call: &Call, began: u64, processor: u64) -> Running {
    let step = call.exchange.as_ref().map_or_else(
        || nobody(began),
        |exchange| {
            let (slot, generation) = exchange.get().name();
            Step { slot, generation, since: began }
        },
    );
    Running { step, processor, rested: processor, endpoint: call.endpoint }
}

/// What a call has come to.
enum Made {
    Function(Option<Done>),
    Request(Py<Exchange>, Progress),
}

fn make(py: Python<'_>, attached: &Attached, call: Call) -> PyResult<Made> {
    let locals = attached.locals.bind(py);
    match (call.work, call.exchange) {
        (Work::Function(function), _) => function.call(py, locals).map(Made::Function),
        (Work::Request(context), Some(exchange)) => {
            let run = || Exchange::run_on_thread(exchange.bind(py), context.bind(py));
            let progress = with_scope(locals, py.None(), run)??;
            Ok(Made::Request(exchange, progress))
        }
        (Work::Request(_), None) => Err(PyRuntimeError::new_err("there is no exchange to run")),
    }
}

#[pymethods]
impl Threads {
    /// Makes ready to take calls. `create_future()` is for the result of one. `spawn(number)` starts a thread that calls `work(number)`.
    fn attach(
        slf: &Bound<'_, Self>,
        event_loop: Bound<'_, PyAny>,
        create_future: Py<PyAny>,
        spawn: Py<PyAny>,
        locals: Py<PyAny>,
        prepare: Option<Py<PyAny>>,
    ) -> PyResult<()> {
        let py = slf.py();
        let attached = Attached {
            copy_context: py.import("contextvars")?.getattr("copy_context")?.unbind(),
            create_future,
            call_soon_threadsafe: event_loop.getattr("call_soon_threadsafe")?.unbind(),
            deliver: slf.getattr("deliver")?.unbind(),
            prepare,
            locals,
        };
        let serving = &slf.get().serving;
        let first = serving.set_attached(attached) && serving.errands().set_spawn(spawn);
        if first { Ok(()) } else { Err(PyRuntimeError::new_err("the threads are attached already")) }
    }

    /// Has `function(*arguments)` called on a thread, in a copy of the current context. Returns a future of the event loop.
    ///
    /// `scope`: what `anyio.from_thread` finds as the cancel scope. `urgent`: not to wait for a free thread.
    fn submit<'py>(
        &self,
        py: Python<'py>,
        function: Bound<'py, PyAny>,
        arguments: &Bound<'py, PyTuple>,
        scope: Py<PyAny>,
        urgent: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        let callee = PyList::new(py, [function])?;
        for argument in arguments {
            callee.append(argument)?;
        }
        submit(&self.serving, callee, Submission { scope, urgent, exchange: self.serving.current(py) })
    }

    /// The calling thread becomes the thread `number` of the pool, until it is not needed any more.
    fn work(&self, py: Python<'_>, number: u32, identifier: u64) -> PyResult<()> {
        let pool = self.pool();
        let seat = pool.seat(number).ok_or_else(|| PyValueError::new_err("there is no such seat"))?;
        seat.take(identifier);
        OF_POOL.set(true);
        let mut mark = ProcessorMark::default();
        let outcome = loop {
            match pool.next(&seat) {
                Next::Call(call) => {
                    if let Err(error) = self.run(py, &seat, &mut mark, *call) {
                        break Err(error);
                    }
                }
                Next::Sit => {
                    if !py.detach(|| pool.sit(&seat)) {
                        break Ok(());
                    }
                }
                Next::Leave => break Ok(()),
            }
        };
        pool.remove(&seat);
        outcome
    }

    /// Gives the results that are there to those who wait for them: to each, whatever happens with another.
    fn deliver(&self, py: Python<'_>) -> PyResult<()> {
        let mut outcome = Ok(());
        for done in self.pool().take_done() {
            outcome = outcome.and(done.deliver(py));
        }
        outcome
    }

    /// Lets the threads end: those that sit now, the others after their call.
    fn close(&self) {
        self.serving.errands().close();
        self.pool().close();
    }
}
