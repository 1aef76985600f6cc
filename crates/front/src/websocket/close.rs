//! Close codes and what breaks the protocol.

use andon_wire::websocket::{Close, MAX_REASON};

/// The client closed without a code (never sent; RFC 6455 section 7.4.1).
pub(crate) const NO_CODE: u16 = 1005;
/// The connection was lost (never sent).
pub(crate) const ABNORMAL: u16 = 1006;
/// Ended as meant.
pub(crate) const NORMAL: u16 = 1000;
/// The server failed.
pub(crate) const INTERNAL_ERROR: u16 = 1011;
/// The server is being restarted.
pub(crate) const RESTART: u16 = 1012;

/// What a client did that ends its WebSocket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Violation {
    /// A rule of RFC 6455 or 7692 was broken.
    Protocol(&'static str),
    /// Text that is not UTF-8.
    InvalidText,
    /// A message over the limit.
    TooLarge,
}

impl Violation {
    /// What to close with.
    pub(crate) fn close(self) -> Close {
        let (code, reason) = match self {
            Violation::Protocol(reason) => (1002, reason),
            Violation::InvalidText => (1007, "text is not UTF-8"),
            Violation::TooLarge => (1009, "message too big"),
        };
        Close { code, reason: reason.to_owned() }
    }
}

/// Reads the payload of a close frame (RFC 6455 section 5.5.1).
pub(crate) fn parse(payload: &[u8]) -> Result<Close, Violation> {
    let Some((code, reason)) = payload.split_first_chunk::<2>() else {
        return match payload {
            [] => Ok(Close { code: NO_CODE, reason: String::new() }),
            _ => Err(Violation::Protocol("close frame of one byte")),
        };
    };
    let code = u16::from_be_bytes(*code);
    if !may_be_sent(code) {
        return Err(Violation::Protocol("invalid close code"));
    }
    let reason = simdutf8::basic::from_utf8(reason).map_err(|_| Violation::InvalidText)?;
    Ok(Close { code, reason: reason.to_owned() })
}

/// The payload of a close frame. A code that must not be sent becomes none, and a long reason is cut.
pub(crate) fn payload(close: &Close) -> Vec<u8> {
    let mut payload = Vec::new();
    if may_be_sent(close.code) {
        let mut length = close.reason.len().min(MAX_REASON);
        while !close.reason.is_char_boundary(length) {
            length -= 1;
        }
        payload.extend_from_slice(&close.code.to_be_bytes());
        payload.extend_from_slice(&close.reason.as_bytes()[..length]);
    }
    payload
}

/// RFC 6455 section 7.4 and the registry that it founded.
fn may_be_sent(code: u16) -> bool {
    matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_that_are_only_ever_reported_are_not_accepted_from_a_client() {
        for code in [0u16, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65_535] {
            assert!(parse(&code.to_be_bytes()).is_err(), "{code}");
        }
        for code in [1000u16, 1003, 1007, 1014, 3000, 4999] {
            assert_eq!(parse(&code.to_be_bytes()).unwrap().code, code);
        }
    }

    #[test]
    fn close_without_a_code_is_1005_and_half_a_code_is_an_error() {
        assert_eq!(parse(b"").unwrap().code, NO_CODE);
        assert!(parse(b"\x03").is_err());
    }

    #[test]
    fn reason_must_be_utf8() {
        assert_eq!(parse(b"\x03\xe8\xff"), Err(Violation::InvalidText));
    }

    #[test]
    fn long_reason_is_cut_between_characters() {
        let close = Close { code: 1000, reason: "é".repeat(100) };
        let payload = payload(&close);
        assert_eq!(payload.len(), 2 + 122);
        assert_eq!(parse(&payload).unwrap().reason, "é".repeat(61));
    }

    #[test]
    fn code_that_must_not_be_sent_becomes_none() {
        assert!(payload(&Close { code: ABNORMAL, reason: "x".to_owned() }).is_empty());
    }
}
