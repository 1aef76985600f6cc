//! One request in a worker: the coroutine of its Task, and the application's `receive` and `send`.
//!
//! The Task is real (`asyncio.current_task()`, timeouts and cancel scopes need it); the coroutine it runs is this
//! object, which steps the application's own coroutine. So the end of the application is seen without a callback, and
//! the state words tell the front which request holds the loop, step by step.
//!
//! Locks are never held while Python code may run.

use std::sync::Arc;

use andon_wire::{Flags, FromWorker, frame::put_frame, websocket::Close};
use parking_lot::Mutex;
use pyo3::{
    create_exception,
    exceptions::{PyOSError, PyStopIteration, PyValueError},
    intern,
    prelude::*,
    pybacked::PyBackedBytes,
    types::{PyBytes, PyDict, PyString, PyTuple},
};

use crate::{
    awaitable::{Message, Until, Wait, thrown},
    clock,
    coroutine::{Step, await_iterator, step},
    http::{self, Http, internal_server_error},
    meter::Cost,
    native::Drive,
    serving::Serving,
    threads::{Endpoint, is_pool_thread},
    used::Used,
    websocket::{self, WebSocket},
};

mod native;

pub(crate) use native::{NativeRequest, find_native};

create_exception!(andon._andon, ClientDisconnected, PyOSError, "The client of this WebSocket is gone.");

/// How far the application's callable, or the code of its native route, is.
enum Run {
    /// To be called with this scope.
    Scope(Py<PyDict>),
    /// Its coroutine.
    Coroutine(Py<PyAny>),
    /// The code of a native route; `None` while it runs.
    Native(Option<Box<Drive>>),
    Over,
}

/// How a step is begun.
enum Resume<'a, 'py> {
    /// `__next__()`.
    Next,
    /// `throw(...)`.
    Throw(&'a Bound<'py, PyTuple>),
}

pub(crate) enum Protocol {
    Http(Mutex<Http>),
    WebSocket(Mutex<WebSocket>),
}

/// One request in a worker.
#[pyclass(frozen, module = "andon._andon")]
pub(crate) struct Exchange {
    serving: Arc<Serving>,
    slot: u32,
    generation: u32,
    flags: Flags,
    used: Used,
    /// What the application has made of its scope, until it is over.
    scope: Mutex<Option<Py<PyDict>>>,
    /// The endpoint of a native route.
    endpoint: Option<Endpoint>,
    /// Since when a thread runs the code of the native route, in nanoseconds of [`clock::monotonic`].
    on_thread_since: Mutex<Option<u64>>,
    run: Mutex<Run>,
    /// Kept here while it runs: asyncio itself holds Tasks weakly.
    task: Mutex<Option<Py<PyAny>>>,
    waiters: Mutex<Vec<(Until, Py<PyAny>)>>,
    pub(crate) protocol: Protocol,
}

impl Exchange {
    /// An exchange that the application serves.
    pub(crate) fn new(
        serving: Arc<Serving>,
        name: (u32, u32),
        flags: Flags,
        scope: Bound<'_, PyDict>,
        protocol: Protocol,
    ) -> Self {
        let own = Some(scope.clone().unbind());
        Self { scope: Mutex::new(own), ..Self::of(serving, name, flags, Run::Scope(scope.unbind()), protocol) }
    }

    fn of(serving: Arc<Serving>, (slot, generation): (u32, u32), flags: Flags, run: Run, protocol: Protocol) -> Self {
        Self {
            serving,
            slot,
            generation,
            flags,
            used: Used::default(),
            scope: Mutex::default(),
            endpoint: None,
            on_thread_since: Mutex::default(),
            run: Mutex::new(run),
            task: Mutex::default(),
            waiters: Mutex::default(),
            protocol,
        }
    }

    /// Slot and generation.
    pub(crate) fn name(&self) -> (u32, u32) {
        (self.slot, self.generation)
    }

    /// Whether the endpoint is to be run on a thread.
    pub(crate) fn is_offloaded(&self) -> bool {
        self.flags.contains(Flags::THREAD)
    }

