//! What must be unchanged for a plan to count: checked for each request, before anything else.
//!
//! An application may add a route, override a dependency or set up telemetry at any time. The inspection names the
//! dictionaries in which that would be seen.

use pyo3::{
    exceptions::{PyTypeError, PyValueError},
    prelude::*,
    types::{PyDict, PyInt, PyTuple},
};

/// One thing that must be as it was.
enum Guard {
    /// Under this key the dictionary has this very object.
    Member { dictionary: Py<PyDict>, key: Py<PyAny>, expected: Py<PyAny> },
    /// Under this key the dictionary has this number.
    Number { dictionary: Py<PyDict>, key: Py<PyAny>, expected: i64 },
    /// The object holds so many.
    Length { sized: Py<PyAny>, expected: usize },
}

/// All that must be as it was.
pub(crate) struct Guards(Box<[Guard]>);

impl Guards {
    /// From tuples `(dictionary, key, expected)` and `(sized, length)`.
    pub(crate) fn new(guards: &[Bound<'_, PyTuple>]) -> PyResult<Self> {
        guards.iter().map(guard).collect::<PyResult<_>>().map(Self)
    }

    /// Whether everything is as it was.
    pub(crate) fn hold(&self, py: Python<'_>) -> bool {
        self.0.iter().all(|guard| guard.holds(py).unwrap_or(false))
    }
}

fn guard(described: &Bound<'_, PyTuple>) -> PyResult<Guard> {
    let refused = |_| PyTypeError::new_err("a guard is for a dictionary");
    match described.len() {
        2 => Ok(Guard::Length { sized: described.get_item(0)?.unbind(), expected: described.get_item(1)?.extract()? }),
        3 => {
            let dictionary = described.get_item(0)?.cast_into::<PyDict>().map_err(refused)?.unbind();
            let key = described.get_item(1)?.unbind();
            let expected = described.get_item(2)?;
            Ok(match expected.cast_exact::<PyInt>() {
                Ok(number) => Guard::Number { dictionary, key, expected: number.extract()? },
                Err(_) => Guard::Member { dictionary, key, expected: expected.unbind() },
            })
        }
        _ => Err(PyValueError::new_err("a guard is of two or three")),
    }
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
            Guard::Length { sized, expected } => sized.bind(py).len()? == *expected,
        })
    }
}
