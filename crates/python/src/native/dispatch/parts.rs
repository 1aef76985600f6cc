//! What this module uses of Starlette and of Andon's own Python half, looked up once per plan.

use pyo3::{prelude::*, types::PyList};

use super::{
    super::{anyio::Anyio, stepping::Baton},
    around::set_context,
};

/// Classes and functions.
pub(crate) struct Parts {
    /// `_CachedRequest(scope, receive, send)`.
    pub(super) cached_request: Py<PyAny>,
    /// The class of what `call_next` returns.
    pub(super) streaming_response: Py<PyAny>,
    /// `body_stream(receive)`: its body.
    pub(super) body_stream: Py<PyAny>,
    /// `end(tasks)`: cancels them until they have ended.
    pub(super) end: Py<PyAny>,
    /// `send_in_turn(send, message)`: a coroutine, which first lets a cancellation take effect.
    pub(super) send_in_turn: Py<PyAny>,
    pub(super) anyio: Anyio,
    pub(super) task_type: Py<PyAny>,
    pub(super) get_running_loop: Py<PyAny>,
    pub(super) current_task: Py<PyAny>,
    pub(super) leave_task: Py<PyAny>,
    pub(super) enter_task: Py<PyAny>,
    pub(super) cancelled_error: Py<PyAny>,
    /// What a memory stream raises at its end.
    pub(super) end_of_stream: Py<PyAny>,
    /// What a memory stream raises that is closed on this side.
    closed_resource_error: Py<PyAny>,
    /// What a task group raises.
    exception_group: Py<PyAny>,
    sleep: Py<PyAny>,
    /// A Task can be started at once (CPython 3.12).
    pub(super) eager: bool,
}

impl Parts {
    pub(super) fn find(py: Python<'_>) -> PyResult<Self> {
        let find = |module: &str, name: &str| PyResult::Ok(py.import(module)?.getattr(name)?.unbind());
        Ok(Self {
            cached_request: find("starlette.middleware.base", "_CachedRequest")?,
            streaming_response: find("starlette.middleware.base", "_StreamingResponse")?,
            body_stream: find("andon.native.dispatching", "body_stream")?,
            end: find("andon.native.dispatching", "end")?,
            send_in_turn: find("andon.native.dispatching", "send_in_turn")?,
            anyio: Anyio::find(py, None),
            task_type: find("asyncio", "Task")?,
            get_running_loop: find("asyncio", "get_running_loop")?,
            current_task: find("asyncio", "current_task")?,
            leave_task: find("asyncio.tasks", "_leave_task")?,
            enter_task: find("asyncio.tasks", "_enter_task")?,
            cancelled_error: find("asyncio", "CancelledError")?,
            end_of_stream: find("anyio", "EndOfStream")?,
            closed_resource_error: find("anyio", "ClosedResourceError")?,
            // Before CPython 3.11 it comes from the package that anyio uses.
            exception_group: find("builtins", "BaseExceptionGroup")
                .or_else(|_| find("exceptiongroup", "BaseExceptionGroup"))?,
            sleep: find("asyncio", "sleep")?,
            eager: py.version_info() >= (3, 12),
        })
    }

    /// What the use of a closed stream raises.
    pub(super) fn closed(&self, py: Python<'_>) -> PyErr {
        self.closed_resource_error.bind(py).call0().map_or_else(|unexpected| unexpected, PyErr::from_value)
    }

    /// A group of exceptions, as a task group raises it.
    pub(super) fn group(&self, py: Python<'_>, errors: &[&PyErr]) -> PyResult<Py<PyAny>> {
        let errors = PyList::new(py, errors.iter().map(|error| error.value(py)))?;
        self.exception_group.call1(py, ("unhandled errors in a TaskGroup", errors))
    }

    pub(super) fn is_cancelled(&self, py: Python<'_>, error: &PyErr) -> bool {
        error.matches(py, self.cancelled_error.bind(py)).unwrap_or(false)
    }

    /// An error as it comes out of a task group.
    pub(super) fn grouped(&self, py: Python<'_>, error: PyErr) -> PyErr {
        if self.is_cancelled(py, &error) {
            return error;
        }
        match self.group(py, &[&error]) {
            Ok(group) => {
                let group = PyErr::from_value(group.into_bound(py));
                group.set_cause(py, None);
                set_context(py, &group, error.into_value(py).into_any());
                group
            }
            Err(unexpected) => unexpected,
        }
    }

    /// Lets the event loop come round once.
    pub(super) async fn checkpoint(&self, baton: &Baton) -> PyResult<()> {
        let turn = Python::attach(|py| self.sleep.call1(py, (0,)))?;
        baton.wait_for(turn, None).await.map(drop)
    }
}
