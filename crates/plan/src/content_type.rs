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

/// Whether a body is a form that is urlencoded, for Starlette and for everyone: `parse_options_header` of
/// python-multipart takes other spellings for it, too.
pub fn is_urlencoded(content_type: &[u8]) -> bool {
    const ESSENCE: &[u8] = b"application/x-www-form-urlencoded";
    let Some((essence, rest)) = content_type.split_at_checked(ESSENCE.len()) else { return false };
    essence.eq_ignore_ascii_case(ESSENCE) && (rest.is_empty() || is_charset(rest))
}

fn is_charset(rest: &[u8]) -> bool {
    const PARAMETER: &[u8] = b"charset=";
    let rest = rest.strip_prefix(b";").unwrap_or_default().trim_ascii_start();
    let Some((name, value)) = rest.split_at_checked(PARAMETER.len()) else { return false };
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'-';
    name.eq_ignore_ascii_case(PARAMETER) && !value.is_empty() && value.iter().all(is_plain)
}

fn is_json(field: &[u8]) -> bool {
    let essence = field.split(|byte| *byte == b';').next().unwrap_or_default();
    let essence = essence.trim_ascii().to_ascii_lowercase();
    let mut parts = essence.split(|byte| *byte == b'/');
    let (kind, subtype, more) = (parts.next(), parts.next(), parts.next());
    let is_json = |subtype: &[u8]| subtype == b"json" || subtype.ends_with(b"+json");
    kind == Some(b"application") && subtype.is_some_and(is_json) && more.is_none()
}

#[cfg(test)]
mod tests {
    use super::is_urlencoded;

    #[test]
    fn only_usual_spellings_of_urlencoded_are_taken() {
        for taken in [
            "application/x-www-form-urlencoded",
            "Application/X-WWW-form-urlencoded;charset=UTF-8",
            "application/x-www-form-urlencoded; Charset=latin-1",
        ] {
            assert!(is_urlencoded(taken.as_bytes()), "{taken:?}");
        }
        for left in [
            "",
            "application/x-www-form-urlencodedx",
            "application/x-www-form-urlencoded ",
            "application/x-www-form-urlencoded;",
            "application/x-www-form-urlencoded; charset=",
            "application/x-www-form-urlencoded; charset=\"utf-8\"",
            "application/x-www-form-urlencoded; charset=a; b=c",
            "multipart/form-data",
        ] {
            assert!(!is_urlencoded(left.as_bytes()), "{left:?}");
        }
    }
}
