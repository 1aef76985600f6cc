//! Whether FastAPI takes a body for JSON. Asked by the executor for each request with a body.
//!
//! The rule is in `fastapi.routing.get_request_handler`: `application/json` or `application/…+json` by
//! `email.message.Message`, which drops parameters and case and takes anything without exactly one slash for
//! `text/plain`.

/// What a body is taken for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyKind {
    /// JSON.
    Json,
    /// Bytes that the parameter's validator gets as they are.
    Bytes,
    /// Python must say: the field holds more than printable ASCII.
    Unsure,
}

/// What a body is taken for that has this content type, of several fields the first. `strict`: without one, it is bytes.
pub fn body_kind(content_type: Option<&[u8]>, strict: bool) -> BodyKind {
    let json = match content_type {
        None | Some(b"") => !strict,
        // By far the most common.
        Some(b"application/json") => true,
        Some(field) if field.iter().all(|byte| matches!(byte, b'\t' | b' '..=b'~')) => is_json(field),
        Some(_) => return BodyKind::Unsure,
    };
    if json { BodyKind::Json } else { BodyKind::Bytes }
}

fn is_json(field: &[u8]) -> bool {
    let essence = field.split(|byte| *byte == b';').next().unwrap_or_default();
    let essence = essence.trim_ascii().to_ascii_lowercase();
    let mut parts = essence.split(|byte| *byte == b'/');
    let (kind, subtype, more) = (parts.next(), parts.next(), parts.next());
    let is_json = |subtype: &[u8]| subtype == b"json" || subtype.ends_with(b"+json");
    kind == Some(b"application") && subtype.is_some_and(is_json) && more.is_none()
}