    /// The endpoint that was found for the request.
    pub(crate) fn endpoint(&self, py: Python<'_>) -> Endpoint {
        if let Some(endpoint) = self.endpoint {
            return endpoint;
        }
        let scope = self.scope.lock().as_ref().map(|scope| scope.clone_ref(py));
        let endpoint = scope.and_then(|scope| scope.bind(py).get_item(intern!(py, "endpoint")).ok().flatten());
        Endpoint(endpoint.map_or(0, |endpoint| endpoint.as_ptr() as usize))
    }

    /// Whether the application's callable has ended.
    pub(crate) fn is_over(&self) -> bool {
        matches!(*self.run.lock(), Run::Over)
    }

    /// A step on the event loop has ended that was run for this request.
    pub(crate) fn add_step(&self, cost: Cost) {
        self.used.add_step(cost);
    }

    /// A call on a thread has ended that was made for this request. In nanoseconds.
    pub(crate) fn add_thread(&self, wall: u64, processor: u64) {
        self.used.add_thread(wall, processor);
    }

    /// Keeps the Task alive while the application runs.
    pub(crate) fn keep_task(&self, task: Bound<'_, PyAny>) {
        if !matches!(*self.run.lock(), Run::Over) {
            *self.task.lock() = Some(task.unbind());
        }
    }

    // Messages

