//! Forms: Starlette parses them, FastAPI takes the parameters of a callable out of them
//! (`fastapi.dependencies.utils.request_body_to_args`); both are awaited here, for files may be on disk.

use andon_plan::Object;
use pyo3::{
    intern,
    prelude::*,
    types::{PyBool, PyDict},
};

use super::{
    execution::{Execution, Route},
    interpreter::call_with_keywords,
};

impl Execution {
    /// Parses the form, and has its files closed when all else is done. `limits`: what the route says of them.
    pub(crate) async fn read_form(&mut self, route: Route<'_>, limits: Object) -> PyResult<()> {
        let outcome = match Python::attach(|py| self.parse_form(py, route, limits)) {
            Ok(parsing) => self.baton.wait_for(parsing, None).await,
            Err(error) => Err(error),
        };
        Python::attach(|py| {
            let kept = outcome.and_then(|form| self.keep_form(py, form));
            kept.map_err(|error| self.body_error(py, route, error))
        })
    }

    fn parse_form(&mut self, py: Python<'_>, route: Route<'_>, limits: Object) -> PyResult<Py<PyAny>> {
        let request = self.request(py, route)?;
        let limits = route.application.object(py, limits);
        route.application.framework.read_form.bind(py).call1((request, limits)).map(Bound::unbind)
    }

    fn keep_form(&mut self, py: Python<'_>, form: Py<PyAny>) -> PyResult<()> {
        if let Some(scope) = &self.scope {
            let close = form.getattr(py, intern!(py, "close"))?;
            scope.stacks.middleware.call_method1(py, intern!(py, "push_async_callback"), (close,))?;
        }
        self.body.value = Some(form);
        Ok(())
    }

    /// Finds and validates the parameters that a call has in the form. `position`: of this operation.
    pub(crate) async fn form_parameters(&mut self, route: Route<'_>, call: u16, position: usize) -> PyResult<()> {
        let Some(step) = &route.native.program.calls[usize::from(call)].form else {
            return Ok(());
        };
        let finding = Python::attach(|py| {
            let framework = &route.application.framework;
            let fields = route.application.object(py, step.fields).clone().unbind();
            let form = self.body.value.as_ref().map_or_else(|| py.None(), |form| form.clone_ref(py));
            let embed = PyBool::new(py, step.embed).to_owned().into_any().unbind();
            let arguments = [Some(fields), Some(form), Some(embed)];
            let function = framework.body_parameters.bind(py);
            call_with_keywords(function, framework.body_keywords.bind(py), &arguments).map(Bound::unbind)
        })?;
        let found = self.baton.wait_for(finding, None).await?;
        Python::attach(|py| {
            let (values, errors): (Bound<'_, PyDict>, Bound<'_, PyAny>) = found.extract(py)?;
            if errors.is_truthy()? {
                self.errors.add_all(position, &errors)?;
            }
            for (name, register) in &step.values {
                let value = values.get_item(route.application.text(py, *name))?;
                self.registers[usize::from(*register)] = value.map(Bound::unbind);
            }
            Ok(())
        })
    }
}
