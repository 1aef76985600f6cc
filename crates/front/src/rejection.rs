//! The answers that the front gives by itself, as one table.

use std::hash::{BuildHasher, RandomState};

use andon_link::Lost;
use http::{
    HeaderValue, Response, StatusCode, Version,
    header::{CONNECTION, CONTENT_TYPE, RETRY_AFTER, SEC_WEBSOCKET_VERSION, SERVER},
};

use crate::body::AnswerBody;

/// Why a request is not given to, or not answered by, the application.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rejection {
    /// It breaks a rule of HTTP; the text says which.
    Malformed(&'static str),
    /// It is larger than what is allowed.
    BodyTooLarge,
    /// Its target is longer than what is allowed.
    TargetTooLong,
    /// Its head has more fields than are allowed.
    TooManyFields,
    /// Its body took too long.
    BodyTimeout,
    /// Its transfer coding is none that is understood (RFC 9112 section 6.1).
    UnknownTransferCoding,
    /// It asks for a WebSocket of another version than 13 (RFC 6455 section 4.4).
    WebSocketVersion,
    /// The application denied the WebSocket.
    WebSocketDenied,
    /// The application failed before its answer.
    Failed,
    /// The worker died before its answer.
    WorkerDied,
    /// No worker is up.
    Unavailable,
    /// Too many requests wait already.
    Overloaded,
    /// Too many requests of its route run and wait already.
    RouteFull,
    /// No worker was free in time.
    TimedOut,
    /// Its time was over before its answer began.
    DeadlinePassed,
}

impl From<Lost> for Rejection {
    fn from(lost: Lost) -> Self {
        match lost {
            Lost::Unavailable => Rejection::Unavailable,
            Lost::Overloaded => Rejection::Overloaded,
            Lost::RouteFull => Rejection::RouteFull,
            Lost::TimedOut => Rejection::TimedOut,
            Lost::DeadlinePassed => Rejection::DeadlinePassed,
            Lost::WorkerDied => Rejection::WorkerDied,
        }
    }
}

impl Rejection {
    fn status(self) -> StatusCode {
        match self {
            Rejection::Malformed(_) => StatusCode::BAD_REQUEST,
            Rejection::BodyTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Rejection::TargetTooLong => StatusCode::URI_TOO_LONG,
            Rejection::TooManyFields => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            Rejection::BodyTimeout => StatusCode::REQUEST_TIMEOUT,
            Rejection::UnknownTransferCoding => StatusCode::NOT_IMPLEMENTED,
            Rejection::WebSocketVersion => StatusCode::UPGRADE_REQUIRED,
            Rejection::WebSocketDenied => StatusCode::FORBIDDEN,
            Rejection::WorkerDied => StatusCode::BAD_GATEWAY,
            Rejection::DeadlinePassed => StatusCode::GATEWAY_TIMEOUT,
            _ if self.is_temporary() => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn text(self) -> &'static str {
        match self {
            Rejection::Malformed(text) => text,
            Rejection::WebSocketDenied => "",
            Rejection::WebSocketVersion => "only WebSocket version 13 is supported",
            Rejection::Unavailable => "no worker is available",
            Rejection::Overloaded => "too many requests are waiting",
            Rejection::RouteFull => "too many requests of this kind are waiting",
            Rejection::TimedOut => "no worker was free in time",
            Rejection::DeadlinePassed => "the request took too long",
            _ => self.status().canonical_reason().unwrap_or_default(),
        }
    }

    /// Whether the same request may well be answered a little later.
    fn is_temporary(self) -> bool {
        matches!(self, Rejection::Unavailable | Rejection::Overloaded | Rejection::RouteFull | Rejection::TimedOut)
    }

    /// Whether the connection is closed: the request's end was not found, or must not be trusted.
    ///
    /// A failed application also closes it, as under uvicorn; an overloaded server does not, since a new connection
    /// would only cost it more.
    fn closes(self) -> bool {
        let stays_open =
            matches!(self, Rejection::WorkerDied | Rejection::DeadlinePassed | Rejection::WebSocketVersion);
        !stays_open && !self.is_temporary()
    }

    /// Whether the client may go on sending a request of which nothing more will be read.
    pub(crate) fn leaves_unread(self) -> bool {
        self.closes() && self != Rejection::Failed
    }

    /// The answer, for a record and holds to be put into.
    pub(crate) fn answer(self, server_field: bool) -> Response<AnswerBody> {
        let mut answer = Response::new(AnswerBody::whole(self.text().as_bytes().into()));
        *answer.status_mut() = self.status();
        *answer.version_mut() = Version::HTTP_11;
        let fields = answer.headers_mut();
        fields.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
        if server_field {
            fields.insert(SERVER, HeaderValue::from_static("andon"));
        }
        if self.closes() {
            fields.insert(CONNECTION, HeaderValue::from_static("close"));
        }
        if self.is_temporary() {
            fields.insert(RETRY_AFTER, retry_after());
        }
        if self == Rejection::WebSocketVersion {
            // RFC 9110 section 15.5.22: the answer names what to upgrade to.
            fields.insert(http::header::UPGRADE, HeaderValue::from_static("websocket"));
            fields.insert(CONNECTION, HeaderValue::from_static("upgrade"));
            fields.insert(SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
        }
        answer
    }
}

/// One to three seconds, differently for each answer, so that clients who were refused together do not come back
/// together.
fn retry_after() -> HeaderValue {
    // Every `RandomState` has other keys, which is all the randomness that is needed here.
    match RandomState::new().hash_one(()) % 3 {
        0 => HeaderValue::from_static("1"),
        1 => HeaderValue::from_static("2"),
        _ => HeaderValue::from_static("3"),
    }
}
