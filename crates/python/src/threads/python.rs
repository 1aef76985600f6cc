//! The pool as Python sees it: submitting calls, being one of its threads, taking results in.

use std::sync::{Arc, OnceLock};

use andon_wire::state::Step;
use pyo3::{
    exceptions::{PyRuntimeError, PyValueError},
    intern,
    prelude::*,
    types::{PyList, PyTuple},
};

use super::{
    call::Call,
    pool::{Pool, nobody},
    seat::{Endpoint, Running, Seat},
    state::Next,
};
use crate::{
    clock::{self, ProcessorMark},
    serving::Serving,
};

/// What the pool calls in Python.
struct Callables {
    copy_context: Py<PyAny>,
    create_future: Py<PyAny>,
    call_soon_threadsafe: Py<PyAny>,
    deliver: Py<PyAny>,
    /// Called in each call's context before it; `None` where there is nothing to prepare.
    prepare: Option<Py<PyAny>>,
    /// anyio's thread-local object.
    locals: Py<PyAny>,
}

/// The threads of a worker.
#[pyclass(frozen, module = "andon._andon")]
pub(crate) struct Threads {
    serving: Arc<Serving>,
    python: OnceLock<Callables>,
}

impl Threads {
    pub(crate) fn new(serving: Arc<Serving>) -> Self {
        Self { serving, python: OnceLock::new() }
    }

    fn pool(&self) -> &Pool {
        self.serving.pool()
    }

    fn python(&self) -> PyResult<&Callables> {
        self.python.get().ok_or_else(|| PyRuntimeError::new_err("the threads are not attached to an event loop"))
    }

    fn run(&self, py: Python<'_>, seat: &Seat, mark: &mut ProcessorMark, call: Call) -> PyResult<()> {
        let python = self.python()?;
        let exchange = call.exchange.as_ref().map(|exchange| exchange.clone_ref(py));
        let endpoint = call.endpoint;
        let began = clock::monotonic();
        mark.begin(began);
        let step = exchange.as_ref().map_or_else(
            || nobody(began),
            |exchange| {
                let (slot, generation) = exchange.get().name();
                Step { slot, generation, since: began }
            },
        );
        let processor = mark.processor;
        seat.set_running(Some(Running { step, processor, rested: processor, endpoint }));
        let outcome = call.run(py, python.locals.bind(py));
        self.pool().ended(seat);
        let now = clock::monotonic();
        let wall = now - began;
        let processor = mark.end(wall, now);
        if let Some(exchange) = exchange {
            exchange.get().add_thread(wall, processor);
        }
        if let Some(done) = outcome?
            && self.pool().put_done(done)
        {
            // Fails if the loop is closed: nobody waits then.
            let _ = python.call_soon_threadsafe.bind(py).call1((&python.deliver,));
        }
        Ok(())
    }
}

#[pymethods]
impl Threads {
    /// Makes ready to take calls. `spawn(number)` starts a thread that calls `work(number)`.
    fn attach(
        slf: &Bound<'_, Self>,
        event_loop: Bound<'_, PyAny>,
        spawn: Py<PyAny>,
        locals: Py<PyAny>,
        prepare: Option<Py<PyAny>>,
    ) -> PyResult<()> {
        let py = slf.py();
        let callables = Callables {
            copy_context: py.import("contextvars")?.getattr("copy_context")?.unbind(),
            create_future: event_loop.getattr("create_future")?.unbind(),
            call_soon_threadsafe: event_loop.getattr("call_soon_threadsafe")?.unbind(),
            deliver: slf.getattr("deliver")?.unbind(),
            prepare,
            locals,
        };
        let first = slf.get().python.set(callables).is_ok() && slf.get().serving.errands().set_spawn(spawn);
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
        let python = self.python()?;
        let context = python.copy_context.bind(py).call0()?;
        if let Some(prepare) = &python.prepare {
            context.call_method1(intern!(py, "run"), (prepare, py.None()))?;
        }
        let future = python.create_future.bind(py).call0()?;
        let callee = PyList::new(py, [function])?;
        for argument in arguments {
            callee.append(argument)?;
        }
        let exchange = self.serving.current(py);
        let endpoint = exchange.as_ref().map_or(Endpoint(0), |exchange| exchange.get().endpoint(py));
        let call = Call {
            context: context.unbind(),
            callee: callee.unbind(),
            future: future.clone().unbind(),
            scope,
            exchange,
            endpoint,
        };
        self.pool().submit(Box::new(call), urgent);
        Ok(future)
    }

    /// The calling thread becomes the thread `number` of the pool, until it is not needed any more.
    fn work(&self, py: Python<'_>, number: u32, identifier: u64) -> PyResult<()> {
        let pool = self.pool();
        let seat = pool.seat(number).ok_or_else(|| PyValueError::new_err("there is no such seat"))?;
        seat.take(identifier);
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
