//! Objects of the framework that a callable asks for, put into registers.

use andon_plan::Injected;
use pyo3::{
    intern,
    prelude::*,
    types::{PyBytes, PyDict, PyList},
};

use super::execution::{Execution, Route};

impl Execution {
    pub(crate) fn inject(&mut self, py: Python<'_>, route: Route<'_>, call: u16) -> PyResult<()> {
        for injection in &route.native.program.calls[usize::from(call)].injections {
            let value = match &injection.what {
                Injected::Connection | Injected::Request => self.request(py, route)?.unbind(),
                Injected::BackgroundTasks => self.background_tasks(py, route)?,
                Injected::Response => self.injected_response(py, route)?,
                Injected::SecurityScopes(_) => security_scopes(py, route, call)?,
            };
            self.registers[usize::from(injection.register)] = Some(value);
        }
        Ok(())
    }

    fn background_tasks(&mut self, py: Python<'_>, route: Route<'_>) -> PyResult<Py<PyAny>> {
        if let Some(tasks) = &self.background {
            return Ok(tasks.clone_ref(py));
        }
        let tasks = route.application.framework.background_tasks.bind(py).call0()?.unbind();
        Ok(self.background.insert(tasks).clone_ref(py))
    }

    /// A `Response()` without length and status: the application sets headers and a status on it.
    fn injected_response(&mut self, py: Python<'_>, route: Route<'_>) -> PyResult<Py<PyAny>> {
        if let Some(response) = &self.response {
            return Ok(response.clone_ref(py));
        }
        let class = route.application.framework.response.bind(py);
        let response = class.call_method1(intern!(py, "__new__"), (class,))?;
        response.setattr(intern!(py, "status_code"), py.None())?;
        response.setattr(intern!(py, "background"), py.None())?;
        response.setattr(intern!(py, "body"), PyBytes::new(py, b""))?;
        response.setattr(intern!(py, "raw_headers"), PyList::empty(py))?;
        Ok(self.response.insert(response.unbind()).clone_ref(py))
    }
}

fn security_scopes(py: Python<'_>, route: Route<'_>, call: u16) -> PyResult<Py<PyAny>> {
    let scopes = route.objects.calls[usize::from(call)].scopes.iter();
    let scopes = PyList::new(py, scopes.map(|scope| route.application.text(py, *scope)))?;
    let keywords = PyDict::new(py);
    keywords.set_item(intern!(py, "scopes"), scopes)?;
    let class = route.application.framework.security_scopes.bind(py);
    Ok(class.call((), Some(&keywords))?.unbind())
}
