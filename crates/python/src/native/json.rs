//! Writes what an endpoint returned as JSON, byte for byte as FastAPI and Starlette do it:
//! `json.dumps(jsonable_encoder(value), ensure_ascii=False, allow_nan=False, separators=(",", ":"))` in UTF-8; an item of
//! a stream is `json.dumps(_normalize_non_finite_floats(jsonable_encoder(item)))`.
//!
//! Only objects of exactly the builtin types are understood. For anything else, and for what `json.dumps` would refuse,
//! the answer is "not understood", and Python does it, with its own errors. No code of Python runs meanwhile.

use pyo3::{
    prelude::*,
    types::{PyBool, PyDict, PyFloat, PyInt, PyList, PyString, PyTuple},
};

#[cfg(test)]
mod tests;

/// Nested deeper than this, Python does it: it has a limit of its own.
const DEPTH: usize = 100;

/// Floats below this that are whole have all their digits written. From 1e16 on, `repr` has an exponent.
const WHOLE_BELOW: f64 = 1e15;

const DIGITS: &[u8; 16] = b"0123456789abcdef";

/// The value is for Python to encode.
pub(crate) struct NotUnderstood;

/// The two ways in which FastAPI writes JSON.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Style {
    /// A whole answer: nothing between the parts, UTF-8.
    Answer,
    /// An item of a stream: spaces after commas and colons, ASCII, and floats that are not finite are null.
    Item,
}

impl Style {
    fn comma(self) -> &'static [u8] {
        if self == Style::Item { b", " } else { b"," }
    }

    fn colon(self) -> &'static [u8] {
        if self == Style::Item { b": " } else { b":" }
    }
}

/// Appends `value` to `out` as a whole answer, or leaves there a part of it.
pub(crate) fn put_json(out: &mut Vec<u8>, value: &Bound<'_, PyAny>) -> Result<(), NotUnderstood> {
    put(out, value, DEPTH, Style::Answer)
}

/// Appends `item` to `out` as an item of a stream, or leaves there a part of it.
pub(crate) fn put_json_item(out: &mut Vec<u8>, item: &Bound<'_, PyAny>) -> Result<(), NotUnderstood> {
    put(out, item, DEPTH, Style::Item)
}

fn put(out: &mut Vec<u8>, value: &Bound<'_, PyAny>, depth: usize, style: Style) -> Result<(), NotUnderstood> {
    if let Ok(text) = value.cast_exact::<PyString>() {
        return put_string(out, text, style);
    }
    if let Ok(number) = value.cast_exact::<PyInt>() {
        return put_integer(out, number);
    }
    if let Ok(number) = value.cast_exact::<PyFloat>() {
        return put_float(out, number, style);
    }
    if value.is_none() {
        out.extend_from_slice(b"null");
        return Ok(());
    }
    if let Ok(truth) = value.cast_exact::<PyBool>() {
        out.extend_from_slice(if truth.is_true() { b"true" } else { b"false" });
        return Ok(());
    }
    put_container(out, value, depth.checked_sub(1).ok_or(NotUnderstood)?, style)
}

fn put_container(out: &mut Vec<u8>, value: &Bound<'_, PyAny>, depth: usize, style: Style) -> Result<(), NotUnderstood> {
    if let Ok(members) = value.cast_exact::<PyDict>() {
        return put_object(out, members, depth, style);
    }
    if let Ok(list) = value.cast_exact::<PyList>() {
        return put_array(out, list.iter(), depth, style);
    }
    if let Ok(tuple) = value.cast_exact::<PyTuple>() {
        return put_array(out, tuple.iter(), depth, style);
    }
    Err(NotUnderstood)
}

fn put_object(out: &mut Vec<u8>, members: &Bound<'_, PyDict>, depth: usize, style: Style) -> Result<(), NotUnderstood> {
    out.push(b'{');
    let mut first = true;
    for (name, value) in members {
        let name = name.cast_exact::<PyString>().map_err(|_| NotUnderstood)?;
        // What SQLAlchemy keeps in its objects: `jsonable_encoder` leaves it out.
        if name.to_str().map_err(|_| NotUnderstood)?.starts_with("_sa") {
            continue;
        }
        if !first {
            out.extend_from_slice(style.comma());
        }
        first = false;
        put_string(out, name, style)?;
        out.extend_from_slice(style.colon());
        put(out, &value, depth, style)?;
    }
    out.push(b'}');
    Ok(())
}

fn put_array<'py>(
    out: &mut Vec<u8>,
    items: impl Iterator<Item = Bound<'py, PyAny>>,
    depth: usize,
    style: Style,
) -> Result<(), NotUnderstood> {
    out.push(b'[');
    for (position, item) in items.enumerate() {
        if position > 0 {
            out.extend_from_slice(style.comma());
        }
        put(out, &item, depth, style)?;
    }
    out.push(b']');
    Ok(())
}

fn put_string(out: &mut Vec<u8>, text: &Bound<'_, PyString>, style: Style) -> Result<(), NotUnderstood> {
    // Lone surrogates have no UTF-8.
    let text = text.to_str().map_err(|_| NotUnderstood)?;
    match style {
        Style::Answer => put_text(out, text),
        Style::Item => put_ascii_text(out, text),
    }
    Ok(())
}

/// Likewise, and everything that is not printable ASCII is escaped as the units of UTF-16.
fn put_ascii_text(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    for character in text.chars() {
        match character {
            '"' | '\\' | '\0'..'\x20' => put_escape(out, character as u8),
            ' '..='~' => out.push(character as u8),
            _ => {
                for unit in character.encode_utf16(&mut [0; 2]) {
                    put_unit(out, *unit);
                }
            }
        }
    }
    out.push(b'"');
}

fn put_unit(out: &mut Vec<u8>, unit: u16) {
    let [high, low] = unit.to_be_bytes();
    let digit = |value: u8| DIGITS[usize::from(value & 15)];
    out.extend_from_slice(&[b'\\', b'u', digit(high >> 4), digit(high), digit(low >> 4), digit(low)]);
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
    let short = match byte {
        b'"' => b'"',
        b'\\' => b'\\',
        b'\n' => b'n',
        b'\r' => b'r',
        b'\t' => b't',
        0x0c => b'f',
        0x08 => b'b',
        _ => {
            put_unit(out, u16::from(byte));
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
fn put_float(out: &mut Vec<u8>, number: &Bound<'_, PyFloat>, style: Style) -> Result<(), NotUnderstood> {
    let value = number.value();
    if !value.is_finite() {
        let null = style == Style::Item;
        out.extend_from_slice(if null { b"null" } else { b"" });
        return if null { Ok(()) } else { Err(NotUnderstood) };
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
