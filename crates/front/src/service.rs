//! From a request to its answer: what hyper calls for each request of a connection.
//!
//! ```text
//!   admit: check ── payload ── inline body ── submit        Admitted: first event ── answer
//!                                 '── or a pump, which may still refuse the request ──'
//! ```
//! Dropping the future that [`answer`] returns drops the exchange, so a client that goes away is told to the worker.

use std::{convert::Infallible, sync::Arc};

use andon_link::Request;
use andon_wire::INLINE_BODY_LIMIT;
use http::{Method, Response, Version, header::EXPECT, request::Parts};
use http_body::Body;
use hyper::body::Incoming;
use tokio::time::Instant;

use crate::{
    admitted::Admitted,
    body::AnswerBody,
    checks,
    connection::Connection,
    record::Record,
    rejection::Rejection,
    request_body::{Pump, read_inline},
    request_head::{Traits, payload},
    terms::Terms,
    watch::Hold,
    websocket,
};

/// Answers a request.
pub(crate) async fn answer(
    connection: Arc<Connection>,
    request: http::Request<Incoming>,
) -> Result<Response<AnswerBody>, Infallible> {
    let hold = connection.watch.hold();
    let started = Instant::now();
    let (mut parts, body) = request.into_parts();
    let admitted = admit(&connection, &mut parts, body, &hold, started).await;
    let is_head = parts.method == Method::HEAD;
    let mut record = Record::new(&connection, parts.method, parts.uri, parts.version, started);
    // The request's map becomes the answer's: its memory is used again, and what it shares of hyper's read buffer is
    // let go of now rather than with the answer.
    let mut fields = parts.headers;
    fields.clear();
    let answer = match admitted {
        Ok(admitted) => admitted.answer(&connection, is_head, fields, &mut record).await,
        Err(rejection) => Err(rejection),
    };
    let mut answer = answer.unwrap_or_else(|rejection| {
        if rejection.leaves_unread() {
            connection.unread.mark();
        }
        rejection.answer(connection.front.settings.server_field)
    });
    if let Some(record) = &mut record {
        record.set_status(answer.status());
    }
    answer.body_mut().keep(record, hold);
    Ok(answer)
}

/// Checks a request and hands it to the workers.
async fn admit(
    connection: &Arc<Connection>,
    parts: &mut Parts,
    mut body: Incoming,
    hold: &Hold,
    arrived: Instant,
) -> Result<Admitted, Rejection> {
    checks::check(parts, &connection.front.settings.limits, |has_length| connection.watch.head_is(has_length))?;
    let handshake = websocket::examine(parts, connection.front.settings.websocket.deflate)?;
    let has_body = !body.is_end_stream();
    let expects_continue = has_body && expects_continue(parts);
    let small = body.size_hint().exact().and_then(|length| usize::try_from(length).ok());
    let small = small.filter(|&length| length <= INLINE_BODY_LIMIT && !expects_continue);
    let traits = Traits { websocket: handshake.is_some(), expects_continue, inline_body: small.unwrap_or_default() };
    // Only counts and lengths can be over what the wire carries.
    let mut payload = payload(parts, connection, traits).map_err(|_| Rejection::TooManyFields)?;
    if small.is_some() && has_body {
        read_inline(&mut body, &connection.watch, &mut payload).await?;
    }
    let workers = &connection.front.workers;
    let route = workers.route(parts.method.as_str(), parts.uri.path(), handshake.is_some());
    let terms = Terms::of(connection, &parts.headers, workers.route_timeout(route), arrived);
    let (timeout, explain) = (terms.time_left(), terms.explain);
    let exchange = workers.submit(Request { payload, body_complete: small.is_some(), route, timeout, explain });
    let pumped = small.is_none().then(|| {
        let connection = Arc::clone(connection);
        Pump { body, sender: exchange.sender(), connection, expects_continue, hold: hold.clone() }.spawn()
    });
    let takes_interim = parts.version == Version::HTTP_11;
    Ok(Admitted { exchange, pumped, handshake, takes_interim, terms, usage: None })
}

/// RFC 9110 section 10.1.1: an HTTP/1.0 client cannot be told to go on.
fn expects_continue(parts: &Parts) -> bool {
    parts.version == Version::HTTP_11
        && parts.headers.get(EXPECT).is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"100-continue"))
}
