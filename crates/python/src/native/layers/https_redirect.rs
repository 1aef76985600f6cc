//! Where `HTTPSRedirectMiddleware` sends those who come without TLS (`starlette.middleware.httpsredirect`).

use andon_plan::{PlainHost, plain_url};

use super::{
    Met, Noted,
    around::{Asked, Seen},
    whole::Whole,
};

pub(super) fn meet(asked: &Asked<'_>, seen: &Seen<'_>) -> Met {
    if asked.secure {
        return Met::Passed(Noted::Nothing);
    }
    let Some(host) = seen.host.and_then(PlainHost::parse) else {
        return Met::Unsure;
    };
    // Those of HTTP and HTTPS themselves; with any other the port stays.
    let authority = if matches!(host.port(), Some(80 | 443)) { host.name } else { host.whole };
    let location = plain_url("https", authority, asked.path, asked.query);
    location.map_or(Met::Unsure, |location| Met::Refused(Whole::redirect(location)))
}
