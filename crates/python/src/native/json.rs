//! Writes what an endpoint returned as JSON, byte for byte as FastAPI and Starlette do it:
//! `json.dumps(jsonable_encoder(value), ensure_ascii=False, allow_nan=False, separators=(",", ":"))` in UTF-8.
//!
//! Only objects of exactly the builtin types are understood. For anything else, and for what `json.dumps` would refuse,
//! the answer is "not understood", and Python does it, with its own errors. No code of Python runs meanwhile.

use pyo3::{
    prelude::*,
    types::{PyBool, PyDict, PyFloat, PyInt, PyList, PyString, PyTuple},
};

/// Nested deeper than this, Python does it: it has a limit of its own.
const DEPTH: usize = 100;

/// Floats below this that are whole have all their digits written. From 1e16 on, `repr` has an exponent.
const WHOLE_BELOW: f64 = 1e15;

/// The value is for Python to encode.
pub(crate) struct NotUnderstood;

/// Appends `value` to `out`, or leaves there a part of it.
pub(crate) fn put_json(out: &mut Vec<u8>, value: &Bound<'_, PyAny>) -> Result<(), NotUnderstood> {
    put(out, value, DEPTH)
}

fn put(out: &mut Vec<u8>, value: &Bound<'_, PyAny>, depth: usize) -> Result<(), NotUnderstood> {
    if let Ok(text) = value.cast_exact::<PyString>() {
        return put_string(out, text);
    }
    if let Ok(number) = value.cast_exact::<PyInt>() {
        return put_integer(out, number);
    }
    if let Ok(number) = value.cast_exact::<PyFloat>() {
        return put_float(out, number);
    }
    if value.is_none() {
        out.extend_from_slice(b"null");
        return Ok(());
    }
    if let Ok(truth) = value.cast_exact::<PyBool>() {
        out.extend_from_slice(if truth.is_true() { b"true" } else { b"false" });
        return Ok(());
    }
    put_container(out, value, depth.checked_sub(1).ok_or(NotUnderstood)?)
}

fn put_container(out: &mut Vec<u8>, value: &Bound<'_, PyAny>, depth: usize) -> Result<(), NotUnderstood> {
    if let Ok(members) = value.cast_exact::<PyDict>() {
        return put_object(out, members, depth);
    }
    if let Ok(list) = value.cast_exact::<PyList>() {
        return put_array(out, list.iter(), depth);
    }
    if let Ok(tuple) = value.cast_exact::<PyTuple>() {
        return put_array(out, tuple.iter(), depth);
    }
    Err(NotUnderstood)
}

fn put_object(out: &mut Vec<u8>, members: &Bound<'_, PyDict>, depth: usize) -> Result<(), NotUnderstood> {
    out.push(b'{');
    let mut first = true;
    for (name, value) in members {
        let name = name.cast_exact::<PyString>().map_err(|_| NotUnderstood)?;
        // What SQLAlchemy keeps in its objects: `jsonable_encoder` leaves it out.
        if name.to_str().map_err(|_| NotUnderstood)?.starts_with("_sa") {
            continue;
        }
        if !first {
            out.push(b',');
        }
        first = false;
        put_string(out, name)?;
        out.push(b':');
        put(out, &value, depth)?;
    }
    out.push(b'}');
    Ok(())
}

fn put_array<'py>(
    out: &mut Vec<u8>,
    items: impl Iterator<Item = Bound<'py, PyAny>>,
    depth: usize,
) -> Result<(), NotUnderstood> {
    out.push(b'[');
    for (position, item) in items.enumerate() {
        if position > 0 {
            out.push(b',');
        }
        put(out, &item, depth)?;
    }
    out.push(b']');
    Ok(())
}

fn put_string(out: &mut Vec<u8>, text: &Bound<'_, PyString>) -> Result<(), NotUnderstood> {
    // Lone surrogates have no UTF-8.
    put_text(out, text.to_str().map_err(|_| NotUnderstood)?);
    Ok(())
}

/// Appends `text` in quotes: `"`, `\` and control characters below 0x20 are escaped, and nothing else.
pub(crate) fn put_text(out: &mut Vec<u8>, text: &str) {
    let bytes = text.as_bytes();
    out.reserve(bytes.len() + 2);
    out.push(b'"');
    let mut start = 0;
    for (position, &byte) in bytes.iter().enumerate() {
        if byte >= 0x20 && byte != b'"' && byte != b'\\' {
            continue;
        }
        out.extend_from_slice(&bytes[start..position]);
        start = position + 1;
        put_escape(out, byte);
    }
    out.extend_from_slice(&bytes[start..]);
    out.push(b'"');
}

fn put_escape(out: &mut Vec<u8>, byte: u8) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let short = match byte {
        b'"' => b'"',
        b'\\' => b'\\',
        b'\n' => b'n',
        b'\r' => b'r',
        b'\t' => b't',
        0x0c => b'f',
        0x08 => b'b',
        _ => {
            out.extend_from_slice(b"\\u00");
            out.extend_from_slice(&[DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]);
            return;
        }
    };
    out.extend_from_slice(&[b'\\', short]);
}

fn put_integer(out: &mut Vec<u8>, number: &Bound<'_, PyInt>) -> Result<(), NotUnderstood> {
    if let Ok(number) = number.extract::<i64>() {
        put_i64(out, number);
        return Ok(());
    }
    // Fails above 4300 digits, where `json.dumps` does.
    let text = number.repr().map_err(|_| NotUnderstood)?;
    out.extend_from_slice(text.to_str().map_err(|_| NotUnderstood)?.as_bytes());
    Ok(())
}

fn put_i64(out: &mut Vec<u8>, number: i64) {
    let mut digits = [0; 20];
    let mut start = digits.len();
    let mut rest = number.unsigned_abs();
    loop {
        start -= 1;
        digits[start] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    if number < 0 {
        out.push(b'-');
    }
    out.extend_from_slice(&digits[start..]);
}

/// Appends a number as Python's `repr` has it. Python's digits are not always those that Rust would choose, both being
/// the shortest that give the same number; so Python is asked, but for whole numbers.
fn put_float(out: &mut Vec<u8>, number: &Bound<'_, PyFloat>) -> Result<(), NotUnderstood> {
    let value = number.value();
    if !value.is_finite() {
        return Err(NotUnderstood);
    }
    if value.fract() == 0.0 && value.abs() < WHOLE_BELOW && value != 0.0 {
        put_i64(out, value as i64);
        out.extend_from_slice(b".0");
        return Ok(());
    }
    let text = number.repr().map_err(|_| NotUnderstood)?;
    out.extend_from_slice(text.to_str().map_err(|_| NotUnderstood)?.as_bytes());
    Ok(())
}
