//! From a worker's response head to hyper's.
//!
//! How the body is framed is decided here and by hyper, not by the application: its `content-length` is a promise that
//! is checked, its `transfer-encoding` is taken as the wish not to give a length.

use andon_wire::{WireError, head::ResponseHead};
use bytes::Bytes;
use http::{
    HeaderMap, HeaderName, HeaderValue, StatusCode,
    header::{CONTENT_LENGTH, SERVER, TRANSFER_ENCODING},
};
use thiserror::Error;

/// What makes an application's head unfit to be sent.
#[derive(Debug, Error)]
pub(crate) enum InvalidAnswer {
    #[error("its head cannot be read: {0}")]
    Wire(#[from] WireError),
    #[error("{0} is no status of an answer")]
    Status(u16),
    #[error("the field name `{}` is not valid", .0.escape_ascii())]
    Name(Bytes),
    #[error("the value of the field `{0}` is not valid")]
    Value(HeaderName),
    #[error("it has {0} header fields")]
    TooManyFields(usize),
    #[error("its content-length is {announced}, but its body has {actual} bytes")]
    Length { announced: u64, actual: usize },
}

/// A checked response head.
#[derive(Debug)]
pub(crate) struct Head {
    pub(crate) status: StatusCode,
    /// Without `transfer-encoding`; with `content-length` only where it applies.
    pub(crate) fields: HeaderMap,
    /// What the application said the length of the body is.
    pub(crate) length: Option<u64>,
    /// The part of the body that came with the head.
    pub(crate) first: Bytes,
}

impl Head {
    /// Reads the head of an answer. `fields` is an empty map whose memory is used again.
    pub(crate) fn parse(payload: &Bytes, fields: HeaderMap) -> Result<Head, InvalidAnswer> {
        let head = Self::parse_any(payload, fields)?;
        if head.status.is_informational() {
            return Err(InvalidAnswer::Status(head.status.as_u16()));
        }
        Ok(head)
    }

    /// Reads the head with which a WebSocket is accepted.
    pub(crate) fn parse_accept(payload: &Bytes, fields: HeaderMap) -> Result<Head, InvalidAnswer> {
        let mut head = Self::parse_any(payload, fields)?;
        head.status = StatusCode::SWITCHING_PROTOCOLS;
        head.fields.remove(CONTENT_LENGTH);
        Ok(head)
    }

    fn parse_any(payload: &Bytes, mut fields: HeaderMap) -> Result<Head, InvalidAnswer> {
        let parsed = ResponseHead::parse(payload)?;
        let status = StatusCode::from_u16(parsed.status).map_err(|_| InvalidAnswer::Status(parsed.status))?;
        let first = payload.slice_ref(parsed.fields.body());
        let mut chunked = false;
        for (name, value) in parsed.fields {
            let name = HeaderName::from_bytes(name).map_err(|_| InvalidAnswer::Name(Bytes::copy_from_slice(name)))?;
            if name == TRANSFER_ENCODING {
                chunked = true;
                continue;
            }
            // Shares the payload's memory.
            let Ok(value) = HeaderValue::from_maybe_shared(payload.slice_ref(value)) else {
                return Err(InvalidAnswer::Value(name));
            };
            let count = fields.len();
            fields.try_append(name, value).map_err(|_| InvalidAnswer::TooManyFields(count))?;
        }
        let length = if chunked { None } else { announced_length(&fields)? };
        if chunked || fields.get_all(CONTENT_LENGTH).iter().count() > 1 {
            fields.remove(CONTENT_LENGTH);
            if let Some(length) = length {
                fields.insert(CONTENT_LENGTH, length.into());
            }
        }
        Ok(Head { status, fields, length, first })
    }

    /// Adds `server` unless the application has given one.
    pub(crate) fn add_server(&mut self) {
        self.fields.entry(SERVER).or_insert(HeaderValue::from_static("andon"));
    }

    /// Whether an answer of this status has no content. If so, what it says of its length is made to fit (RFC 9110,
    /// sections 8.6 and 15.3.6): nothing for 204, zero for 205; a 304 tells the length that a 200 would have had.
    pub(crate) fn drop_content(&mut self) -> bool {
        match self.status {
            StatusCode::NO_CONTENT => {
                self.fields.remove(CONTENT_LENGTH);
            }
            StatusCode::RESET_CONTENT => {
                self.fields.insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
            }
            StatusCode::NOT_MODIFIED => {}
            _ => return false,
        }
        true
    }

