//! Dependencies of which only so many run at a time (`Depends(max_concurrency=...)`): they wait for the framework's own
//! semaphore, which they share with requests that the application serves.
//!
//! What a generator opens stays open under its semaphore until it is closed; all others have it for their call.

use andon_plan::{CallKind, Object};
use pyo3::{intern, prelude::*};

use super::{
    execution::{Execution, Route},
    generators::manager_of,
    interpreter::with_traceback,
    scope::exception_triple,
};

impl Execution {
    /// Calls a dependency, in its turn if there is a limit.
    pub(crate) async fn call_limited(&mut self, route: Route<'_>, number: u16) -> PyResult<Py<PyAny>> {
        let call = &route.native.program.calls[usize::from(number)];
        let held = matches!(call.kind, CallKind::Generator | CallKind::AsyncGenerator);
        let Some(concurrency) = call.concurrency.filter(|_| !held) else {
            return self.call(route, number).await;
        };
        // It belongs to the event loop.
        self.baton.to_loop().await;
        let semaphore = Python::attach(|py| semaphore(py, route, concurrency))?;
        let entering = Python::attach(|py| semaphore.call_method0(py, intern!(py, "__aenter__")))?;
        self.baton.wait_for(entering, None).await?;
        let outcome = self.call(route, number).await.map_err(|error| Python::attach(|py| with_traceback(py, error)));
        let error = outcome.as_ref().err();
        let exiting = Python::attach(|py| {
            let arguments = exception_triple(py, error)?;
            semaphore.bind(py).call_method1(intern!(py, "__aexit__"), arguments).map(Bound::unbind)
        })?;
        self.baton.wait_for(exiting, error).await?;
        outcome
    }

    /// The context manager of a generator, to be entered in its turn. `opened`: see [`Self::open`]. `scoped`: the
    /// framework's own, where cancel scopes are around the request.
    pub(crate) fn held_in_turn(
        &self,
        py: Python<'_>,
        route: Route<'_>,
        number: u16,
        (opened, scoped): (&Py<PyAny>, Option<Py<PyAny>>),
    ) -> PyResult<Option<Py<PyAny>>> {
        let call = &route.native.program.calls[usize::from(number)];
        let Some(concurrency) = call.concurrency else {
            return Ok(scoped);
        };
        let framework = &route.application.framework;
        let awaited = match scoped {
            Some(scoped) => scoped,
            None if call.kind == CallKind::AsyncGenerator => manager_of(py, route, opened)?,
            None => framework.context_manager_in_threadpool.call1(py, (opened,))?,
        };
        framework.held_semaphore.call1(py, (awaited, semaphore(py, route, concurrency)?)).map(Some)
    }
}

fn semaphore(py: Python<'_>, route: Route<'_>, concurrency: Object) -> PyResult<Py<PyAny>> {
    let concurrency = route.application.object(py, concurrency);
    concurrency.call_method0(intern!(py, "get_semaphore")).map(Bound::unbind)
}
