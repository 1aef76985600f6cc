//! The opening handshake (RFC 6455 section 4.2).

use base64::{Engine, engine::general_purpose::STANDARD};
use http::{
    HeaderMap, HeaderValue, Method, Version,
    header::{
        CONNECTION, CONTENT_LENGTH, HeaderName, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_EXTENSIONS, SEC_WEBSOCKET_KEY,
        SEC_WEBSOCKET_VERSION, TRANSFER_ENCODING, UPGRADE,
    },
    request::Parts,
};
use hyper::upgrade::OnUpgrade;
use sha1::{Digest, Sha1};

use super::offer::{self, Agreement};
use crate::rejection::Rejection;

/// What every server appends to the key (RFC 6455 section 1.3).
const GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// A valid request for a WebSocket.
#[derive(Debug)]
pub(crate) struct Handshake {
    accept: HeaderValue,
    deflate: Option<Agreement>,
    on_upgrade: OnUpgrade,
}

impl Handshake {
    /// Adds to the application's fields those of the protocol, which it does not get to choose.
    pub(crate) fn put_fields(&self, fields: &mut HeaderMap) {
        fields.insert(UPGRADE, HeaderValue::from_static("websocket"));
        fields.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
        fields.insert(SEC_WEBSOCKET_ACCEPT, self.accept.clone());
        fields.remove(SEC_WEBSOCKET_EXTENSIONS);
        let extensions = self.deflate.and_then(|agreement| agreement.to_string().parse().ok());
        if let Some(extensions) = extensions {
            fields.insert(SEC_WEBSOCKET_EXTENSIONS, extensions);
        }
    }

    pub(crate) fn into_parts(self) -> (Option<Agreement>, OnUpgrade) {
        (self.deflate, self.on_upgrade)
    }
}

/// Whether a request asks for a WebSocket, and whether it may. `deflate`: permessage-deflate may be agreed to.
///
/// A request that names `websocket` but does not list `upgrade` among its connection options is an ordinary request, as
/// under uvicorn.
pub(crate) fn examine(parts: &mut Parts, deflate: bool) -> Result<Option<Handshake>, Rejection> {
    let fields = &parts.headers;
    // Nearly all requests end here.
    if !fields.contains_key(UPGRADE) || !lists(fields, UPGRADE, "websocket") || !lists(fields, CONNECTION, "upgrade") {
        return Ok(None);
    }
    if parts.version != Version::HTTP_11 {
        return Ok(None);
    }
    if parts.method != Method::GET {
        return Err(Rejection::Malformed("a WebSocket is opened with GET"));
    }
    let length = fields.get(CONTENT_LENGTH).is_some_and(|length| length != "0");
    if length || fields.contains_key(TRANSFER_ENCODING) {
        return Err(Rejection::Malformed("a WebSocket handshake has no body"));
    }
    if only(fields, SEC_WEBSOCKET_VERSION).is_none_or(|version| version != "13") {
        return Err(Rejection::WebSocketVersion);
    }
    let accept = only(fields, SEC_WEBSOCKET_KEY).and_then(accept_key);
    let accept = accept.ok_or(Rejection::Malformed("invalid Sec-WebSocket-Key"))?;
    let deflate = if deflate { offer::agree(fields) } else { None };
    let on_upgrade = parts.extensions.remove::<OnUpgrade>();
    let on_upgrade = on_upgrade.ok_or(Rejection::Malformed("this connection cannot be upgraded"))?;
    Ok(Some(Handshake { accept, deflate, on_upgrade }))
}

/// Whether a list field has a token.
fn lists(fields: &HeaderMap, name: HeaderName, token: &str) -> bool {
    let values = fields.get_all(name).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|one| one.trim().eq_ignore_ascii_case(token))
}

/// The value of a field that must be there once.
fn only(fields: &HeaderMap, name: HeaderName) -> Option<&HeaderValue> {
    let mut values = fields.get_all(name).iter();
    values.next().filter(|_| values.next().is_none())
}

/// The proof that the key was understood; `None` if it is not sixteen bytes in base64.
fn accept_key(key: &HeaderValue) -> Option<HeaderValue> {
    let key = key.as_bytes();
    let mut decoded = [0; 18];
    if key.len() != 24 || STANDARD.decode_slice(key, &mut decoded) != Ok(16) {
        return None;
    }
    let digest = Sha1::new().chain_update(key).chain_update(GUID).finalize();
    let mut text = [0; 28];
    let length = STANDARD.encode_slice(digest, &mut text).ok()?;
    HeaderValue::from_bytes(&text[..length]).ok()
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";

    fn fields() -> Vec<(&'static str, &'static str)> {
        vec![
            ("upgrade", "WebSocket"),
            ("connection", "keep-alive, Upgrade"),
            ("sec-websocket-version", "13"),
            ("sec-websocket-key", KEY),
        ]
    }

    fn status(method: &str, fields: &[(&str, &str)]) -> u16 {
        let mut request = Request::builder().method(method);
        for (name, value) in fields {
            request = request.header(*name, *value);
        }
        let mut parts = request.body(()).unwrap().into_parts().0;
        match examine(&mut parts, true) {
            Ok(None) => 200,
            Ok(Some(_)) => 101,
            // Here no hyper is behind the request, so that is as far as a valid handshake gets.
            Err(Rejection::Malformed("this connection cannot be upgraded")) => 101,
            Err(rejection) => rejection.answer(false).status().as_u16(),
        }
    }

    fn with(name: &'static str, value: Option<&'static str>) -> Vec<(&'static str, &'static str)> {
        let mut fields = fields();
        fields.retain(|field| field.0 != name);
        fields.extend(value.map(|value| (name, value)));
        fields
    }

    #[test]
    fn accept_is_that_of_the_rfc() {
        let key = HeaderValue::from_static(KEY);
        assert_eq!(accept_key(&key).unwrap(), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }

    #[test]
    fn valid_handshake_passes() {
        assert_eq!(status("GET", &fields()), 101);
    }

    #[test]
    fn request_without_both_tokens_is_an_ordinary_one() {
        assert_eq!(status("GET", &with("upgrade", Some("h2c"))), 200);
        assert_eq!(status("GET", &with("upgrade", None)), 200);
        assert_eq!(status("GET", &with("connection", Some("keep-alive"))), 200);
    }

    #[test]
    fn other_versions_are_told_the_one_that_is_spoken() {
        assert_eq!(status("GET", &with("sec-websocket-version", Some("8"))), 426);
        assert_eq!(status("GET", &with("sec-websocket-version", None)), 426);
    }

    #[test]
    fn invalid_handshakes_are_refused() {
        assert_eq!(status("POST", &fields()), 400);
        assert_eq!(status("GET", &with("content-length", Some("1"))), 400);
        for key in [None, Some("short"), Some("dGhlIHNhbXBsZSBub25jZSE="), Some("!!!!!!!!!!!!!!!!!!!!!!==")] {
            assert_eq!(status("GET", &with("sec-websocket-key", key)), 400, "{key:?}");
        }
        let mut twice = fields();
        twice.push(("sec-websocket-key", KEY));
        assert_eq!(status("GET", &twice), 400);
    }
}