    /// The next message for the application, if there is one.
    pub(crate) fn next_message<'py>(slf: &Bound<'py, Self>) -> PyResult<Option<Bound<'py, PyDict>>> {
        let (py, this) = (slf.py(), slf.get());
        match &this.protocol {
            Protocol::Http(http) => {
                let (received, credit) = http.lock().receive();
                this.grant(py, credit)?;
                received.into_message(py)
            }
            Protocol::WebSocket(websocket) => {
                let (received, credit) = websocket.lock().receive();
                this.grant(py, credit)?;
                received.into_message(py)
            }
        }
    }

    /// Pays `credit` back to the front.
    pub(crate) fn grant(&self, py: Python<'_>, credit: Option<u32>) -> PyResult<()> {
        let Some(credit) = credit else {
            return Ok(());
        };
        self.serving.put(py, |out| {
            let kind = FromWorker::RequestCredit as u8;
            put_frame(out, kind, Flags::NONE, self.slot, self.generation, &credit.to_le_bytes());
        })
    }

    pub(crate) fn is_writable(&self) -> bool {
        match &self.protocol {
            Protocol::Http(http) => http.lock().is_writable(),
            Protocol::WebSocket(websocket) => websocket.lock().is_writable(),
        }
    }

    /// A future that is done when it is worth while to look again.
    pub(crate) fn new_waiter<'py>(&self, py: Python<'py>, until: Until) -> PyResult<Bound<'py, PyAny>> {
        let future = self.serving.new_future(py)?;
        self.waiters.lock().push((until, future.clone().unbind()));
        Ok(future)
    }

    /// Lets those look again who wait for `until`.
    pub(crate) fn wake(&self, py: Python<'_>, until: Until) -> PyResult<()> {
        let woken: Vec<_> = self.waiters.lock().extract_if(.., |(waits_for, _)| *waits_for == until).collect();
        for (_, future) in woken {
            let future = future.bind(py);
            if !future.call_method0(intern!(py, "done"))?.is_truthy()? {
                future.call_method1(intern!(py, "set_result"), (py.None(),))?;
            }
        }
        Ok(())
    }

    // From the front

    pub(crate) fn request_body(&self, py: Python<'_>, bytes: &[u8], end: bool) -> PyResult<()> {
        if let Protocol::Http(http) = &self.protocol {
            let piece = (!bytes.is_empty()).then(|| (PyBytes::new(py, bytes).into_any().unbind(), bytes.len()));
            http.lock().push_body(piece, end);
        }
        self.wake(py, Until::Message)
    }

    pub(crate) fn websocket_message(&self, py: Python<'_>, piece: &[u8], text: bool, end: bool) -> PyResult<()> {
        let Protocol::WebSocket(websocket) = &self.protocol else {
            return Ok(());
        };
        let Some(whole) = websocket.lock().assemble(piece, end) else {
            return Ok(());
        };
        let message = if text {
            PyString::new(py, std::str::from_utf8(&whole).map_err(|_| PyValueError::new_err("text is not UTF-8"))?)
                .into_any()
        } else {
            PyBytes::new(py, &whole).into_any()
        };
        websocket.lock().push_message(message.unbind(), whole.len());
        self.wake(py, Until::Message)
    }

    /// The client is gone, or it has closed the WebSocket.
    pub(crate) fn disconnect(&self, py: Python<'_>, close: Close) -> PyResult<()> {
        let settled = self.is_settled();
        match &self.protocol {
            Protocol::Http(http) => drop(http.lock().disconnect()),
            Protocol::WebSocket(websocket) => drop(websocket.lock().end(close)),
        }
        self.wake(py, Until::Message)?;
        self.wake(py, Until::Sent)?;
        // What goes on after the answer is work in the background, for which no client waits. And one cancellation is
        // enough: a second would cut off how the application takes the first.
        if self.serving.cancels && !settled { self.cancel(py) } else { Ok(()) }
    }

    /// Whether the application has said all that the client is to get, or knows that it is gone.
    fn is_settled(&self) -> bool {
        match &self.protocol {
            Protocol::Http(http) => {
                let http = http.lock();
                http.is_complete() || http.is_disconnected()
            }
            Protocol::WebSocket(websocket) => websocket.lock().is_over(),
        }
    }

    /// Nobody reads the answer any more: the Task is cancelled.
    fn cancel(&self, py: Python<'_>) -> PyResult<()> {
        let task = self.task.lock().as_ref().map(|task| task.clone_ref(py));
        task.map_or(Ok(()), |task| task.call_method0(py, intern!(py, "cancel")).map(drop))
    }

    /// Tells what was used so far, if it was asked for and the answer is about to begin.
    fn explain(&self, py: Python<'_>) -> PyResult<()> {
        if !self.flags.contains(Flags::EXPLAIN) || !self.is_unanswered() || !self.used.tell_once() {
            return Ok(());
        }
        let used = self.used.clone();
        if let Some(since) = *self.on_thread_since.lock() {
            let wall = clock::monotonic().saturating_sub(since);
            used.add_thread(wall, wall);
        } else if let Some(since) = self.serving.step_since() {
            used.add_step(self.serving.meter().so_far(since));
        }
        let used = used.usage().to_bytes();
        self.serving.put(py, |out| {
            put_frame(out, FromWorker::Usage as u8, Flags::NONE, self.slot, self.generation, &used);
        })
    }

    fn is_unanswered(&self) -> bool {
        match &self.protocol {
            Protocol::Http(http) => http.lock().is_unanswered(),
            Protocol::WebSocket(websocket) => websocket.lock().is_unanswered(),
        }
    }

    /// The front has room for so many more bytes.
    pub(crate) fn response_credit(&self, py: Python<'_>, bytes: usize) -> PyResult<()> {
        self.serving.put(py, |out| match &self.protocol {
            Protocol::Http(http) => http.lock().outflow.add_credit(out, bytes),
            Protocol::WebSocket(websocket) => websocket.lock().outflow.add_credit(out, bytes),
        })?;
        if self.is_writable() { self.wake(py, Until::Sent) } else { Ok(()) }
    }

    // The application's run

    /// Runs the application to its next suspension. `Ok(None)`: it is over.
    fn advance<'py>(slf: &Bound<'py, Self>, resume: Resume<'_, 'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let (py, this) = (slf.py(), slf.get());
        let begun = this.serving.begin_step(this.slot, this.generation);
        let outcome = match this.take_drive() {
            Some(drive) => this.step_drive(py, drive, resume),
            None => this.step_coroutine(slf, resume),
        };
        this.used.add_step(this.serving.end_step(py, begun));
        match outcome {
            Ok(Step::Yielded(value)) => Ok(Some(value)),
            Ok(Step::Returned) => this.finish(py, None).map(|()| None),
            Err(error) => {
                let cancelled = this.serving.is_cancelled_error(py, &error);
                this.finish(py, Some(&error))?;
                if cancelled { Err(error) } else { Ok(None) }
            }
        }
    }

    fn step_coroutine<'py>(&self, slf: &Bound<'py, Self>, resume: Resume<'_, 'py>) -> PyResult<Step<'py>> {
        let py = slf.py();
        let Some(coroutine) = self.coroutine(slf)? else {
            return Ok(Step::Returned);
        };
        let Resume::Throw(arguments) = resume else {
            return step(&coroutine);
        };
        match coroutine.call_method1(intern!(py, "throw"), arguments) {
            Ok(value) => Ok(Step::Yielded(value)),
            Err(error) if error.is_instance_of::<PyStopIteration>(py) => Ok(Step::Returned),
            Err(error) => Err(error),
        }
    }

    /// The application's coroutine, made now if this is the first step. `None` once it is over.
    fn coroutine<'py>(&self, slf: &Bound<'py, Self>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let py = slf.py();
        let scope = {
            let mut run = self.run.lock();
            match std::mem::replace(&mut *run, Run::Over) {
                Run::Over | Run::Native(_) => return Ok(None),
                Run::Coroutine(coroutine) => {
                    *run = Run::Coroutine(coroutine.clone_ref(py));
                    return Ok(Some(coroutine.into_bound(py)));
                }
                Run::Scope(scope) => scope,
            }
        };
        let receive = slf.getattr(intern!(py, "receive"))?;
        let send = slf.getattr(intern!(py, "asgi_send"))?;
        let coroutine = await_iterator(self.serving.application(py).call1((scope, receive, send))?)?;
        *self.run.lock() = Run::Coroutine(coroutine.clone().unbind());
        Ok(Some(coroutine))
    }

    /// The application's callable has ended: says what it left unsaid, and frees the slot.
    fn finish(&self, py: Python<'_>, error: Option<&PyErr>) -> PyResult<()> {
        let complete = self.complete_answer(py, error)?;
        let used = self.used.usage().to_bytes();
        self.serving.put(py, |out| {
            let flags = Flags::NONE.with(Flags::FAILED, !complete);
            put_frame(out, FromWorker::Finished as u8, flags, self.slot, self.generation, &used);
        })?;
        // Dropped without the locks: destructors may run any code.
        let run = std::mem::replace(&mut *self.run.lock(), Run::Over);
        let task = self.task.lock().take();
        let scope = self.scope.lock().take();
        self.serving.finished(self.slot, self.generation);
        drop((run, task, scope));
        // Futures belong to the event loop; a thread leaves them to it.
        if is_pool_thread() { Ok(()) } else { self.wake(py, Until::Message) }
    }

    /// Answers 500 where nothing was sent, and logs what went wrong. True if the client has a whole answer.
    fn complete_answer(&self, py: Python<'_>, error: Option<&PyErr>) -> PyResult<bool> {
        let (unanswered, complete) = match &self.protocol {
            Protocol::Http(http) => {
                let http = http.lock();
                (http.is_unanswered(), http.is_complete() || http.is_disconnected())
            }
            Protocol::WebSocket(websocket) => {
                let websocket = websocket.lock();
                (websocket.is_unanswered(), websocket.is_over())
            }
        };
        match error {
            // The worker ends and has no more time for it; the front says so where a client waits.
            Some(error) if self.serving.is_cancelled_error(py, error) => {}
            Some(error) => self.serving.log_exception(py, error)?,
            None if complete => {}
            None if unanswered => self.serving.log(py, "ASGI callable returned without starting response.")?,
            None if matches!(self.protocol, Protocol::Http(_)) => {
                self.serving.log(py, "ASGI callable returned without completing response.")?;
            }
            // A WebSocket whose application returns is closed for it, with 1000.
            None => return Ok(true),
        }
        if unanswered && !complete {
            let (head, body) = internal_server_error(py)?;
            self.fail(py, &head, body)?;
        }
        Ok((complete && error.is_none()) || (unanswered && !complete))
    }

    fn fail(&self, py: Python<'_>, head: &[u8], body: PyBackedBytes) -> PyResult<()> {
        self.explain(py)?;
        self.serving.put(py, |out| match &self.protocol {
            Protocol::Http(http) => http.lock().fail(out, head, body),
            Protocol::WebSocket(websocket) => websocket.lock().fail(out, head, body),
        })
    }
}

