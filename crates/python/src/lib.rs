//! The extension module `andon._andon`: what a worker does in CPython, and the way from the console script into the
//! command line.
//!
//! The only crate that knows CPython. A worker process makes one [`worker::Worker`], which reads the wire on the
//! event loop's own thread; each request is an [`exchange::Exchange`], at once the coroutine of the request's Task and
//! the `receive` and `send` of the application.

use std::{ffi::OsString, path::PathBuf};

use pyo3::{exceptions::PyValueError, prelude::*};

mod awaitable;
mod child;
mod clock;
mod coroutine;
mod errands;
mod exchange;
mod fork;
mod http;
mod inflow;
mod message;
mod meter;
mod native;
mod outflow;
mod output;
mod probe;
mod routes;
mod scope;
mod serving;
mod stall;
mod starter;
mod switching;
mod threads;
mod used;
mod watch;
mod websocket;
mod worker;

/// Runs the command line `andon ARGUMENTS` and returns its exit code. `python` is the interpreter that runs workers.
///
/// The GIL is given up for good: this process becomes the front.
#[pyfunction]
fn main(py: Python<'_>, arguments: Vec<OsString>, python: PathBuf) -> i32 {
    py.detach(|| andon_cli::run(arguments, andon_cli::PythonInfo { executable: python }))
}

/// Replays a record of decisions; the numbers of events and placements. `ValueError` where the rule decides otherwise.
#[pyfunction]
fn replay(py: Python<'_>, path: PathBuf) -> PyResult<(usize, usize)> {
    let replayed = py.detach(|| andon_cli::replay_decisions(&path)).map_err(PyValueError::new_err)?;
    Ok((replayed.events, replayed.placements))
}

/// The names and values of a query string, as native routes read it.
#[pyfunction]
fn query_pairs(query: &[u8]) -> Vec<(String, String)> {
    andon_plan::query::pairs(query).map(|(name, value)| (name.into_owned(), value.into_owned())).collect()
}

#[pymodule(gil_used = true)]
fn _andon(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(main, module)?)?;
    module.add_function(wrap_pyfunction!(replay, module)?)?;
    module.add_function(wrap_pyfunction!(query_pairs, module)?)?;
    module.add_function(wrap_pyfunction!(fork::forked, module)?)?;
    module.add_class::<worker::Worker>()?;
    module.add_class::<worker::Turn>()?;
    module.add_class::<threads::Threads>()?;
    module.add_class::<native::NativeApp>()?;
    module.add_class::<native::NativeCore>()?;
    module.add_class::<native::NativeDispatch>()?;
    module.add("ClientDisconnected", module.py().get_type::<exchange::ClientDisconnected>())?;
    module.add("__version__", env!("CARGO_PKG_VERSION"))
}
