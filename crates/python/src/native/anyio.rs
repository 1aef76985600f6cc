//! What anyio would notice of a call on a thread: its limiter and its cancel scopes.
//!
//! Where the application uses neither in a way that counts, native routes give their calls to the pool without asking
//! anyio. See `python/andon/threads.py`, which does it with anyio.

use pyo3::{intern, prelude::*, types::PyDict};

/// The number of tokens of anyio's default limiter; one that has another number was set by the application.
const DEFAULT_TOKENS: usize = 40;

/// The parts of anyio that matter; none if it is not as it is known to be.
pub(crate) struct Anyio {
    limiter: Option<Py<PyAny>>,
    /// By weak references to Tasks: what cancel scope each is in.
    task_states: Option<Py<PyAny>>,
    /// The dictionary in `task_states`.
    entries: Option<Py<PyDict>>,
}

impl Anyio {
    /// `limiter`: the default one of this event loop, if it is known.
    pub(crate) fn find(py: Python<'_>, limiter: Option<Py<PyAny>>) -> Self {
        let states = py.import("anyio._backends._asyncio").and_then(|backend| backend.getattr("_task_states"));
        let entries = states.as_ref().ok().and_then(|states| states.getattr("data").ok()?.cast_into::<PyDict>().ok());
        Self { limiter, task_states: states.ok().map(Bound::unbind), entries: entries.map(Bound::unbind) }
    }

    /// Whether the limiter is as anyio has made it, so that Andon's own bound counts instead.
    pub(crate) fn has_default_limiter(&self, py: Python<'_>) -> bool {
        let tokens =
            self.limiter.as_ref().and_then(|limiter| limiter.bind(py).getattr(intern!(py, "total_tokens")).ok());
        tokens.is_some_and(|tokens| tokens.extract().is_ok_and(|tokens: usize| tokens == DEFAULT_TOKENS))
    }

    /// Whether the running Task is within a cancel scope. In doubt it is.
    pub(crate) fn scopes_are_in_use(&self, py: Python<'_>) -> bool {
        match &self.entries {
            Some(entries) if entries.bind(py).is_empty() => false,
            _ => self.is_scoped(py).unwrap_or(true),
        }
    }

    fn is_scoped(&self, py: Python<'_>) -> PyResult<bool> {
        let Some(states) = &self.task_states else {
            return Ok(true);
        };
        let task = py.import("asyncio")?.call_method0(intern!(py, "current_task"))?;
        if task.is_none() {
            return Ok(false);
        }
        let state = states.bind(py).call_method1(intern!(py, "get"), (task,))?;
        Ok(!state.is_none() && !state.getattr(intern!(py, "cancel_scope"))?.is_none())
    }
}

/// anyio's default limiter of the running event loop, if the calling Task can ask for it and calls on threads need no
/// cancel scope.
pub(crate) fn default_limiter(py: Python<'_>) -> Option<Py<PyAny>> {
    // From anyio 4.12 on, `anyio.from_thread` can do without one.
    let recent = py.import("anyio._backends._asyncio").ok()?.hasattr("set_current_async_library").ok()?;
    let limiter = py.import("anyio.to_thread").ok()?.call_method0("current_default_thread_limiter").ok()?;
    recent.then(|| limiter.unbind())
}