#[pymethods]
impl Exchange {
    // What the application calls

    /// `receive()` of ASGI.
    fn receive(slf: &Bound<'_, Self>) -> PyResult<Py<PyAny>> {
        let py = slf.py();
        Ok(match Self::next_message(slf)? {
            Some(message) => Py::new(py, Message::new(message))?.into_any(),
            None => Py::new(py, Wait::new(slf.clone().unbind(), Until::Message))?.into_any(),
        })
    }

    /// `send(message)` of ASGI. The message is taken in at once; what is returned is done when it has left.
    fn asgi_send(slf: &Bound<'_, Self>, message: &Bound<'_, PyDict>) -> PyResult<Py<PyAny>> {
        let (py, this) = (slf.py(), slf.get());
        let mut credit = None;
        let mut complete = false;
        let outcome = match &this.protocol {
            Protocol::Http(http) => {
                let outgoing = http::Outgoing::parse(message)?;
                if outgoing.begins_answer() {
                    this.explain(py)?;
                }
                this.serving.put(py, |out| {
                    let mut http = http.lock();
                    let outcome = http.send(outgoing, out);
                    complete = http.is_complete();
                    outcome
                })?
            }
            Protocol::WebSocket(websocket) => {
                let outgoing = websocket::Outgoing::parse(message)?;
                this.explain(py)?;
                this.serving.put(py, |out| websocket.lock().send(outgoing, out).map(|granted| credit = granted))?
            }
        };
        outcome?;
        this.grant(py, credit)?;
        if complete {
            this.wake(py, Until::Message)?;
        }
        if this.is_writable() {
            return Ok(this.serving.done(py));
        }
        Ok(Py::new(py, Wait::new(slf.clone().unbind(), Until::Sent))?.into_any())
    }

