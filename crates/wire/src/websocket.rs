//! The close of a WebSocket as a payload: code and reason (RFC 6455 section 7).

use crate::{WireError, codec::Reader};

/// Longest reason in bytes that fits into a close frame (RFC 6455 section 5.5).
pub const MAX_REASON: usize = 123;

/// Why a WebSocket ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Close {
    /// Close code; 1005 and 1006 only ever come from the front and are never sent to a client.
    pub code: u16,
    /// Text for people, at most [`MAX_REASON`] bytes on the way to a client.
    pub reason: String,
}

impl Close {
    /// Appends code and reason.
    pub fn put(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.code.to_le_bytes());
        out.extend_from_slice(self.reason.as_bytes());
    }

    /// Reads code and reason.
    pub fn parse(payload: &[u8]) -> Result<Self, WireError> {
        let mut reader = Reader::new(payload);
        let code = reader.u16()?;
        let reason = std::str::from_utf8(reader.rest()).map_err(|_| WireError::Invalid("close reason"))?;
        Ok(Self { code, reason: reason.to_owned() })
    }
}
