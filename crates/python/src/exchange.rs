//! One request in a worker: the coroutine of its Task, and the application's `receive` and `send`.
//!
//! The Task is real (`asyncio.current_task()`, timeouts and cancel scopes need it); the coroutine it runs is this
//! object, which steps the application's own coroutine. So the end of the application is seen without a callback, and
//! the state words tell the front which request holds the loop, step by step.
//!
//! Locks are never held while Python code may run.

use std::sync::Arc;

use andon_wire::Flags;
use parking_lot::Mutex;
use pyo3::{
    create_exception,
    exceptions::{PyOSError, PyStopIteration},
    intern,
    prelude::*,
    types::{PyDict, PyTuple},
};

use crate::{
    awaitable::{Message, Pause, Until, Wait, thrown},
    coroutine::Step,
    http::{self, Http},
    meter::Cost,
    native::Drive,
    serving::Serving,
    threads::Endpoint,
    used::Used,
    websocket::{self, WebSocket},
};

mod ending;
mod messages;
mod native;
mod running;

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
    /// Since when a thread runs the code of the native route, in nanoseconds of [`crate::clock::monotonic`].
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
        let mut unread = false;
        let outcome = match &this.protocol {
            Protocol::Http(http) => {
                let outgoing = http::Outgoing::parse(message)?;
                if outgoing.begins_answer() {
                    this.explain(py)?;
                }
                let more = matches!(outgoing, http::Outgoing::Body { more: true, .. });
                this.serving.put(py, |out| {
                    let mut http = http.lock();
                    let outcome = http.send(outgoing, out);
                    complete = http.is_complete();
                    unread = more && http.is_disconnected();
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
        if unread {
            // Nothing holds back who sends on and on to a client that has gone: the loop must turn for the application
            // to hear of it.
            return Ok(Py::new(py, Pause::default())?.into_any());
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
