//! The worker's end of the wire, read and written on the event loop's own thread.
//!
//! One turn: read all that is there, start or resume what it brings, write all answers with one call. Answers that
//! come later, when a Task is resumed by the loop, are gathered until the end of that turn. Nothing here gives up the
//! GIL: the calls do not block, and taking it again would cost more than they do.

use std::{
    os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd},
    sync::Arc,
    time::Duration,
};

use andon_wire::{
    Flags, FromWorker, WireError,
    frame::{NO_SLOT, StartFailure, begin_frame, finish_frame, put_frame},
    memory::SharedMemory,
    routes::put_routes,
};
use parking_lot::Mutex;
use pyo3::{
    exceptions::{PyOSError, PyRuntimeError, PyValueError},
    prelude::*,
    types::{PyDict, PyTuple},
};
use rustix::net::{SendFlags, send};

use crate::{
    awaitable::Done,
    child::TaskFactory,
    errands::{self, Errands},
    fork,
    meter::Collections,
    native::{Application, Calls as NativeCalls, Inspected, default_limiter, splice},
    output::Flush,
    routes::{RouteDescription, route},
    scope::ScopeTemplate,
    serving::{Callables, Serving},
    starter::Starter,
    threads::Threads,
    watch,
};

mod reading;
mod starting;
mod writing;

pub(crate) use reading::Turn;

fn violated(error: WireError) -> PyErr {
    PyRuntimeError::new_err(format!("the front broke the protocol of the wire: {error}"))
}

/// A worker process's end of the wire.
#[pyclass(frozen, module = "andon._andon")]
pub(crate) struct Worker {
    serving: Arc<Serving>,
    input: Mutex<reading::Input>,
}

/// What the worker calls in Python for itself.
#[derive(FromPyObject)]
pub(crate) struct Calls {
    /// `log(text, exception or None)` logs an error.
    log: Py<PyAny>,
    /// `take_stack(identifier)` gives the frames of a thread, innermost first: whether it is the user's own code, line,
    /// file, function.
    take_stack: Py<PyAny>,
    /// `offload()` lets endpoints be run on threads: called once, before the first request of which that is asked.
    offload: Py<PyAny>,
}

#[pymethods]
impl Worker {
    /// Takes over the descriptors of the wire and of the shared memory. To be called on the event loop's thread.
    ///
    /// `patience`: seconds after which this process is killed when the front is gone. `threads`: most threads for
    /// blocking calls. `cancels`: a request's Task is cancelled when its client has gone.
    #[new]
    fn new(wire: RawFd, memory: RawFd, patience: f64, threads: usize, cancels: bool) -> PyResult<Self> {
        let patience = seconds(patience)?;
        #[allow(unsafe_code, reason = "descriptors come by number from the process that started this one")]
        // SAFETY: the supervisor passes two open descriptors to this process and names each of them once; nothing
        // else in this process knows them, so they are owned from here on.
        let (wire, memory) = unsafe { (OwnedFd::from_raw_fd(wire), OwnedFd::from_raw_fd(memory)) };
        let memory = SharedMemory::open(memory).map_err(|error| PyOSError::new_err(error.to_string()))?;
        watch::hangup::start(wire.try_clone()?, patience)?;
        let (errands, receiver) = Errands::new();
        let serving = Arc::new(Serving::new(memory, wire, errands, threads, cancels));
        errands::start(Arc::clone(&serving), receiver)?;
        Ok(Self { serving, input: Mutex::default() })
    }

    /// Descriptor of the wire, for the event loop.
    fn fileno(&self) -> RawFd {
        self.serving.wire().as_raw_fd()
    }

    /// Tells the front why the application could not be loaded (`stage` 1) or started (2).
    fn failed(&self, stage: u8, text: &str) -> PyResult<()> {
        let stage = StartFailure::try_from(stage).map_err(violated)?;
        let mut end = text.len().min(64 * 1024);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        let mut frame = Vec::new();
        let payload = [&[stage as u8], &text.as_bytes()[..end]].concat();
        put_frame(&mut frame, FromWorker::Failed as u8, Flags::NONE, NO_SLOT, 0, &payload);
        let mut rest = &frame[..];
        while !rest.is_empty() {
            let sent = send(self.serving.wire(), rest, SendFlags::NOSIGNAL).map_err(std::io::Error::from)?;
            rest = &rest[sent..];
        }
        Ok(())
    }

    /// The threads for blocking calls.
    fn threads(&self) -> Threads {
        Threads::new(Arc::clone(&self.serving))
    }

    /// Tells the front of the application's routes, in their order. Those that are too long are left out.
    fn routes(&self, descriptions: Vec<RouteDescription>) -> PyResult<()> {
        let routes = descriptions.into_iter().map(route).collect::<PyResult<Vec<_>>>()?;
        let routes: Vec<_> = routes.into_iter().filter(|route| route.fits()).collect();
        self.serving.put_now(|out| {
            let out = out.frames();
            let start = begin_frame(out, FromWorker::Routes as u8, Flags::NONE, NO_SLOT, 0);
            if put_routes(out, &routes).and_then(|()| finish_frame(out, start)).is_err() {
                out.truncate(start);
            }
        });
        Ok(())
    }

