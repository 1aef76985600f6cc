//! What can go wrong with one exchange, as the kinds that reports count.
//!
//! The names are part of the JSON that the bench reads; a hang shows as `timeout`.

use std::io;

use serde::Serialize;

/// A failed exchange. The order is the order in reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    #[error("connection refused")]
    Refused,
    #[error("connection could not be opened")]
    Connect,
    #[error("every connection was busy until the time-out, so the request was never sent")]
    NoFreeConnection,
    #[error("connection reset by the server")]
    Reset,
    #[error("connection closed before the answer began")]
    ClosedBeforeAnswer,
    #[error("connection closed in the middle of the answer")]
    ClosedInAnswer,
    #[error("no complete answer within the time-out")]
    Timeout,
    #[error("answer that is not HTTP/1.1 or is too large")]
    Malformed,
    #[error("WebSocket handshake refused")]
    Handshake,
    #[error("echo differs from what was sent")]
    WrongEcho,
}

impl Fault {
    /// The fault of a connection that could not be opened.
    pub fn from_connecting(error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::ConnectionRefused => Self::Refused,
            _ => Self::Connect,
        }
    }

    /// The fault of an open connection on which `received` bytes of the answer had come.
    pub fn from_exchange(error: &io::Error, received: usize) -> Self {
        match error.kind() {
            io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionAborted => {
                Self::Reset
            }
            _ if received == 0 => Self::ClosedBeforeAnswer,
            _ => Self::ClosedInAnswer,
        }
    }
}
