//! Reading and writing the little-endian fields of which payloads are made.
//!
//! A [`Reader`] never reads past its slice and never panics: a field that is not there is [`WireError::Truncated`].

use thiserror::Error;

/// Why bytes from the other side were refused. The connection they came over cannot be used any more.
#[derive(Debug, Error, Clone, PartialEq, Eq)]
pub enum WireError {
    /// A payload ended inside a field.
    #[error("payload ends inside a field")]
    Truncated,
    /// A frame announced more than [`crate::MAX_PAYLOAD`] bytes.
    #[error("frame of {0} bytes is over the limit")]
    TooLarge(usize),
    /// The kind byte names no frame of this direction.
    #[error("unknown frame kind {0}")]
    UnknownKind(u8),
    /// A field holds a value that its meaning does not allow.
    #[error("invalid {0}")]
    Invalid(&'static str),
    /// The shared memory was not made by this version.
    #[error("shared memory has another layout: {0}")]
    Layout(&'static str),
}

/// Takes fields off the front of a payload.
#[derive(Debug, Clone)]
pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Reads from the start of `payload`.
    pub fn new(payload: &'a [u8]) -> Self {
        Self { rest: payload }
    }

    /// What has not been read yet.
    pub fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// The next `count` bytes.
    pub fn take(&mut self, count: usize) -> Result<&'a [u8], WireError> {
        let (taken, rest) = self.rest.split_at_checked(count).ok_or(WireError::Truncated)?;
        self.rest = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], WireError> {
        let (taken, rest) = self.rest.split_first_chunk().ok_or(WireError::Truncated)?;
        self.rest = rest;
        Ok(*taken)
    }

    /// One byte.
    pub fn u8(&mut self) -> Result<u8, WireError> {
        Ok(u8::from_le_bytes(self.array()?))
    }

    /// Two bytes, little-endian.
    pub fn u16(&mut self) -> Result<u16, WireError> {
        Ok(u16::from_le_bytes(self.array()?))
    }

    /// Four bytes, little-endian.
    pub fn u32(&mut self) -> Result<u32, WireError> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    /// Eight bytes, little-endian.
    pub fn u64(&mut self) -> Result<u64, WireError> {
        Ok(u64::from_le_bytes(self.array()?))
    }

    /// A two-byte length and so many bytes.
    pub fn short(&mut self) -> Result<&'a [u8], WireError> {
        let length = self.u16()?;
        self.take(length.into())
    }

    /// A four-byte length and so many bytes.
    pub fn long(&mut self) -> Result<&'a [u8], WireError> {
        let length = self.u32()?;
        self.take(length as usize)
    }
}

/// Appends two bytes of length and `bytes`. Fails above 65,535 bytes.
pub fn put_short(out: &mut Vec<u8>, bytes: &[u8]) -> Result<(), WireError> {
    let length = u16::try_from(bytes.len()).map_err(|_| WireError::TooLarge(bytes.len()))?;
    out.extend_from_slice(&length.to_le_bytes());
    out.extend_from_slice(bytes);
    Ok(())
}

/// Appends four bytes of length and `bytes`. Fails above [`crate::MAX_PAYLOAD`] bytes.
pub fn put_long(out: &mut Vec<u8>, bytes: &[u8]) -> Result<(), WireError> {
    if bytes.len() > crate::MAX_PAYLOAD {
        return Err(WireError::TooLarge(bytes.len()));
    }
    out.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
    out.extend_from_slice(bytes);
    Ok(())
}
