//! Heads of 1xx answers, which hyper cannot send: written beside it, where that cannot disturb it.
//!
//! hyper flushes its socket only when its own buffer is empty, and it begins an answer only when the one before it is
//! in that buffer whole. So bytes that are written in a flush, while the service still makes the answer, stand between
//! two answers. A hint that finds no such moment is dropped: RFC 8297 section 2 lets a server send none.

use bytes::Bytes;
use http::{HeaderName, HeaderValue, StatusCode};
use parking_lot::Mutex;

use andon_wire::head::ResponseHead;

/// A 1xx head on its way.
#[derive(Debug, Default)]
pub(crate) struct Interim(Mutex<Pending>);

#[derive(Debug, Default)]
struct Pending {
    bytes: Vec<u8>,
    written: usize,
}

impl Interim {
    /// Puts the 1xx head of `payload` on its way; what is none is forgotten.
    pub(crate) fn put(&self, payload: &Bytes) {
        if let Some(head) = encode(payload) {
            self.0.lock().bytes.extend_from_slice(&head);
        }
    }

    /// What to write now.
    pub(crate) fn rest(&self) -> Option<Vec<u8>> {
        let pending = self.0.lock();
        (!pending.bytes.is_empty()).then(|| pending.bytes[pending.written..].to_vec())
    }

    /// So many bytes more are written.
    pub(crate) fn advance(&self, count: usize) {
        let mut pending = self.0.lock();
        pending.written += count;
        if pending.written >= pending.bytes.len() {
            *pending = Pending::default();
        }
    }

    /// An answer is about to be written. True if a head is begun and must be ended first; what is not begun comes too
    /// late and is forgotten.
    pub(crate) fn must_finish(&self) -> bool {
        let mut pending = self.0.lock();
        if pending.written == 0 {
            pending.bytes.clear();
        }
        pending.written > 0
    }
}

/// The head as HTTP/1.1 has it. `None` if a status or field is not valid, or if it is no 1xx that a server may send.
fn encode(payload: &[u8]) -> Option<Vec<u8>> {
    let head = ResponseHead::parse(payload).ok()?;
    let status = StatusCode::from_u16(head.status).ok()?;
    // 100 is hyper's own, and 101 is an answer.
    if !status.is_informational() || status.as_u16() < 102 {
        return None;
    }
    let reason = status.canonical_reason().unwrap_or("Informational");
    let mut bytes = format!("HTTP/1.1 {} {reason}\r\n", status.as_str()).into_bytes();
    for (name, value) in head.fields {
        let name = HeaderName::from_bytes(name).ok()?;
        let value = HeaderValue::from_bytes(value).ok()?;
        for part in [name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"] {
            bytes.extend_from_slice(part);
        }
    }
    bytes.extend_from_slice(b"\r\n");
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn payload(status: u16, value: &[u8]) -> Bytes {
        let mut payload = Vec::new();
        ResponseHead::put(&mut payload, status, [(&b"Link"[..], value)].into_iter()).unwrap();
        payload.into()
    }

    #[test]
    fn an_early_hint_is_a_head_of_its_own() {
        let interim = Interim::default();
        interim.put(&payload(103, b"</style.css>; rel=preload"));
        let expected = b"HTTP/1.1 103 Early Hints\r\nlink: </style.css>; rel=preload\r\n\r\n";
        assert_eq!(interim.rest().as_deref(), Some(&expected[..]));
    }

    #[test]
    fn a_head_that_would_split_the_connection_is_forgotten() {
        let interim = Interim::default();
        interim.put(&payload(103, b"a\r\nb"));
        interim.put(&payload(200, b"a"));
        interim.put(&payload(101, b"a"));
        assert_eq!(interim.rest(), None);
    }

    #[test]
    fn a_begun_head_is_written_to_its_end_and_an_unbegun_one_may_be_forgotten() {
        let interim = Interim::default();
        interim.put(&payload(103, b"a"));
        interim.advance(5);
        assert!(interim.must_finish());
        interim.advance(interim.rest().unwrap().len());
        assert_eq!(interim.rest(), None);
        interim.put(&payload(103, b"a"));
        assert!(!interim.must_finish());
        assert_eq!(interim.rest(), None);
    }
}
