//! Request and response heads as payloads.
//!
//! A head is borrowed from the frame it came in; encoding appends to a `Vec`, so that neither side builds strings that
//! it does not need. What follows the head in the payload is the first part of the body.

use crate::{
    WireError,
    codec::{Reader, put_long, put_short},
};

/// More header fields than this are refused on either side.
pub const MAX_FIELDS: usize = 1024;

/// HTTP version of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum HttpVersion {
    /// HTTP/1.0
    Http10 = 0,
    /// HTTP/1.1
    Http11 = 1,
    /// HTTP/2
    Http2 = 2,
}

impl HttpVersion {
    /// As the ASGI scope has it: `"1.0"`, `"1.1"`, `"2"`.
    pub fn as_str(self) -> &'static str {
        match self {
            HttpVersion::Http10 => "1.0",
            HttpVersion::Http11 => "1.1",
            HttpVersion::Http2 => "2",
        }
    }
}

const SECURE: u8 = 1;
const WEBSOCKET: u8 = 2;
const EXPECTS_CONTINUE: u8 = 4;

/// An address of a TCP peer: host as text and port. An empty host stands for an address that is not known (Unix
/// sockets).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Address<'a> {
    /// IP address as text, without brackets.
    pub host: &'a str,
    /// TCP port.
    pub port: u16,
}

impl<'a> Address<'a> {
    fn put(self, out: &mut Vec<u8>) -> Result<(), WireError> {
        put_short(out, self.host.as_bytes())?;
        out.extend_from_slice(&self.port.to_le_bytes());
        Ok(())
    }

    fn parse(reader: &mut Reader<'a>) -> Result<Self, WireError> {
        let host = std::str::from_utf8(reader.short()?).map_err(|_| WireError::Invalid("address"))?;
        Ok(Self { host, port: reader.u16()? })
    }
}

/// The fixed part of a request head; header fields are iterated beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestHead<'a> {
    /// Method as sent, case kept.
    pub method: &'a str,
    /// HTTP version.
    pub version: HttpVersion,
    /// The connection to the client is encrypted.
    pub secure: bool,
    /// The request asks to become a WebSocket and the front can make it one.
    pub websocket: bool,
    /// The client waits for `100 Continue` before it sends the body.
    pub expects_continue: bool,
    /// Path as sent, still percent-encoded, without query.
    pub raw_path: &'a [u8],
    /// Query string as sent, without the question mark.
    pub query: &'a [u8],
    /// The client's address.
    pub client: Address<'a>,
    /// The address of ours that it connected to.
    pub server: Address<'a>,
}

impl<'a> RequestHead<'a> {
    /// Appends the head with its header fields (name in lower case, value).
    pub fn put<'f>(
        &self,
        out: &mut Vec<u8>,
        fields: impl ExactSizeIterator<Item = (&'f [u8], &'f [u8])>,
    ) -> Result<(), WireError> {
        put_short(out, self.method.as_bytes())?;
        out.push(self.version as u8);
        let mark = |condition: bool, bit: u8| if condition { bit } else { 0 };
        out.push(
            mark(self.secure, SECURE) | mark(self.websocket, WEBSOCKET) | mark(self.expects_continue, EXPECTS_CONTINUE),
        );
        put_long(out, self.raw_path)?;
        put_long(out, self.query)?;
        self.client.put(out)?;
        self.server.put(out)?;
        put_fields(out, fields)
    }

    /// Reads a head; the iterator yields its fields, and `body` of it the rest of the payload.
    pub fn parse(payload: &'a [u8]) -> Result<(Self, Fields<'a>), WireError> {
        let mut reader = Reader::new(payload);
        let method = std::str::from_utf8(reader.short()?).map_err(|_| WireError::Invalid("method"))?;
        let version = match reader.u8()? {
            0 => HttpVersion::Http10,
            1 => HttpVersion::Http11,
            2 => HttpVersion::Http2,
            _ => return Err(WireError::Invalid("HTTP version")),
        };
        let marks = reader.u8()?;
        let head = RequestHead {
            method,
            version,
            secure: marks & SECURE != 0,
            websocket: marks & WEBSOCKET != 0,
            expects_continue: marks & EXPECTS_CONTINUE != 0,
            raw_path: reader.long()?,
            query: reader.long()?,
            client: Address::parse(&mut reader)?,
            server: Address::parse(&mut reader)?,
        };
        Ok((head, Fields::parse(reader)?))
    }
}

/// A response head: status and header fields.
#[derive(Debug, Clone)]
pub struct ResponseHead<'a> {
    /// Status code, not yet checked to be one.
    pub status: u16,
    /// Header fields as the application gave them.
    pub fields: Fields<'a>,
}

