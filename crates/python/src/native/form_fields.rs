//! What a parameter gets of a form (`fastapi.dependencies.utils`: `_extract_form_items`, `_extract_form_model`,
//! `_get_multidict_value`).
//!
//! An empty text counts as not sent, and so does what browsers send for a file that nobody has chosen.

use andon_plan::{FormModelStep, Step, Text};
use pyo3::{
    intern,
    prelude::*,
    types::{PyDict, PyList, PySet, PyString, PyTuple},
};

use super::{
    execution::{Execution, Route},
    form::ReadForm,
    parameters::Found,
};

impl Execution {
    pub(crate) fn find_in_form<'a, 'py>(
        &self,
        py: Python<'py>,
        route: Route<'_>,
        step: &'a Step,
    ) -> PyResult<Found<'a, 'py>> {
        let first = &step.aliases[0];
        let Some(form) = &self.body.form else {
            return Ok(Found::Nothing(first));
        };
        if let Some(model) = &step.form {
            let form = FormOf { py, route, form };
            let members = if form.is_supplied(model)? { Some(form.members(model)?) } else { None };
            return Ok(members.map_or(Found::Nothing(first), |members| Found::Value(members.into_any(), first)));
        }
        let form = FormOf { py, route, form };
        for alias in &step.aliases {
            if let Some(value) = form.value(alias.text, step.list)? {
                return Ok(Found::Value(value, alias));
            }
        }
        Ok(Found::Nothing(first))
    }
}

/// A form, and the names that are looked for.
struct FormOf<'a, 'py> {
    py: Python<'py>,
    route: Route<'a>,
    form: &'a ReadForm,
}

impl<'py> FormOf<'_, 'py> {
    fn text(&self, text: Text) -> &Bound<'py, PyString> {
        self.route.application.text(self.py, text)
    }

    /// What there is under a name, if it counts as sent.
    fn value(&self, name: Text, list: bool) -> PyResult<Option<Bound<'py, PyAny>>> {
        let name = self.text(name);
        let Some(last) = self.form.last.bind(self.py).get_item(name)? else {
            return Ok(None);
        };
        if list {
            let values = self.values(name)?;
            return Ok((!values.is_empty()).then(|| values.into_any()));
        }
        let counts = match last.cast::<PyString>() {
            Ok(text) => !text.is_empty()?,
            Err(_) => !is_no_file(&last)?,
        };
        Ok(counts.then_some(last))
    }

    /// All values of a name.
    fn values(&self, name: &Bound<'py, PyString>) -> PyResult<Bound<'py, PyList>> {
        let values = PyList::empty(self.py);
        for item in self.form.items.bind(self.py) {
            let (key, value) = pair(&item)?;
            if key.eq(name)? && (value.is_instance_of::<PyString>() || !is_no_file(&value)?) {
                values.append(value)?;
            }
        }
        Ok(values)
    }

    /// Whether a model was sent, for which `None` could stand (`_is_form_model_supplied`).
    fn is_supplied(&self, model: &FormModelStep) -> PyResult<bool> {
        let Some(names) = &model.supplied_by else {
            return Ok(true);
        };
        let last = self.form.last.bind(self.py);
        for name in names {
            if last.contains(self.text(*name))? {
                return Ok(true);
            }
        }
        Ok(model.supplied_by_any && !last.is_empty())
    }

    /// What a model is made of.
    fn members(&self, model: &FormModelStep) -> PyResult<Bound<'py, PyDict>> {
        let (found, asked_for) = (PyDict::new(self.py), PySet::empty(self.py)?);
        for (aliases, list) in &model.members {
            for alias in aliases {
                asked_for.add(self.text(*alias))?;
                if let Some(value) = self.value(*alias, *list)? {
                    found.set_item(self.text(*alias), value)?;
                    // Other aliases may be names for somebody else.
                    break;
                }
            }
        }
        self.add_others(&found, &asked_for)?;
        Ok(found)
    }

    /// Adds what nobody has asked for: `_get_multidict_extras`.
    fn add_others(&self, found: &Bound<'py, PyDict>, asked_for: &Bound<'py, PySet>) -> PyResult<()> {
        let others = PyDict::new(self.py);
        for item in self.form.items.bind(self.py) {
            let (name, value) = pair(&item)?;
            if asked_for.contains(&name)? {
                continue;
            }
            match others.get_item(&name)? {
                Some(values) => values.cast::<PyList>()?.append(value)?,
                None => others.set_item(name, PyList::new(self.py, [value])?)?,
            }
        }
        for (name, values) in others {
            let values = values.cast_into::<PyList>()?;
            let value = if values.len() == 1 { values.get_item(0)? } else { values.into_any() };
            found.set_item(name, value)?;
        }
        Ok(())
    }
}

/// A name and its value.
fn pair<'py>(item: &Bound<'py, PyAny>) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyAny>)> {
    let item = item.cast::<PyTuple>()?;
    Ok((item.get_item(0)?, item.get_item(1)?))
}

/// Whether it is what browsers send where no file was chosen.
fn is_no_file(file: &Bound<'_, PyAny>) -> PyResult<bool> {
    let py = file.py();
    Ok(file.getattr(intern!(py, "filename"))?.eq("")? && file.getattr(intern!(py, "size"))?.eq(0)?)
}
