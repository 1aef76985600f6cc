//! What `CORSMiddleware` does to the head of an answer (`starlette.middleware.cors`).

use pyo3::{intern, prelude::*, types::PyDict};

use super::whole::{Whole, latin_1};

/// As `CORSMiddleware.send` does it. `origin`: the first `Origin` of the request.
pub(super) fn edit(live: &Bound<'_, PyAny>, origin: Option<&[u8]>, whole: &mut Whole) -> PyResult<()> {
    let py = live.py();
    // It writes into a copy.
    whole.kept = None;
    if let Some(origin) = origin {
        let simple = live.getattr(intern!(py, "simple_headers"))?;
        for (name, value) in simple.cast::<PyDict>()? {
            let name = latin_1(&name)?.to_ascii_lowercase();
            whole.set(&name, latin_1(&value)?);
        }
        if names(live, origin)? {
            whole.set(b"access-control-allow-origin", origin.to_vec());
        }
    }
    whole.add_vary(b"Origin");
    Ok(())
}

/// Whether the answer names the origin of the request.
fn names(live: &Bound<'_, PyAny>, origin: &[u8]) -> PyResult<bool> {
    let py = live.py();
    if live.getattr(intern!(py, "allow_all_origins"))?.is_truthy()? {
        return live.getattr(intern!(py, "allow_credentials"))?.is_truthy();
    }
    allows(live, origin)
}

pub(super) fn allows(live: &Bound<'_, PyAny>, origin: &[u8]) -> PyResult<bool> {
    live.call_method1(intern!(live.py(), "is_allowed_origin"), (text(origin),))?.is_truthy()
}

/// The value of a header field as applications see it.
pub(super) fn text(value: &[u8]) -> String {
    value.iter().map(|byte| char::from(*byte)).collect()
}
