//! Dependencies that are asynchronous generators: what `contextlib.asynccontextmanager` does around them, without its
//! objects where all goes as usual.
//!
//! Usual is: a generator yields once, and ends when it is asked to go on without an exception. All else (an exception to be
//! raised in it, no `yield` or a second one, objects that are only used like generators) is for a context manager of
//! `contextlib` itself, made over the generator when it comes to that.

use pyo3::{exceptions::PyStopAsyncIteration, intern, prelude::*, types::PyBool};

use super::execution::{Execution, Route};
use crate::coroutine::is_async_generator;

impl Execution {
    /// Runs what a dependency has returned to its `yield`; what it yields, and what is to be closed: a generator, or a
    /// context manager.
    pub(super) async fn begin(&self, route: Route<'_>, opened: Py<PyAny>) -> PyResult<(Py<PyAny>, Py<PyAny>)> {
        if !Python::attach(|py| is_async_generator(opened.bind(py))) {
            let manager = Python::attach(|py| manager_of(py, route, &opened))?;
            return Ok((self.enter(&manager).await?, manager));
        }
        match self.go_on(&opened).await {
            Ok(value) => Ok((value, opened)),
            Err(error) if ended(&error) => {
                let manager = Python::attach(|py| manager_of(py, route, &opened))?;
                self.enter(&manager).await.map(|value| (value, manager))
            }
            Err(error) => Err(error),
        }
    }

    /// Closes what was begun. What is returned is true if it has swallowed the exception.
    pub(super) async fn end(&self, route: Route<'_>, opened: &Py<PyAny>, error: Option<&PyErr>) -> PyResult<Py<PyAny>> {
        if !Python::attach(|py| is_async_generator(opened.bind(py))) {
            return self.close_awaited(opened, error).await;
        }
        if error.is_some() {
            let manager = Python::attach(|py| manager_of(py, route, opened))?;
            return self.close_awaited(&manager, error).await;
        }
        match self.go_on(opened).await {
            Err(error) if ended(&error) => {
                Ok(Python::attach(|py| PyBool::new(py, false).to_owned().into_any().unbind()))
            }
            Err(error) => Err(error),
            Ok(_) => {
                let class = &route.application.framework.generator_manager;
                let manager = Python::attach(|py| class.call1(py, (opened, true)))?;
                self.close_awaited(&manager, None).await
            }
        }
    }

    /// What the generator yields next.
    async fn go_on(&self, generator: &Py<PyAny>) -> PyResult<Py<PyAny>> {
        self.baton.to_loop().await;
        let next = Python::attach(|py| generator.call_method0(py, intern!(py, "__anext__")))?;
        self.baton.wait_on(&next, None).await
    }
}

/// A context manager of what a dependency has returned.
pub(super) fn manager_of(py: Python<'_>, route: Route<'_>, generator: &Py<PyAny>) -> PyResult<Py<PyAny>> {
    route.application.framework.generator_manager.call1(py, (generator,))
}

fn ended(error: &PyErr) -> bool {
    Python::attach(|py| error.is_instance_of::<PyStopAsyncIteration>(py))
}
