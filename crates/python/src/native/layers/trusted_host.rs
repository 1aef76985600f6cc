//! Which hosts `TrustedHostMiddleware` lets through (`starlette.middleware.trustedhost`).

use andon_plan::{PlainHost, plain_url};
use pyo3::{intern, prelude::*, types::PyString};

use super::{
    Met, Noted,
    around::{Asked, Seen},
    whole::Whole,
};

const PASSED: Met = Met::Passed(Noted::Nothing);

pub(super) fn meet(live: &Bound<'_, PyAny>, asked: &Asked<'_>, seen: &Seen<'_>) -> PyResult<Met> {
    let py = live.py();
    if live.getattr(intern!(py, "allow_any"))?.is_truthy()? {
        return Ok(PASSED);
    }
    let Some(host) = seen.host.and_then(PlainHost::parse) else {
        return Ok(Met::Unsure);
    };
    let mut with_www = false;
    for pattern in live.getattr(intern!(py, "allowed_hosts"))?.try_iter()? {
        let pattern = pattern?;
        let pattern = pattern.cast::<PyString>()?.to_str()?;
        if host.name == pattern || pattern.strip_prefix('*').is_some_and(|end| host.name.ends_with(end)) {
            return Ok(PASSED);
        }
        with_www |= pattern.strip_prefix("www.") == Some(host.name);
    }
    if !with_www || !live.getattr(intern!(py, "www_redirect"))?.is_truthy()? {
        return Ok(Met::Refused(Whole::text(400, Vec::new(), "Invalid host header")));
    }
    let scheme = if asked.secure { "https" } else { "http" };
    let location = plain_url(scheme, &format!("www.{}", host.whole), asked.path, asked.query);
    Ok(location.map_or(Met::Unsure, |location| Met::Refused(Whole::redirect(location))))
}
