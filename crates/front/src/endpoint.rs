//! The text forms of a socket address, made once per connection because every request head and log line needs them.

use std::net::SocketAddr;

use andon_wire::head::Address;

/// One end of a connection.
#[derive(Debug)]
pub(crate) struct Endpoint {
    host: String,
    port: u16,
    text: String,
}

impl Endpoint {
    /// An IPv4 address that came in over an IPv6 socket is shown as what it is.
    pub(crate) fn new(address: SocketAddr) -> Self {
        let address = SocketAddr::new(address.ip().to_canonical(), address.port());
        Self { host: address.ip().to_string(), port: address.port(), text: address.to_string() }
    }

    /// For request heads.
    pub(crate) fn address(&self) -> Address<'_> {
        Address { host: &self.host, port: self.port }
    }

    /// For the access log: with port, IPv6 in brackets.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }
}
