//! What must be unchanged for a plan to count: checked for each request, before anything else.
//!
//! An application may add a route, override a dependency or set up telemetry at any time. The inspection names the
//! objects in which that would be seen: of the whole application, and of single routes.

use pyo3::{
    exceptions::PyValueError,
    prelude::*,
    types::{PyDict, PyInt, PyList, PyString, PyTuple},
};

/// One thing that must be as it was.
enum Guard {
    /// Under this key the dictionary has this very object.
    Member { dictionary: Py<PyDict>, key: Py<PyAny>, expected: Py<PyAny> },
    /// Under this key the dictionary has this number.
    Number { dictionary: Py<PyDict>, key: Py<PyAny>, expected: i64 },
    /// At this place the list has this very object.
    Item { list: Py<PyList>, index: usize, expected: Py<PyAny> },
    /// The attribute of this name is this very object.
    Attribute { object: Py<PyAny>, name: Py<PyString>, expected: Py<PyAny> },
    /// The object holds so many.
    Length { sized: Py<PyAny>, expected: usize },
}

/// All that must be as it was.
#[derive(Default)]
pub(crate) struct Guards(Box<[Guard]>);

impl Guards {
    /// From tuples `(dictionary, key, expected)`, `(list, index, expected)`, `(object, attribute, expected)` and
    /// `(sized, length)`.
    pub(crate) fn new<'a, 'py: 'a>(guards: impl Iterator<Item = &'a Bound<'py, PyTuple>>) -> PyResult<Self> {
        guards.map(guard).collect::<PyResult<_>>().map(Self)
    }

    /// From a list of them.
    pub(crate) fn of_list(guards: &Bound<'_, PyAny>) -> PyResult<Self> {
        Self::new(guards.extract::<Vec<_>>()?.iter())
    }

    /// Whether everything is as it was.
    pub(crate) fn hold(&self, py: Python<'_>) -> bool {
        self.0.iter().all(|guard| guard.holds(py).unwrap_or(false))
    }
}

fn guard(described: &Bound<'_, PyTuple>) -> PyResult<Guard> {
    match described.len() {
        2 => Ok(Guard::Length { sized: described.get_item(0)?.unbind(), expected: described.get_item(1)?.extract()? }),
        3 => guard_of(described.get_item(0)?, described.get_item(1)?, described.get_item(2)?),
        _ => Err(PyValueError::new_err("a guard is of two or three")),
    }
}

fn guard_of<'py>(within: Bound<'py, PyAny>, key: Bound<'py, PyAny>, expected: Bound<'py, PyAny>) -> PyResult<Guard> {
    if let Ok(dictionary) = within.cast::<PyDict>() {
        let (dictionary, key) = (dictionary.clone().unbind(), key.unbind());
        return Ok(match expected.cast_exact::<PyInt>() {
            Ok(number) => Guard::Number { dictionary, key, expected: number.extract()? },
            Err(_) => Guard::Member { dictionary, key, expected: expected.unbind() },
        });
    }
    let expected = expected.unbind();
    if let Ok(list) = within.cast::<PyList>() {
        return Ok(Guard::Item { list: list.clone().unbind(), index: key.extract()?, expected });
    }
    Ok(Guard::Attribute { object: within.unbind(), name: key.cast_into()?.unbind(), expected })
}

impl Guard {
    fn holds(&self, py: Python<'_>) -> PyResult<bool> {
        Ok(match self {
            Guard::Member { dictionary, key, expected } => {
                dictionary.bind(py).get_item(key)?.is_some_and(|found| found.is(expected))
            }
            Guard::Number { dictionary, key, expected } => dictionary
                .bind(py)
                .get_item(key)?
                .is_some_and(|found| found.extract().is_ok_and(|found: i64| found == *expected)),
            Guard::Item { list, index, expected } => list.bind(py).get_item(*index)?.is(expected),
            Guard::Attribute { object, name, expected } => object.bind(py).getattr(name)?.is(expected),
            Guard::Length { sized, expected } => sized.bind(py).len()? == *expected,
        })
    }
}