    /// What makes the event loop's Tasks, so that those of a request count for it.
    fn task_factory(&self, py: Python<'_>) -> PyResult<TaskFactory> {
        TaskFactory::new(py, Arc::clone(&self.serving))
    }

    /// What `gc.callbacks` is to call, so that collections are not taken for the application's own doing.
    fn collections(&self) -> Collections {
        Collections(Arc::clone(self.serving.meter()))
    }

    /// Whether the step in execution belongs to a request of which the endpoint is to be run on a thread.
    fn is_offloaded(&self, py: Python<'_>) -> bool {
        self.serving.current(py).is_some_and(|exchange| exchange.get().is_offloaded())
    }

    /// Makes ready to serve `application` on `event_loop`, which must be the running one.
    ///
    /// `context`: the context that each request's is a copy of. `state`: what lifespan start-up left in its state.
    /// `calls`: see [`Calls`].
    fn serve(
        slf: &Bound<'_, Self>,
        application: Py<PyAny>,
        event_loop: Bound<'_, PyAny>,
        context: Bound<'_, PyAny>,
        root_path: String,
        state: Py<PyDict>,
        calls: Calls,
    ) -> PyResult<()> {
        let py = slf.py();
        let sys = py.import("sys")?;
        let callables = Callables {
            application,
            create_future: event_loop.getattr("create_future")?.unbind(),
            call_soon: event_loop.getattr("call_soon")?.unbind(),
            add_writer: event_loop.getattr("add_writer")?.unbind(),
            remove_writer: event_loop.getattr("remove_writer")?.unbind(),
            flush: slf.getattr("flush")?.unbind(),
            cancelled_error: py.import("asyncio")?.getattr("CancelledError")?.unbind(),
            log: calls.log,
            take_stack: calls.take_stack,
            offload: Mutex::new(Some(calls.offload)),
            modules: sys.getattr("modules")?.cast_into::<PyDict>()?.unbind(),
            loop_thread: py.import("threading")?.call_method0("get_ident")?.extract()?,
            done: Py::new(py, Done)?,
            template: ScopeTemplate::new(py, root_path, state)?,
            starter: Starter::new(&event_loop, context)?,
        };
        let serving = &slf.get().serving;
        serving.meter().set_modules(callables.modules.bind(py).len());
        if !serving.set_python(callables) {
            return Err(PyRuntimeError::new_err("the worker serves already"));
        }
        serving.put(py, |out| put_frame(out.frames(), FromWorker::Ready as u8, Flags::NONE, NO_SLOT, 0, &[]))
    }

    /// From now on, requests that the described routes take are served natively. Can be called again at any time.
    ///
    /// `description`: JSON, see `crates/plan/src/description.rs`. `objects`: what it names by numbers. `guards`: tuples
    /// `(dictionary, key, expected)` and `(sized, length)`; while one of them does not hold, the application serves
    /// everything. `calls`: see [`NativeCalls`]. `ValueError` with the reason if there can be no plan of it.
    fn set_native(
        &self,
        py: Python<'_>,
        description: String,
        objects: Vec<Py<PyAny>>,
        guards: Vec<Py<PyTuple>>,
        calls: NativeCalls,
    ) -> PyResult<()> {
        let limiter = self.serving.limiter(py, default_limiter);
        let inspected = Inspected { description, objects, guards, calls };
        let application = Arc::new(Application::new(py, inspected, limiter.as_ref(), None)?);
        splice(py, &application, Some(Arc::clone(&self.serving)))?;
        self.serving.set_native(application);
        Ok(())
    }

    /// Starts the watch thread, which has steps reported that last for `report_after` seconds.
    fn watch(&self, report_after: f64) -> PyResult<()> {
        Ok(watch::start(Arc::clone(&self.serving), seconds(report_after)?)?)
    }

    /// Reads the wire: the event loop calls it when there is something to read.
    fn read(slf: &Bound<'_, Self>) -> PyResult<Turn> {
        let (py, this) = (slf.py(), slf.get());
        fork::end_here(py, None);
        let executor = this.serving.executor();
        executor.count_turn();
        this.serving.pool().gather();
        let flush_before = std::mem::replace(&mut this.serving.output().lock().flush, Flush::AfterRead);
        let outcome = this.take_in(py);
        if executor.take_notice_wanted() {
            let mut output = this.serving.output().lock();
            put_frame(output.queue.frames(), FromWorker::Claimed as u8, Flags::NONE, NO_SLOT, 0, &[]);
        }
        this.serving.output().lock().flush = flush_before;
        let flushed = this.flush(py);
        this.serving.pool().start();
        flushed.and(outcome)
    }

    /// Writes what waits; what the socket cannot take now, when it can.
    #[pyo3(name = "flush")]
    fn flush_from_loop(&self, py: Python<'_>) -> PyResult<()> {
        self.flush(py)
    }
}

fn seconds(value: f64) -> PyResult<Duration> {
    Duration::try_from_secs_f64(value).map_err(|error| PyValueError::new_err(error.to_string()))
}