    /// Checks the application's `content-length` against a body that is all there.
    pub(crate) fn check_length(&self) -> Result<(), InvalidAnswer> {
        match self.length {
            Some(announced) if announced != self.first.len() as u64 => {
                Err(InvalidAnswer::Length { announced, actual: self.first.len() })
            }
            _ => Ok(()),
        }
    }
}

/// RFC 9110 section 8.6: several `content-length` fields are fine only if they agree.
fn announced_length(fields: &HeaderMap) -> Result<Option<u64>, InvalidAnswer> {
    let mut length = None;
    for value in fields.get_all(CONTENT_LENGTH) {
        let digits = value.as_bytes();
        let number = digits.iter().all(u8::is_ascii_digit).then(|| value.to_str().ok()?.parse::<u64>().ok()).flatten();
        match (number, length) {
            (Some(number), None) => length = Some(number),
            (Some(number), Some(before)) if number == before => {}
            _ => return Err(InvalidAnswer::Value(CONTENT_LENGTH)),
        }
    }
    Ok(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(status: u16, fields: &[(&str, &[u8])], body: &[u8]) -> Result<Head, InvalidAnswer> {
        let mut payload = Vec::new();
        let fields = fields.iter().map(|(name, value)| (name.as_bytes(), *value));
        ResponseHead::put(&mut payload, status, fields).unwrap();
        payload.extend_from_slice(body);
        Head::parse(&payload.into(), HeaderMap::new())
    }

    #[test]
    fn fields_and_body_are_taken_over_with_bytes_outside_ascii() {
        let head = parse(200, &[("x-name", b"caf\xe9"), ("set-cookie", b"a"), ("set-cookie", b"b")], b"hello").unwrap();
        assert_eq!(head.status, 200);
        assert_eq!(head.fields["x-name"].as_bytes(), b"caf\xe9");
        assert_eq!(head.fields.get_all("set-cookie").iter().count(), 2);
        assert_eq!(head.first, "hello");
    }

    #[test]
    fn line_feeds_in_names_or_values_are_refused() {
        assert!(parse(200, &[("x", b"a\r\nset-cookie: b")], b"").is_err());
        assert!(parse(200, &[("x\r\ny", b"a")], b"").is_err());
    }

    #[test]
    fn informational_and_impossible_statuses_are_refused() {
        for status in [0, 99, 100, 101, 103, 1000] {
            assert!(parse(status, &[], b"").is_err(), "{status}");
        }
    }

    #[test]
    fn transfer_encoding_is_left_to_the_server_and_wins_over_a_length() {
        let head = parse(200, &[("transfer-encoding", b"chunked"), ("content-length", b"5")], b"").unwrap();
        assert!(head.fields.is_empty());
        assert_eq!(head.length, None);
    }

    #[test]
    fn lengths_must_be_numbers_and_agree() {
        assert_eq!(parse(200, &[("content-length", b"5"), ("content-length", b"5")], b"").unwrap().length, Some(5));
        assert!(parse(200, &[("content-length", b"5"), ("content-length", b"6")], b"").is_err());
        for length in [&b"+5"[..], b"-1", b"", b"0x5", b"99999999999999999999"] {
            assert!(parse(200, &[("content-length", length)], b"").is_err(), "{length:?}");
        }
    }

    #[test]
    fn a_whole_body_must_have_its_announced_length() {
        assert!(parse(200, &[("content-length", b"5")], b"hello").unwrap().check_length().is_ok());
        assert!(parse(200, &[("content-length", b"4")], b"hello").unwrap().check_length().is_err());
        assert!(parse(200, &[], b"hello").unwrap().check_length().is_ok());
    }

    #[test]
    fn statuses_without_content_tell_a_length_that_fits() {
        for (status, length) in [(204, None), (205, Some("0")), (304, Some("5"))] {
            let mut head = parse(status, &[("content-length", b"5")], b"").unwrap();
            assert!(head.drop_content());
            assert_eq!(head.fields.get(CONTENT_LENGTH).map(|value| value.to_str().unwrap()), length, "{status}");
        }
        assert!(!parse(200, &[], b"").unwrap().drop_content());
    }

    #[test]
    fn the_applications_own_server_field_stands() {
        let mut head = parse(200, &[("server", b"mine")], b"").unwrap();
        head.add_server();
        assert_eq!(head.fields.get_all(SERVER).iter().collect::<Vec<_>>(), ["mine"]);
    }
}