impl<'a> ResponseHead<'a> {
    /// Appends a head.
    pub fn put<'f>(
        out: &mut Vec<u8>,
        status: u16,
        fields: impl ExactSizeIterator<Item = (&'f [u8], &'f [u8])>,
    ) -> Result<(), WireError> {
        out.extend_from_slice(&status.to_le_bytes());
        put_fields(out, fields)
    }

    /// Reads a head; the rest of the payload is [`Fields::body`].
    pub fn parse(payload: &'a [u8]) -> Result<Self, WireError> {
        let mut reader = Reader::new(payload);
        Ok(Self { status: reader.u16()?, fields: Fields::parse(reader)? })
    }
}

fn put_fields<'f>(
    out: &mut Vec<u8>,
    fields: impl ExactSizeIterator<Item = (&'f [u8], &'f [u8])>,
) -> Result<(), WireError> {
    let count = fields.len();
    if count > MAX_FIELDS {
        return Err(WireError::Invalid("number of header fields"));
    }
    out.extend_from_slice(&(count as u16).to_le_bytes());
    for (name, value) in fields {
        put_field(out, name, value)?;
    }
    Ok(())
}

/// Appends one header field. Used where the fields are not known as an iterator: after a two-byte count.
pub fn put_field(out: &mut Vec<u8>, name: &[u8], value: &[u8]) -> Result<(), WireError> {
    put_short(out, name)?;
    put_long(out, value)
}

/// The header fields of a head. All of them were checked to be whole when the head was read.
#[derive(Debug, Clone)]
pub struct Fields<'a> {
    left: usize,
    reader: Reader<'a>,
    body: &'a [u8],
}

impl<'a> Fields<'a> {
    fn parse(mut reader: Reader<'a>) -> Result<Self, WireError> {
        let left = usize::from(reader.u16()?);
        if left > MAX_FIELDS {
            return Err(WireError::Invalid("number of header fields"));
        }
        let mut ahead = reader.clone();
        for _ in 0..left {
            ahead.short()?;
            ahead.long()?;
        }
        Ok(Self { left, reader, body: ahead.rest() })
    }

    /// What follows the head in the payload: the first part of the body.
    pub fn body(&self) -> &'a [u8] {
        self.body
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = (&'a [u8], &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        let name = self.reader.short().ok()?;
        let value = self.reader.long().ok()?;
        Some((name, value))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl ExactSizeIterator for Fields<'_> {}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    type OwnedFields = Vec<(Vec<u8>, Vec<u8>)>;

    fn borrowed(fields: &OwnedFields) -> impl ExactSizeIterator<Item = (&[u8], &[u8])> {
        fields.iter().map(|(name, value)| (&name[..], &value[..]))
    }

    fn fields() -> impl Strategy<Value = OwnedFields> {
        let bytes = || prop::collection::vec(any::<u8>(), 0..40);
        prop::collection::vec((bytes(), bytes()), 0..20)
    }

    proptest! {
        #[test]
        fn a_request_head_is_read_as_it_was_put(
            method in "[A-Z]{1,8}",
            raw_path in prop::collection::vec(any::<u8>(), 0..100),
            query in prop::collection::vec(any::<u8>(), 0..100),
            port in any::<u16>(),
            marks in any::<(bool, bool, bool)>(),
            fields in fields(),
            body in prop::collection::vec(any::<u8>(), 0..100),
        ) {
            let head = RequestHead {
                method: &method,
                version: HttpVersion::Http11,
                secure: marks.0,
                websocket: marks.1,
                expects_continue: marks.2,
                raw_path: &raw_path,
                query: &query,
                client: Address { host: "::1", port },
                server: Address::default(),
            };
            let mut payload = Vec::new();
            head.put(&mut payload, borrowed(&fields)).unwrap();
            payload.extend_from_slice(&body);
            let (found, found_fields) = RequestHead::parse(&payload).unwrap();
            prop_assert_eq!(found, head);
            prop_assert_eq!(found_fields.body(), &body[..]);
            prop_assert!(found_fields.eq(borrowed(&fields)));
        }

        #[test]
        fn a_cut_head_is_refused(fields in fields(), cut in any::<prop::sample::Index>()) {
            let mut payload = Vec::new();
            ResponseHead::put(&mut payload, 200, borrowed(&fields)).unwrap();
            let cut = cut.index(payload.len());
            prop_assert!(ResponseHead::parse(&payload[..cut]).is_err());
        }

        #[test]
        fn hostile_heads_never_panic(payload in prop::collection::vec(any::<u8>(), 0..300)) {
            if let Ok((_, fields)) = RequestHead::parse(&payload) {
                let _ = fields.count();
            }
            if let Ok(head) = ResponseHead::parse(&payload) {
                let announced = head.fields.len();
                prop_assert_eq!(head.fields.count(), announced);
            }
        }
    }
}
