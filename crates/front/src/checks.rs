//! What a request must satisfy before anybody acts on it: the rules of RFC 9110 and 9112 which hyper leaves to the
//! service, and the limits.
//!
//! hyper and httparse refuse by themselves, with 400 and a closed connection: what is no request line or field line, a
//! line folded onto the next (RFC 9112 section 5.2), a space before a colon (5.1), other versions than 1.0 and 1.1,
//! `content-length` values that are no number or differ (6.3), `transfer-encoding` in HTTP/1.0 (6.1) or not ending in
//! `chunked` (6.3), and target bytes that RFC 3986 does not know. What is left is checked here.

use andon_config::Limits;
use http::{
    HeaderMap, HeaderValue, Method, Uri,
    header::{CONTENT_LENGTH, HOST, TRANSFER_ENCODING},
    request::Parts,
};

use crate::rejection::Rejection;

/// Checks a request head. `raw_head` gives the bytes of the head if they are known.
pub(crate) fn check(
    parts: &Parts,
    limits: &Limits,
    raw_head: impl FnOnce(fn(&[u8]) -> bool) -> bool,
) -> Result<(), Rejection> {
    check_target(&parts.method, &parts.uri, limits)?;
    if parts.headers.len() > limits.request_fields as usize {
        return Err(Rejection::TooManyFields);
    }
    check_host(&parts.headers)?;
    if let Some(coding) = parts.headers.get(TRANSFER_ENCODING) {
        check_transfer_coding(coding, &parts.headers, raw_head)?;
    }
    check_length(&parts.headers, limits)
}

/// RFC 9112 section 3.2: which form of target goes with which method.
fn check_target(method: &Method, uri: &Uri, limits: &Limits) -> Result<(), Rejection> {
    let length = uri.path_and_query().map_or(0, |target| target.as_str().len());
    let authority = uri.authority().map_or(0, |authority| authority.as_str().len());
    if length + authority > limits.request_line as usize {
        return Err(Rejection::TargetTooLong);
    }
    // RFC 3986 section 2: what is not ASCII must be percent-encoded. `http::Uri` lets UTF-8 pass.
    if uri.path_and_query().is_some_and(|target| !target.as_str().is_ascii()) {
        return Err(Rejection::Malformed("the request target is not ASCII"));
    }
    if *method == Method::CONNECT {
        return Err(Rejection::Malformed("CONNECT is for proxies"));
    }
    match uri.scheme_str() {
        // RFC 9110 section 4.2.4: user information in a target is an error.
        Some("http" | "https") if !uri.authority().is_some_and(|authority| authority.as_str().contains('@')) => Ok(()),
        Some(_) => Err(Rejection::Malformed("invalid absolute request target")),
        None if uri.authority().is_some() => Err(Rejection::Malformed("invalid request target")),
        None if uri.path() == "*" && *method != Method::OPTIONS => {
            Err(Rejection::Malformed("the request target * is for OPTIONS"))
        }
        None => Ok(()),
    }
}

/// RFC 9112 section 3.2: at most one `Host`, and a valid one. HTTP/1.1 also demands that there is one; uvicorn and
/// gunicorn do not, and clients of theirs (probes of old load balancers) live from that.
fn check_host(fields: &HeaderMap) -> Result<(), Rejection> {
    let mut hosts = fields.get_all(HOST).iter();
    match (hosts.next(), hosts.next()) {
        (_, Some(_)) => Err(Rejection::Malformed("more than one Host")),
        (None, None) => Ok(()),
        (Some(host), None) if host.as_bytes().iter().all(|&byte| is_host_byte(byte)) => Ok(()),
        (Some(_), None) => Err(Rejection::Malformed("invalid Host")),
    }
}

/// The bytes of `uri-host [ ":" port ]` (RFC 3986 section 3.2.2), without regard to their order.
fn is_host_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~!$&'()*+;=:[]%".contains(&byte)
}

/// RFC 9112 sections 6.1 and 6.3: `chunked`, once, and no `content-length` beside it.
///
/// hyper has already let the transfer coding win and will close the connection after the answer, which makes the two
/// together harmless; where the head's bytes are at hand they are refused, as the RFC allows.
fn check_transfer_coding(
    coding: &HeaderValue,
    fields: &HeaderMap,
    raw_head: impl FnOnce(fn(&[u8]) -> bool) -> bool,
) -> Result<(), Rejection> {
    if fields.get_all(TRANSFER_ENCODING).iter().count() > 1 {
        return Err(Rejection::Malformed("more than one Transfer-Encoding"));
    }
    let codings = coding.as_bytes();
    if !codings.eq_ignore_ascii_case(b"chunked") {
        let chunked =
            codings.split(|&byte| byte == b',').filter(|one| one.trim_ascii().eq_ignore_ascii_case(b"chunked"));
        let twice = chunked.count() > 1;
        return Err(if twice { Rejection::Malformed("chunked twice") } else { Rejection::UnknownTransferCoding });
    }
    if fields.contains_key(CONTENT_LENGTH) || raw_head(has_length_field) {
        return Err(Rejection::Malformed("both Content-Length and Transfer-Encoding"));
    }
    Ok(())
}

/// Whether a head has a `content-length` line. `bytes` may go on behind the head's end.
fn has_length_field(bytes: &[u8]) -> bool {
    const NAME: &[u8] = b"content-length:";
    let mut lines = bytes.split(|&byte| byte == b'\n').skip_while(|line| line.trim_ascii().is_empty());
    lines
        .by_ref()
        .take_while(|line| !line.trim_ascii().is_empty())
        .any(|line| line.get(..NAME.len()).is_some_and(|start| start.eq_ignore_ascii_case(NAME)))
}

