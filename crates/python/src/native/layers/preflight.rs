//! What `CORSMiddleware` answers a browser that asks what is allowed (`CORSMiddleware.preflight_response`).

use pyo3::{
    intern,
    prelude::*,
    types::{PyDict, PyString},
};

use super::{
    Met, Noted,
    around::{Asked, Seen},
    cors::{allows, text},
    whole::{Whole, latin_1},
};
use crate::message::Field;

/// Header fields by their names as the middleware writes them.
type Headers = Vec<(String, Vec<u8>)>;

pub(super) fn meet(live: &Bound<'_, PyAny>, asked: &Asked<'_>, seen: &Seen<'_>) -> PyResult<Met> {
    let (Some(origin), Some(method), "OPTIONS") = (seen.origin, seen.asks_method, asked.method) else {
        return Ok(Met::Passed(Noted::Nothing));
    };
    if seen.asks_headers.is_some_and(|names| !names.iter().all(|byte| matches!(byte, b' '..=b'~'))) {
        return Ok(Met::Unsure);
    }
    let Some(mut headers) = fixed_headers(live)? else {
        return Ok(Met::Unsure);
    };
    let failures = failures(live, (origin, method), seen, &mut headers)?;
    let fields: Vec<Field> =
        headers.into_iter().map(|(name, value)| (name.to_lowercase().into_bytes(), value)).collect();
    Ok(Met::Refused(match failures.is_empty() {
        true => Whole::text(200, fields, "OK"),
        false => Whole::text(400, fields, &format!("Disallowed CORS {}", failures.join(", "))),
    }))
}

/// What all such answers have; `None`: somebody has put something unusual there.
fn fixed_headers(live: &Bound<'_, PyAny>) -> PyResult<Option<Headers>> {
    let fixed = live.getattr(intern!(live.py(), "preflight_headers"))?;
    let mut headers = Headers::new();
    for (name, value) in fixed.cast::<PyDict>()? {
        let name = name.cast::<PyString>()?.to_str()?.to_owned();
        if !name.is_ascii() || name.to_ascii_lowercase().starts_with("content-") {
            return Ok(None);
        }
        headers.push((name, latin_1(&value)?));
    }
    Ok(Some(headers))
}

/// What is not allowed, in words. What is, is put to the header fields.
fn failures(
    live: &Bound<'_, PyAny>,
    (origin, method): (&[u8], &[u8]),
    seen: &Seen<'_>,
    headers: &mut Headers,
) -> PyResult<Vec<&'static str>> {
    let py = live.py();
    let is_set = |name| live.getattr(name).and_then(|value| value.is_truthy());
    let mut failures = Vec::new();
    if !allows(live, origin)? {
        failures.push("origin");
    } else if is_set(intern!(py, "preflight_explicit_allow_origin"))? {
        put(headers, "Access-Control-Allow-Origin", origin);
    }
    if !live.getattr(intern!(py, "allow_methods"))?.contains(text(method))? {
        failures.push("method");
    }
    if let Some(names) = seen.asks_headers {
        if is_set(intern!(py, "allow_all_headers"))? {
            put(headers, "Access-Control-Allow-Headers", names);
        } else if !are_allowed(&live.getattr(intern!(py, "allow_headers"))?, names)? {
            failures.push("headers");
        }
    }
    if seen.asks_private_network {
        if is_set(intern!(py, "allow_private_network"))? {
            put(headers, "Access-Control-Allow-Private-Network", b"true");
        } else {
            failures.push("private-network");
        }
    }
    Ok(failures)
}

fn are_allowed(allowed: &Bound<'_, PyAny>, names: &[u8]) -> PyResult<bool> {
    for name in text(names).to_ascii_lowercase().split(',') {
        if !allowed.contains(name.trim_matches(' '))? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// As a dictionary: in the place of the one of this name, or as the last.
fn put(headers: &mut Headers, name: &str, value: &[u8]) {
    match headers.iter_mut().find(|(known, _)| known == name) {
        Some((_, known)) => *known = value.to_vec(),
        None => headers.push((name.to_owned(), value.to_vec())),
    }
}
