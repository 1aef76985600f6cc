//! Against `json.dumps` of the interpreter that the tests are linked with.

use proptest::prelude::*;
use pyo3::{
    prelude::*,
    types::{PyDict, PyFloat, PyInt, PyList, PyString, PyTuple},
};

use super::{DEPTH, put_json, put_json_item};

/// What Python can make a value of.
#[derive(Debug, Clone)]
enum Value {
    Nothing,
    Truth(bool),
    Integer(i128),
    Float(f64),
    Text(String),
    List(Vec<Value>),
    Tuple(Vec<Value>),
    Object(Vec<(String, Value)>),
}

impl Value {
    fn to_python<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let all = |values: &[Value]| values.iter().map(|value| value.to_python(py)).collect::<PyResult<Vec<_>>>();
        Ok(match self {
            Value::Nothing => py.None().into_bound(py),
            Value::Truth(truth) => truth.into_pyobject(py)?.to_owned().into_any(),
            // Through text, for there are whole numbers of more than 64 bits among them.
            Value::Integer(number) => py.get_type::<PyInt>().call1((number.to_string(),))?,
            Value::Float(number) => PyFloat::new(py, *number).into_any(),
            Value::Text(text) => PyString::new(py, text).into_any(),
            Value::List(values) => PyList::new(py, all(values)?)?.into_any(),
            Value::Tuple(values) => PyTuple::new(py, all(values)?)?.into_any(),
            Value::Object(members) => {
                let object = PyDict::new(py);
                members.iter().try_for_each(|(name, value)| object.set_item(name, value.to_python(py)?))?;
                object.into_any()
            }
        })
    }
}

/// With the floats whose digits Python chooses, and text with what JSON and UTF-16 have rules for.
fn values() -> impl Strategy<Value = Value> {
    let text = || proptest::string::string_regex("[\\x00-\\x7f\u{80}-\u{10ffff}]{0,8}").expect("it is one");
    let single = prop_oneof![
        Just(Value::Nothing),
        any::<bool>().prop_map(Value::Truth),
        any::<i128>().prop_map(Value::Integer),
        any::<i64>().prop_map(|number| Value::Integer(number.into())),
        (-10_i64..10).prop_map(|number| Value::Float(number as f64)),
        any::<f64>().prop_map(Value::Float),
        text().prop_map(Value::Text),
    ];
    single.prop_recursive(4, 32, 5, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::List),
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::Tuple),
            prop::collection::vec((text(), inner), 0..5).prop_map(Value::Object),
        ]
    })
}

/// What `json.dumps` writes with these options; `None`: it raises.
fn dumped(value: &Bound<'_, PyAny>, compact: bool) -> Option<Vec<u8>> {
    let py = value.py();
    let options = PyDict::new(py);
    options.set_item("allow_nan", false).ok()?;
    if compact {
        options.set_item("ensure_ascii", false).ok()?;
        options.set_item("separators", (",", ":")).ok()?;
    }
    let text = py.import("json").ok()?.call_method("dumps", (value,), Some(&options)).ok()?;
    Some(text.extract::<String>().ok()?.into_bytes())
}

fn answer(value: &Bound<'_, PyAny>) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    put_json(&mut out, value).is_ok().then_some(out)
}

fn item(value: &Bound<'_, PyAny>) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    put_json_item(&mut out, value).is_ok().then_some(out)
}

fn evaluated<'py>(py: Python<'py>, expression: &str) -> Bound<'py, PyAny> {
    let expression = std::ffi::CString::new(expression).expect("it has no zero");
    py.eval(&expression, None, None).expect("it can be evaluated")
}

proptest! {
    #[test]
    fn an_answer_is_written_as_python_writes_it(value in values()) {
        Python::attach(|py| {
            let value = value.to_python(py).expect("all of it can be made");
            prop_assert_eq!(answer(&value), dumped(&value, true));
            Ok(())
        })?;
    }

    #[test]
    fn an_item_is_written_as_python_writes_it(value in values()) {
        Python::attach(|py| {
            let value = value.to_python(py).expect("all of it can be made");
            // What is not finite is null in an item, and an error for `json.dumps`.
            if let Some(expected) = dumped(&value, false) {
                prop_assert_eq!(item(&value), Some(expected));
            }
            Ok(())
        })?;
    }
}

#[test]
fn what_is_not_exactly_builtin_is_left_to_python() {
    Python::attach(|py| {
        for expression in ["type('Text', (str,), {})('a')", "{1: 2}", "{None: 2}", "{1, 2}", "b''", "'\\ud800'", "1j"] {
            let value = evaluated(py, expression);
            assert_eq!(answer(&value), None, "{expression}");
            assert_eq!(item(&value), None, "{expression}");
        }
    });
}

#[test]
fn what_is_not_finite_is_null_in_an_item_alone() {
    Python::attach(|py| {
        let value = evaluated(py, "[float('nan'), float('-inf')]");
        assert_eq!(answer(&value), None);
        assert_eq!(item(&value).as_deref(), Some(&b"[null, null]"[..]));
    });
}

#[test]
fn members_of_sqlalchemy_are_left_out() {
    Python::attach(|py| {
        let value = evaluated(py, "{'_sa_first': object(), 'a': 1, '_sa_last': 2, '_s': 3}");
        assert_eq!(answer(&value).as_deref(), Some(&br#"{"a":1,"_s":3}"#[..]));
    });
}

#[test]
fn what_is_nested_too_deep_is_left_to_python() {
    Python::attach(|py| {
        let nested = |depth: usize| evaluated(py, &format!("{}{}", "[".repeat(depth), "]".repeat(depth)));
        assert!(answer(&nested(DEPTH)).is_some());
        assert!(answer(&nested(DEPTH + 1)).is_none());
    });
}