    // What the Task calls: the methods of a coroutine

    fn __await__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __iter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __next__<'py>(slf: &Bound<'py, Self>) -> PyResult<Option<Bound<'py, PyAny>>> {
        Self::advance(slf, Resume::Next)
    }

    fn send<'py>(slf: &Bound<'py, Self>, _value: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        Self::advance(slf, Resume::Next)?.ok_or_else(|| PyStopIteration::new_err(()))
    }

    #[pyo3(signature = (*arguments))]
    fn throw<'py>(slf: &Bound<'py, Self>, arguments: &Bound<'py, PyTuple>) -> PyResult<Bound<'py, PyAny>> {
        Self::advance(slf, Resume::Throw(arguments))?.ok_or_else(|| PyStopIteration::new_err(()))
    }

    fn close(slf: &Bound<'_, Self>) -> PyResult<()> {
        let run = std::mem::replace(&mut *slf.get().run.lock(), Run::Over);
        if let Run::Coroutine(coroutine) = run {
            coroutine.bind(slf.py()).call_method0(intern!(slf.py(), "close"))?;
        }
        Ok(())
    }

    /// `cr_frame`, `cr_await`, `__name__` and the like, as tools that print Tasks want them.
    fn __getattr__<'py>(slf: &Bound<'py, Self>, name: &str) -> PyResult<Bound<'py, PyAny>> {
        let py = slf.py();
        let coroutine = match &*slf.get().run.lock() {
            Run::Coroutine(coroutine) if name.starts_with("cr_") || name.starts_with("__") => {
                Some(coroutine.clone_ref(py))
            }
            _ => None,
        };
        match coroutine {
            Some(coroutine) => coroutine.into_bound(py).getattr(name),
            None => Err(pyo3::exceptions::PyAttributeError::new_err(name.to_owned())),
        }
    }
}
