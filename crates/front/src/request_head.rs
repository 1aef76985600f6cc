//! From hyper's request head to the payload that a worker reads.

use andon_wire::{
    WireError,
    head::{HttpVersion, RequestHead},
};
use http::{HeaderMap, Version, header::HOST, request::Parts};

use crate::connection::Connection;

/// What the service has found out about a request.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Traits {
    /// It asks for a WebSocket and can have one.
    pub(crate) websocket: bool,
    /// The client waits for `100 Continue`.
    pub(crate) expects_continue: bool,
    /// Bytes of the body that will follow in the payload.
    pub(crate) inline_body: usize,
}

/// Bytes of a head beside its target, fields and addresses, rounded up.
const FIXED: usize = 64;

/// The payload: the head, with room for the inline body behind it.
///
/// Fields come in the order in which their names were first sent; those of one name follow each other in the order in
/// which they were sent. That is how hyper keeps them, and no rule of HTTP lets more than that matter (RFC 9110 section
/// 5.3).
pub(crate) fn payload(parts: &Parts, connection: &Connection, traits: Traits) -> Result<Vec<u8>, WireError> {
    let client = connection.client.address();
    let server = connection.server.address();
    let head = RequestHead {
        method: parts.method.as_str(),
        version: if parts.version == Version::HTTP_10 { HttpVersion::Http10 } else { HttpVersion::Http11 },
        secure: false,
        websocket: traits.websocket,
        expects_continue: traits.expects_continue,
        raw_path: parts.uri.path().as_bytes(),
        query: parts.uri.query().unwrap_or_default().as_bytes(),
        client,
        server,
    };
    let target = head.method.len() + head.raw_path.len() + head.query.len();
    let fields: usize = parts.headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 6).sum();
    let mut out =
        Vec::with_capacity(FIXED + target + client.host.len() + server.host.len() + fields + traits.inline_body);
    // RFC 9112 section 3.2.2: the authority of an absolute target replaces the Host field.
    let host = parts.uri.authority().map(|authority| authority.as_str().as_bytes());
    head.put(&mut out, Counted { left: parts.headers.len(), fields: fields_of(&parts.headers, host) })?;
    Ok(out)
}

fn fields_of<'a>(fields: &'a HeaderMap, host: Option<&'a [u8]>) -> impl Iterator<Item = (&'a [u8], &'a [u8])> {
    fields.iter().map(move |(name, value)| match host {
        Some(host) if name == HOST => (name.as_str().as_bytes(), host),
        _ => (name.as_str().as_bytes(), value.as_bytes()),
    })
}

/// An iterator whose length is known, though its type does not say so.
struct Counted<I> {
    left: usize,
    fields: I,
}

impl<I: Iterator> Iterator for Counted<I> {
    type Item = I::Item;

    fn next(&mut self) -> Option<I::Item> {
        let field = self.fields.next()?;
        self.left -= 1;
        Some(field)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl<I: Iterator> ExactSizeIterator for Counted<I> {}
