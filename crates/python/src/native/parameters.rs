//! Parameters: found in the request, validated, and put into registers
//! (`fastapi.dependencies.utils.request_params_to_args` and `request_body_to_args`).

use andon_plan::{Absent, Alias, Convertor, Source, Step};
use pyo3::{
    exceptions::PyAttributeError,
    intern,
    prelude::*,
    types::{PyBytes, PyDict, PyInt, PyList, PyString, PyTuple},
};

use super::{
    execution::{Execution, Route},
    interpreter::call_with_flag,
    validation::errors_of,
};

/// What a request has for a parameter.
pub(crate) enum Found<'a, 'py> {
    /// This, under this alias.
    Value(Bound<'py, PyAny>, &'a Alias),
    /// Nothing; it would be told under this alias.
    Nothing(&'a Alias),
    /// The body is not an object that could have it as a member.
    NoObject(&'a Alias),
}

impl Execution {
    /// Finds and validates the parameters of a call. `position`: of this operation.
    pub(crate) fn parameters(&mut self, py: Python<'_>, route: Route<'_>, call: u16, position: usize) -> PyResult<()> {
        for step in &route.native.program.calls[usize::from(call)].steps {
            if let Some(value) = self.parameter(py, route, step, position)? {
                self.registers[usize::from(step.register)] = Some(value.unbind());
            }
        }
        Ok(())
    }

    /// The value of a parameter; `None`: there were errors, which are kept.
    fn parameter<'py>(
        &mut self,
        py: Python<'py>,
        route: Route<'_>,
        step: &Step,
        position: usize,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        if let Some(gather) = step.model {
            let gather = route.application.object(py, gather).clone();
            return self.model(py, route, step, &gather, position);
        }
        match self.find(py, route, step)? {
            Found::Value(value, alias) => self.validate(route, step, (&value, alias), position),
            Found::Nothing(alias) if !step.required => {
                let value = default(py, route, step)?;
                if step.validate_default {
                    self.validate(route, step, (&value, alias), position)
                } else {
                    Ok(Some(value))
                }
            }
            Found::Nothing(alias) | Found::NoObject(alias) => {
                let location = self.location(py, route, step, alias)?;
                self.errors.add_missing(position, &location)?;
                Ok(None)
            }
        }
    }

    fn validate<'py>(
        &mut self,
        route: Route<'_>,
        step: &Step,
        (value, alias): (&Bound<'py, PyAny>, &Alias),
        position: usize,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        let py = value.py();
        let validate = route.application.object(py, step.validate);
        match call_with_flag(validate, value, route.application.framework.from_attributes.bind(py)) {
            Ok(valid) => Ok(Some(valid)),
            Err(error) => {
                let location = self.location(py, route, step, alias)?;
                self.errors.add_all(position, &errors_of(route, error, &location)?)?;
                Ok(None)
            }
        }
    }

    /// Where an error is told to be.
    fn location<'py>(
        &self,
        py: Python<'py>,
        route: Route<'_>,
        step: &Step,
        alias: &Alias,
    ) -> PyResult<Bound<'py, PyTuple>> {
        let source = PyString::intern(py, step.source.as_str());
        if step.form.is_some() || step.source == Source::Body && !route.native.body.is_some_and(|body| body.embed) {
            return PyTuple::new(py, [source]);
        }
        PyTuple::new(py, [&source, route.application.text(py, alias.text)])
    }

    fn find<'a, 'py>(&self, py: Python<'py>, route: Route<'_>, step: &'a Step) -> PyResult<Found<'a, 'py>> {
        match step.source {
            Source::Body => return self.find_in_body(py, route, step),
            Source::Form => return self.find_in_form(py, route, step),
            _ => {}
        }
        for alias in &step.aliases {
            if let Some(value) = self.value(py, route, step, alias)? {
                let counts = !step.empty_is_absent || !value.is_empty()?;
                return Ok(if counts { Found::Value(value, alias) } else { Found::Nothing(alias) });
            }
        }
        Ok(Found::Nothing(&step.aliases[0]))
    }

    /// What a path, query, header or cookie has under an alias.
    fn value<'py>(
        &self,
        py: Python<'py>,
        route: Route<'_>,
        step: &Step,
        alias: &Alias,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        let Some(number) = alias.number else {
            return Ok(None);
        };
        let text = match step.source {
            Source::Path => return self.path_parameter(py, route, usize::from(number)),
            Source::Query | Source::Header if step.list => {
                let gathered = if step.source == Source::Query { &self.incoming.query } else { &self.incoming.headers };
                let values = PyList::new(py, gathered.all(number).collect::<Vec<_>>())?;
                return Ok(Some(values.into_any()).filter(|_| gathered.contains(number)));
            }
            Source::Query => self.incoming.query.last(number),
            Source::Header => self.incoming.headers.first(number),
            Source::Cookie => self.incoming.cookies.last(number),
            Source::Body | Source::Form => None,
        };
        Ok(text.map(|text| PyString::new(py, text).into_any()))
    }

    fn find_in_body<'a, 'py>(&self, py: Python<'py>, route: Route<'_>, step: &'a Step) -> PyResult<Found<'a, 'py>> {
        let first = &step.aliases[0];
        let Some(body) = self.body.value.as_ref().map(|body| body.bind(py)) else {
            return Ok(Found::Nothing(first));
        };
        let described = route.native.body;
        let is_value =
            |value: &Bound<'_, PyAny>| !value.is_none() || !described.is_some_and(|body| body.null_is_absent);
        if !is_value(body) {
            return Ok(Found::Nothing(first));
        }
        if !described.is_some_and(|body| body.embed) {
            return Ok(Found::Value(body.clone(), first));
        }
        if body.is_instance_of::<PyBytes>() {
            return Ok(Found::Nothing(first));
        }
        let Ok(members) = body.cast::<PyDict>() else {
            return Ok(Found::NoObject(first));
        };
        for alias in &step.aliases {
            let member = members.get_item(route.application.text(py, alias.text))?;
            if let Some(value) = member.filter(is_value) {
                return Ok(Found::Value(value, alias));
            }
        }
        Ok(Found::Nothing(first))
    }

    /// A parameter of the path as its convertor makes it.
    pub(crate) fn path_parameter<'py>(
        &self,
        py: Python<'py>,
        route: Route<'_>,
        number: usize,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        let Some((text, convertor)) = self.incoming.path_parameter(number) else {
            return Ok(None);
        };
        let text = PyString::new(py, text);
        Ok(Some(match convertor {
            Convertor::Str | Convertor::Path => text.into_any(),
            Convertor::Int => py.get_type::<PyInt>().call1((text,))?,
            Convertor::Float => py.get_type::<pyo3::types::PyFloat>().call1((text,))?,
            Convertor::Uuid => route.application.framework.uuid.bind(py).call1((text,))?,
        }))
    }

    /// A parameter model: the framework gathers its fields.
    fn model<'py>(
        &mut self,
        py: Python<'py>,
        route: Route<'_>,
        step: &Step,
        gather: &Bound<'py, PyAny>,
        position: usize,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        let request = self.request(py, route)?;
        let received = request.getattr(match step.source {
            Source::Path => intern!(py, "path_params"),
            Source::Query => intern!(py, "query_params"),
            Source::Header => intern!(py, "headers"),
            Source::Cookie => intern!(py, "cookies"),
            Source::Body | Source::Form => return Err(PyAttributeError::new_err("a parameter model of a body")),
        })?;
        let (value, errors): (Bound<'py, PyAny>, Bound<'py, PyAny>) = gather.call1((received,))?.extract()?;
        if errors.is_truthy()? {
            self.errors.add_all(position, &errors)?;
            return Ok(None);
        }
        Ok(Some(value))
    }
}

fn default<'py>(py: Python<'py>, route: Route<'_>, step: &Step) -> PyResult<Bound<'py, PyAny>> {
    if let Absent::Shared(object) = step.absent {
        return Ok(route.application.object(py, object).clone());
    }
    let default = route.application.object(py, step.field).getattr(intern!(py, "default"))?;
    route.application.framework.deepcopy.bind(py).call1((default,))
}