/// A body that is announced to be too large is refused before it is sent.
fn check_length(fields: &HeaderMap, limits: &Limits) -> Result<(), Rejection> {
    let Some(length) = fields.get(CONTENT_LENGTH) else {
        return Ok(());
    };
    let length = length.to_str().ok().and_then(|text| text.parse::<u64>().ok());
    match length {
        None => Err(Rejection::Malformed("invalid Content-Length")),
        Some(length) if limits.request_body > 0 && length > limits.request_body => Err(Rejection::BodyTooLarge),
        Some(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use http::Request;
    use proptest::prelude::*;

    use super::*;

    fn limits() -> Limits {
        Limits {
            concurrency: None,
            connections: 1,
            request_line: 100,
            request_head: 8192,
            request_fields: 4,
            request_body: 1000,
        }
    }

    fn check_request(method: &str, target: &str, fields: &[(&str, &str)], raw: &'static [u8]) -> Result<(), Rejection> {
        let mut request = Request::builder().method(method).uri(target);
        for (name, value) in fields {
            request = request.header(*name, *value);
        }
        check(&request.body(()).unwrap().into_parts().0, &limits(), |contains| contains(raw))
    }

    fn status(result: Result<(), Rejection>) -> u16 {
        result.map_or_else(|rejection| rejection.answer(false).status().as_u16(), |()| 200)
    }

    const HOST_FIELD: (&str, &str) = ("host", "example.org:8000");

    #[test]
    fn ordinary_requests_pass() {
        for (method, target) in [("GET", "/a?b=c"), ("OPTIONS", "*"), ("GET", "http://example.org/a"), ("PURGE", "/")] {
            assert_eq!(check_request(method, target, &[HOST_FIELD], b""), Ok(()), "{method} {target}");
        }
    }

    #[test]
    fn target_forms_must_go_with_the_method() {
        for (method, target) in [
            ("CONNECT", "example.org:80"),
            ("GET", "*"),
            ("GET", "example.org"),
            ("GET", "ftp://example.org/"),
            ("GET", "http://user@example.org/"),
        ] {
            assert_eq!(status(check_request(method, target, &[HOST_FIELD], b"")), 400, "{method} {target}");
        }
    }

    #[test]
    fn host_must_be_there_once_and_be_a_host() {
        assert_eq!(status(check_request("GET", "/", &[HOST_FIELD, HOST_FIELD], b"")), 400);
        for host in ["a b", "a,b", "a/b", "a@b", "ä"] {
            assert_eq!(status(check_request("GET", "/", &[("host", host)], b"")), 400, "{host}");
        }
        for host in ["", "[::1]:80", "a_b.example"] {
            assert_eq!(check_request("GET", "/", &[("host", host)], b""), Ok(()), "{host}");
        }
    }

    #[test]
    fn a_host_may_be_missing() {
        assert_eq!(check_request("GET", "/", &[], b""), Ok(()));
    }

    #[test]
    fn a_target_is_ascii() {
        assert_eq!(status(check_request("GET", "/caf\u{e9}", &[HOST_FIELD], b"")), 400);
        assert_eq!(check_request("GET", "/caf%C3%A9", &[HOST_FIELD], b""), Ok(()));
    }

    #[test]
    fn limits_have_their_own_statuses() {
        let long = format!("/{}", "a".repeat(100));
        assert_eq!(status(check_request("GET", &long, &[HOST_FIELD], b"")), 414);
        let many = [HOST_FIELD, ("a", "1"), ("a", "2"), ("b", "1"), ("c", "1")];
        assert_eq!(status(check_request("GET", "/", &many, b"")), 431);
        assert_eq!(status(check_request("POST", "/", &[HOST_FIELD, ("content-length", "1001")], b"")), 413);
        assert_eq!(check_request("POST", "/", &[HOST_FIELD, ("content-length", "1000")], b""), Ok(()));
    }

    #[test]
    fn only_plain_chunked_is_understood() {
        for (coding, expected) in
            [("chunked", 200), ("Chunked", 200), ("gzip, chunked", 501), ("chunked, chunked", 400)]
        {
            let fields = [HOST_FIELD, ("transfer-encoding", coding)];
            assert_eq!(status(check_request("POST", "/", &fields, b"")), expected, "{coding}");
        }
        let twice = [HOST_FIELD, ("transfer-encoding", "chunked"), ("transfer-encoding", "chunked")];
        assert_eq!(status(check_request("POST", "/", &twice, b"")), 400);
    }

    #[test]
    fn length_beside_a_transfer_coding_is_found_in_the_head_and_only_there() {
        let fields = [HOST_FIELD, ("transfer-encoding", "chunked")];
        let with = b"\r\nPOST / HTTP/1.1\r\nhost: a\r\nContent-Length: 5\r\ntransfer-encoding: chunked\r\n\r\n";
        assert_eq!(status(check_request("POST", "/", &fields, with)), 400);
        let behind = b"POST / HTTP/1.1\r\nhost: a\r\n\r\n15\r\n\r\ncontent-length: 5\r\n";
        assert_eq!(check_request("POST", "/", &fields, behind), Ok(()));
    }

    proptest! {
        #[test]
        fn any_bytes_can_be_searched_for_a_length(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            has_length_field(&bytes);
        }
    }
}
