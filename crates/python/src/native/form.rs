//! Forms: what is urlencoded is read here, all else by Starlette. Of those parameters that the plan does not know, FastAPI
//! itself finds the values (`fastapi.dependencies.utils.request_body_to_args`), which is awaited, for files may be on disk.
//!
//! Starlette's parser gives of a urlencoded form the very names and values that a query string of the same bytes has
//! (`python/andon/native/forms.py` asks it). What it may refuse, or what is none of its usual business, it gets itself,
//! from the first byte on.

use andon_plan::{Object, query};
use pyo3::{
    intern,
    prelude::*,
    types::{PyBool, PyBytes, PyDict, PyList, PyString, PyTuple},
};

use super::{
    body::joined,
    execution::{Execution, Route},
    interpreter::call_with_keywords,
};

/// Starlette refuses more, where nobody has told it otherwise (`max_fields`).
const MOST_FIELDS: usize = 1000;
/// Likewise, of a field's name and value in bytes (`max_part_size`).
const LONGEST_FIELD: usize = 1024 * 1024;

/// What a form has, as `FormData` keeps it.
pub(crate) struct ReadForm {
    /// The last value of each name.
    pub(crate) last: Py<PyDict>,
    /// All names and values.
    pub(crate) items: Py<PyList>,
}

impl ReadForm {
    fn of(form: &Bound<'_, PyAny>) -> PyResult<Self> {
        let py = form.py();
        Ok(Self {
            last: form.getattr(intern!(py, "_dict"))?.cast_into::<PyDict>()?.unbind(),
            items: form.getattr(intern!(py, "_list"))?.cast_into::<PyList>()?.unbind(),
        })
    }

    fn of_urlencoded(py: Python<'_>, body: &[u8]) -> PyResult<Self> {
        let (last, items) = (PyDict::new(py), PyList::empty(py));
        for (name, value) in query::pairs(body) {
            let (name, value) = (PyString::new(py, &name), PyString::new(py, &value));
            last.set_item(&name, &value)?;
            items.append(PyTuple::new(py, [name, value])?)?;
        }
        Ok(Self { last: last.unbind(), items: items.unbind() })
    }
}

/// How much of a form was read.
#[derive(Default)]
struct Extent {
    bytes: usize,
    separators: usize,
}

impl Extent {
    /// Adds a piece. False: Starlette might have something to say about what there is now.
    fn add(&mut self, piece: &Py<PyAny>) -> bool {
        Python::attach(|py| {
            let Ok(piece) = piece.bind(py).cast_exact::<PyBytes>() else { return false };
            self.bytes += piece.as_bytes().len();
            self.separators += piece.as_bytes().iter().filter(|byte| **byte == b'&').count();
            self.bytes <= LONGEST_FIELD && self.separators < MOST_FIELDS
        })
    }
}

impl Execution {
    /// Reads the form, and has its files closed when all else is done. `limits`: what the route says of them.
    pub(crate) async fn read_form(&mut self, route: Route<'_>, limits: Object) -> PyResult<()> {
        let is_usual = self.incoming.urlencoded && Python::attach(|py| self.is_usual_form(py, route, limits))?;
        let parsing = if is_usual {
            match self.read_urlencoded(route, limits).await {
                Ok(Some(parsing)) => Ok(parsing),
                Ok(None) => return Ok(()),
                Err(error) => Err(error),
            }
        } else {
            Python::attach(|py| self.parse_form(py, route, limits))
        };
        let outcome = match parsing {
            Ok(parsing) => self.baton.wait_for(parsing, None).await,
            Err(error) => Err(error),
        };
        Python::attach(|py| {
            let kept = outcome.and_then(|form| self.keep_form(py, form));
            kept.map_err(|error| self.body_error(py, route, error))
        })
    }

    /// Whether nobody has set limits, and nobody else reads it.
    fn is_usual_form(&self, py: Python<'_>, route: Route<'_>, limits: Object) -> PyResult<bool> {
        let is_used = self.scope.as_ref().is_some_and(|scope| scope.has_request());
        if is_used || route.application.object(py, limits).is_truthy()? {
            return Ok(false);
        }
        let told = match route.native.scope.fastapi {
            Some(fastapi) => Some(route.application.object(py, fastapi).clone()),
            None => self.told_in_scope(intern!(py, "fastapi"))?,
        };
        let Some(told) = told else { return Ok(true) };
        Ok(!told.contains(intern!(py, "form_limits"))?)
    }

    /// Reads a urlencoded form; what is to be awaited if that is Starlette's affair after all.
    async fn read_urlencoded(&mut self, route: Route<'_>, limits: Object) -> PyResult<Option<Py<PyAny>>> {
        let mut extent = Extent::default();
        let mut is_usual = true;
        let goes_on = |piece: &Py<PyAny>| {
            is_usual = extent.add(piece);
            is_usual
        };
        let (pieces, more) = self.face.read_body_while(route, &self.baton, goes_on).await?;
        Python::attach(|py| {
            if is_usual {
                self.body.form = Some(ReadForm::of_urlencoded(py, joined(py, &pieces)?.as_bytes())?);
                return Ok(None);
            }
            let request = self.request(py, route)?;
            let limits = route.application.object(py, limits);
            let read_on = route.application.framework.read_form_on.bind(py);
            Ok(Some(read_on.call1((request, limits, pieces, more))?.unbind()))
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
        self.body.form = Some(ReadForm::of(form.bind(py))?);
        self.body.value = Some(form);
        Ok(())
    }

    /// The body as applications get it: the value of JSON, the bytes, or a `FormData`, which is made when it is asked for.
    pub(crate) fn whole_body(&mut self, py: Python<'_>, route: Route<'_>) -> PyResult<Py<PyAny>> {
        if let (None, Some(form)) = (&self.body.value, &self.body.form) {
            let made = route.application.framework.form_data.bind(py).call1((&form.items,))?;
            self.body.value = Some(made.unbind());
        }
        Ok(self.body.value.as_ref().map_or_else(|| py.None(), |value| value.clone_ref(py)))
    }

    /// Finds and validates the parameters that a call has in the form. `position`: of this operation.
    pub(crate) async fn form_parameters(&mut self, route: Route<'_>, call: u16, position: usize) -> PyResult<()> {
        let Some(step) = &route.native.program.calls[usize::from(call)].form else {
            return Ok(());
        };
        let finding = Python::attach(|py| {
            let framework = &route.application.framework;
            let fields = route.application.object(py, step.fields).clone().unbind();
            let form = self.whole_body(py, route)?;
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
