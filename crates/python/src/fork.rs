//! What becomes of a process that the application forks from a worker, where it comes back to the worker's own code.
//!
//! It has the wire, the shared memory and the queue of calls of its parent, and no part in any of them: its answer would
//! be the client's second one, or another request's. So it ends there. `andon.forks` says how, and tells when there is
//! one; a process that ends by itself, as those of `multiprocessing` do, never comes here.

use std::sync::atomic::{AtomicBool, Ordering};

use pyo3::{exceptions::PyRuntimeError, intern, prelude::*};

/// This process was forked from a worker.
static FORKED: AtomicBool = AtomicBool::new(false);

/// Says that this process was forked from a worker. For `os.register_at_fork`.
#[pyfunction]
pub(crate) fn forked() {
    FORKED.store(true, Ordering::Relaxed);
}

/// Whether this process was forked from a worker.
pub(crate) fn is_child() -> bool {
    FORKED.load(Ordering::Relaxed)
}

/// Ends this process if it was forked from a worker; `error`: what the application has raised in it.
///
/// To be called before a lock is taken: who held it in the parent is not there to release it.
pub(crate) fn end_here(py: Python<'_>, error: Option<&PyErr>) {
    if is_child() {
        end(py, error);
    }
}

/// The same where the event loop is needed for what comes next: this process has none that runs.
pub(crate) fn end_where_more_is_wanted(py: Python<'_>) {
    if is_child() {
        end(py, Some(&PyRuntimeError::new_err("a process that an endpoint forked has raised, or wants to answer")));
    }
}

#[cold]
fn end(py: Python<'_>, error: Option<&PyErr>) {
    let error = error.map(|error| error.clone_ref(py).into_value(py));
    let ended = py.import(intern!(py, "andon.forks")).and_then(|forks| forks.call_method1("end", (error,)));
    if let Err(error) = ended {
        error.write_unraisable(py, None);
    }
    std::process::abort();
}
