//! Errors in what the client sent or the endpoint returned, in the form that FastAPI gives them.

use pyo3::{
    intern,
    prelude::*,
    types::{PyDict, PyList, PyTuple},
};

use super::execution::{Errors, Execution, Route};

impl Errors {
    fn list<'py>(&mut self, py: Python<'py>, position: usize) -> Bound<'py, PyList> {
        self.last = position;
        self.list.get_or_insert_with(|| PyList::empty(py).unbind()).bind(py).clone()
    }

    /// Whether an operation from `begin` on has added errors.
    pub(crate) fn since(&self, begin: usize) -> bool {
        self.list.is_some() && self.last >= begin
    }

    /// Adds that something which must be there is not (`get_missing_field_error`). `position`: of the operation.
    pub(crate) fn add_missing(&mut self, position: usize, location: &Bound<'_, PyTuple>) -> PyResult<()> {
        let py = location.py();
        let error = PyDict::new(py);
        error.set_item(intern!(py, "type"), intern!(py, "missing"))?;
        error.set_item(intern!(py, "loc"), location)?;
        error.set_item(intern!(py, "msg"), intern!(py, "Field required"))?;
        error.set_item(intern!(py, "input"), py.None())?;
        self.list(py, position).append(error)
    }

    /// Adds a list of errors.
    pub(crate) fn add_all(&mut self, position: usize, errors: &Bound<'_, PyAny>) -> PyResult<()> {
        let list = self.list(errors.py(), position);
        for error in errors.try_iter()? {
            list.append(error?)?;
        }
        Ok(())
    }
}

impl Execution {
    /// What is raised for the errors that were found.
    pub(crate) fn request_validation_error(&mut self, py: Python<'_>, route: Route<'_>) -> PyErr {
        let errors = self.errors.list.as_ref().map_or_else(|| PyList::empty(py), |list| list.bind(py).clone());
        let whole = self.whole_body(py, route);
        whole.and_then(|body| self.validation_error(py, route, &errors, body)).unwrap_or_else(|unexpected| unexpected)
    }

    /// A `RequestValidationError`.
    pub(crate) fn validation_error(
        &self,
        py: Python<'_>,
        route: Route<'_>,
        errors: &Bound<'_, PyList>,
        body: Py<PyAny>,
    ) -> PyResult<PyErr> {
        let class = route.application.framework.request_validation_error.bind(py);
        raised(class, errors.as_any(), body, &self.endpoint_context(py, route)?)
    }
}

/// An error of validation of this class.
pub(crate) fn raised(
    class: &Bound<'_, PyAny>,
    errors: &Bound<'_, PyAny>,
    body: Py<PyAny>,
    context: &Bound<'_, PyAny>,
) -> PyResult<PyErr> {
    let py = class.py();
    let keywords = PyDict::new(py);
    keywords.set_item(intern!(py, "body"), body)?;
    keywords.set_item(intern!(py, "endpoint_ctx"), context)?;
    Ok(PyErr::from_value(class.call((errors,), Some(&keywords))?))
}

/// The errors that a validator has raised, each told as found under `location`; `Err`: it has raised something else
/// (`ModelField.validate`).
pub(crate) fn errors_of<'py>(
    route: Route<'_>,
    error: PyErr,
    location: &Bound<'py, PyTuple>,
) -> PyResult<Bound<'py, PyAny>> {
    let py = location.py();
    if !error.matches(py, route.application.framework.validation_error.bind(py))? {
        return Err(error);
    }
    let keywords = PyDict::new(py);
    keywords.set_item(intern!(py, "include_url"), false)?;
    let errors = error.value(py).call_method(intern!(py, "errors"), (), Some(&keywords))?;
    for error in errors.try_iter()? {
        let error = error?.cast_into::<PyDict>()?;
        let within = error.get_item(intern!(py, "loc"))?;
        let whole = match within {
            Some(within) => location.as_any().add(within)?,
            None => location.clone().into_any(),
        };
        error.set_item(intern!(py, "loc"), whole)?;
    }
    Ok(errors)
}
