//! Reading the messages that an application sends.

use andon_wire::{WireError, head::put_field};
use pyo3::{
    exceptions::{PyRuntimeError, PyTypeError, PyValueError},
    intern,
    prelude::*,
    pybacked::PyBackedBytes,
    types::{PyByteArray, PyBytes, PyDict, PyList, PyMemoryView, PyString, PyTuple},
};

/// The `type` of a message.
pub(crate) fn kind<'py>(message: &Bound<'py, PyDict>) -> PyResult<Bound<'py, PyString>> {
    let kind = message.get_item(intern!(message.py(), "type"))?;
    let kind = kind.ok_or_else(|| PyRuntimeError::new_err("ASGI message has no 'type'"))?;
    Ok(kind.cast_into()?)
}

/// A key that may be left out.
pub(crate) fn optional<'py>(
    message: &Bound<'py, PyDict>,
    key: &Bound<'py, PyString>,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    Ok(message.get_item(key)?.filter(|value| !value.is_none()))
}

/// `more_body` and the like: a truth value, by default false.
pub(crate) fn flag<'py>(message: &Bound<'py, PyDict>, key: &Bound<'py, PyString>) -> PyResult<bool> {
    optional(message, key)?.map_or(Ok(false), |value| value.is_truthy())
}

/// Bytes of a message; a memoryview is copied.
pub(crate) fn bytes(value: &Bound<'_, PyAny>) -> PyResult<PyBackedBytes> {
    if let Ok(bytes) = value.cast::<PyBytes>() {
        return Ok(bytes.clone().into());
    }
    if let Ok(bytes) = value.cast::<PyByteArray>() {
        return Ok(bytes.clone().into());
    }
    if value.is_instance_of::<PyMemoryView>() {
        let copy = value.call_method0(intern!(value.py(), "tobytes"))?;
        return Ok(copy.cast_into::<PyBytes>()?.into());
    }
    Err(PyTypeError::new_err(format!("expected bytes, got {}", value.get_type().qualname()?)))
}

/// `body`, by default empty.
pub(crate) fn body(message: &Bound<'_, PyDict>) -> PyResult<PyBackedBytes> {
    let py = message.py();
    match message.get_item(intern!(py, "body"))? {
        Some(value) => bytes(&value),
        None => Ok(PyBytes::new(py, b"").into()),
    }
}

/// What the wire refuses of a head, as the application's error.
pub(crate) fn refused(error: WireError) -> PyErr {
    PyValueError::new_err(format!("response head cannot be sent: {error}"))
}

/// A status as the wire has it.
pub(crate) fn status_of(status: &Bound<'_, PyAny>) -> PyResult<u16> {
    checked_status(status.extract()?)
}

/// `ValueError` for what is no status.
pub(crate) fn checked_status(status: u16) -> PyResult<u16> {
    if (100..=999).contains(&status) {
        return Ok(status);
    }
    Err(PyValueError::new_err(format!("invalid status code {status}")))
}

/// Name and value of a header field.
pub(crate) type Field = (Vec<u8>, Vec<u8>);

/// The header fields of a message.
pub(crate) fn fields_of(headers: &Bound<'_, PyAny>) -> PyResult<Vec<Field>> {
    let own = |field: Bound<'_, PyAny>| {
        let (name, value) = pair(&field)?;
        PyResult::Ok((field_bytes(&name)?.to_vec(), field_bytes(&value)?.to_vec()))
    };
    headers.try_iter()?.map(|field| own(field?)).collect()
}

/// Encodes a response head of `status` with the message's `headers`, after those of `first`.
pub(crate) fn response_head(
    status: u16,
    first: &[(&[u8], &[u8])],
    headers: Option<&Bound<'_, PyAny>>,
) -> PyResult<Vec<u8>> {
    let mut head = Vec::with_capacity(256);
    head.extend_from_slice(&status.to_le_bytes());
    head.extend_from_slice(&[0, 0]);
    let mut count = 0;
    for (name, value) in first {
        put_field(&mut head, name, value).map_err(refused)?;
        count += 1;
    }
    let mut put = |field: Bound<'_, PyAny>| -> PyResult<()> {
        count += 1;
        let (name, value) = pair(&field)?;
        put_field(&mut head, &field_bytes(&name)?, &field_bytes(&value)?).map_err(refused)
    };
    if let Some(headers) = headers {
        if let Ok(list) = headers.cast::<PyList>() {
            list.iter().try_for_each(&mut put)?;
        } else {
            for field in headers.try_iter()? {
                put(field?)?;
            }
        }
    }
    if count > andon_wire::head::MAX_FIELDS {
        return Err(refused(WireError::Invalid("number of header fields")));
    }
    head[2..4].copy_from_slice(&(count as u16).to_le_bytes());
    if head.len() > andon_wire::MAX_PAYLOAD / 2 {
        return Err(refused(WireError::TooLarge(head.len())));
    }
    Ok(head)
}

fn pair<'py>(field: &Bound<'py, PyAny>) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyAny>)> {
    if let Ok(tuple) = field.cast::<PyTuple>()
        && tuple.len() == 2
    {
        return Ok((tuple.get_item(0)?, tuple.get_item(1)?));
    }
    field.extract()
}

fn field_bytes(value: &Bound<'_, PyAny>) -> PyResult<PyBackedBytes> {
    bytes(value).map_err(|_| PyTypeError::new_err("header names and values must be bytes"))
}
