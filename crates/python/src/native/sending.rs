//! The answer goes out, and what is to be done after it is done.

use pyo3::{intern, prelude::*};

use super::{
    execution::{Execution, Route},
    interpreter::Value,
    result::Answer,
};

impl Execution {
    pub(crate) async fn send(&mut self, route: Route<'_>, answer: Answer) -> PyResult<()> {
        let mut json = match answer {
            Answer::Json(json) => json,
            Answer::Response(response) => return self.send_response(route, response).await,
        };
        let background = self.worthwhile(route, json.background.take())?;
        let last = self.is_last(&background);
        self.face.send_json(&self.baton, json, last).await?;
        self.run_background(background).await
    }

    /// Sends an object that is a `Response`, or any other that is called as an application.
    pub(crate) async fn send_response(&mut self, route: Route<'_>, response: Py<PyAny>) -> PyResult<()> {
        let plain = Python::attach(|py| route.application.is_plain_response(response.bind(py)))?;
        if !plain {
            self.baton.to_loop().await;
            let sending = Python::attach(|py| {
                let scope = self.scope(py, route)?;
                let arguments = (scope, self.receive(py)?, self.send_callable(py)?);
                response.bind(py).call1(arguments).map(Bound::unbind)
            })?;
            return self.baton.wait_for(sending, None).await.map(drop);
        }
        let background = Python::attach(|py| {
            let background = response.bind(py).getattr(intern!(py, "background"))?;
            PyResult::Ok((!background.is_none()).then(|| background.unbind()))
        })?;
        let background = self.worthwhile(route, background)?;
        let last = self.is_last(&background);
        self.face.send_response(&self.baton, response, last).await?;
        self.run_background(background).await
    }

    /// Background tasks, unless there are none among them.
    fn worthwhile(&self, route: Route<'_>, background: Value) -> PyResult<Value> {
        let Some(background) = background else {
            return Ok(None);
        };
        Python::attach(|py| {
            let tasks = background.bind(py);
            let known = tasks.get_type().is(route.application.framework.background_tasks.bind(py));
            let empty = known && tasks.getattr(intern!(py, "tasks"))?.is_empty()?;
            Ok((!empty).then_some(background))
        })
    }

    async fn run_background(&self, background: Value) -> PyResult<()> {
        let Some(background) = background else {
            return Ok(());
        };
        self.baton.to_loop().await;
        let running = Python::attach(|py| background.call0(py))?;
        self.baton.wait_for(running, None).await.map(drop)
    }
}
