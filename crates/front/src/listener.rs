//! Binding the listening socket, before any worker is started, so that a port in use is told at once.
//!
//! As under uvicorn an IPv6 address takes IPv6 only, and of a name the first address that can be bound is taken, IPv4
//! before IPv6.

use std::{
    io,
    net::{SocketAddr, TcpListener, ToSocketAddrs},
};

use andon_config::Binding;
use socket2::{Domain, Protocol, Socket, Type};
use thiserror::Error;

/// A socket that listens.
#[derive(Debug)]
pub struct Listener {
    /// The socket, non-blocking.
    pub socket: TcpListener,
    /// Where it listens; with the port that the system chose if 0 was asked for.
    pub address: SocketAddr,
}

/// Why an address could not be listened on.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum BindError {
    /// Another socket listens there.
    #[error(
        "`{address}` is in use\n\nhint: stop the process that listens there, or choose another --port (0 takes a free one)"
    )]
    InUse {
        /// The address.
        address: SocketAddr,
    },
    /// The user may not listen there.
    #[error("no permission to listen on `{address}`\n\nhint: ports below 1024 need privileges; choose another --port")]
    Permission {
        /// The address.
        address: SocketAddr,
    },
    /// This machine does not have the address.
    #[error("`{address}` is not an address of this machine\n\nhint: --host 0.0.0.0 listens on all of them")]
    NotHere {
        /// The address.
        address: SocketAddr,
    },
    /// The host is neither an address nor a name that is known.
    #[error("cannot resolve the host `{host}`: {source}\n\nhint: give --host an IP address or a name of this machine")]
    Resolve {
        /// As given.
        host: String,
        /// What the resolver said.
        source: io::Error,
    },
    /// Something else.
    #[error("cannot listen on `{address}`: {source}")]
    Other {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
}

impl BindError {
    fn new(address: SocketAddr, source: io::Error) -> Self {
        match source.kind() {
            io::ErrorKind::AddrInUse => BindError::InUse { address },
            io::ErrorKind::PermissionDenied => BindError::Permission { address },
            io::ErrorKind::AddrNotAvailable => BindError::NotHere { address },
            _ => BindError::Other { address, source },
        }
    }
}

/// Listens where `binding` says. Resolving a name may block.
pub fn bind(binding: &Binding) -> Result<Listener, BindError> {
    let mut failure = None;
    for address in resolve(&binding.host, binding.port)? {
        match listen(address, binding.backlog) {
            Ok(listener) => return Ok(listener),
            Err(error) => {
                failure.get_or_insert(BindError::new(address, error));
            }
        }
    }
    let host = binding.host.clone();
    Err(failure.unwrap_or(BindError::Resolve { host, source: io::Error::other("the name has no address") }))
}

fn resolve(host: &str, port: u16) -> Result<Vec<SocketAddr>, BindError> {
    let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
    let found = (bare, port).to_socket_addrs();
    let mut addresses: Vec<SocketAddr> =
        found.map_err(|source| BindError::Resolve { host: host.to_owned(), source })?.collect();
    addresses.sort_by_key(SocketAddr::is_ipv6);
    Ok(addresses)
}

fn listen(address: SocketAddr, backlog: u32) -> io::Result<Listener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    // A restarted server must not wait for the TIME_WAIT of its predecessor's connections.
    socket.set_reuse_address(true)?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(i32::try_from(backlog).unwrap_or(i32::MAX))?;
    let socket = TcpListener::from(socket);
    let address = socket.local_addr()?;
    Ok(Listener { socket, address })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn binding(host: &str, port: u16) -> Binding {
        Binding { host: host.to_owned(), port, backlog: 16 }
    }

    #[test]
    fn port_zero_takes_a_free_one() {
        let listener = bind(&binding("127.0.0.1", 0)).unwrap();
        assert_ne!(listener.address.port(), 0);
    }

    #[test]
    fn port_in_use_is_told_as_such() {
        let first = bind(&binding("127.0.0.1", 0)).unwrap();
        let error = bind(&binding("127.0.0.1", first.address.port())).unwrap_err();
        assert!(matches!(error, BindError::InUse { .. }), "{error}");
    }

    #[test]
    fn unknown_host_is_told_as_such() {
        let error = bind(&binding("no such host.invalid", 0)).unwrap_err();
        assert!(matches!(error, BindError::Resolve { .. }), "{error}");
    }

    #[test]
    fn foreign_address_is_told_as_such() {
        let error = bind(&binding("192.0.2.1", 0)).unwrap_err();
        assert!(matches!(error, BindError::NotHere { .. }), "{error}");
    }

    #[test]
    fn brackets_around_an_address_are_taken_off() {
        assert_eq!(resolve("[::1]", 80).unwrap(), ["[::1]:80".parse().unwrap()]);
    }
}
