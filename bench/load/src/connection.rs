//! One client connection: open it, send a request, read the answer.
//!
//! Used by `rate` and `idle`. It never repeats a request: whether a lost one may be sent again is for the caller, and
//! the bench counts it as lost.

use std::io;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::fault::Fault;
use crate::http::{self, Answer};
use crate::target::Target;

/// An open connection, with the bytes that came and were not yet taken as part of an answer.
pub struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    pub async fn open(target: &Target) -> Result<Self, Fault> {
        let stream = open_stream(target).await?;
        Ok(Self { stream, buffer: Vec::new() })
    }

    /// Sends `request` and waits for its complete answer. After an error the connection must not be used again.
    pub async fn exchange(&mut self, request: &[u8]) -> Result<Answer, Fault> {
        self.stream.write_all(request).await.map_err(|error| Fault::from_exchange(&error, 0))?;
        loop {
            let read = self.stream.read_buf(&mut self.buffer).await;
            let closed = read.map_err(|error| Fault::from_exchange(&error, self.buffer.len()))? == 0;
            if let Some((answer, length)) = http::parse_answer(&self.buffer, closed)? {
                self.buffer.drain(..length);
                return Ok(answer);
            }
            if closed {
                return Err(if self.buffer.is_empty() { Fault::ClosedBeforeAnswer } else { Fault::ClosedInAnswer });
            }
        }
    }

    /// Whether the server has closed this connection, or sent what nobody asked for, since the last exchange. A client
    /// that looks before it sends then opens a new one, and nothing is lost.
    pub fn is_stale(&self) -> bool {
        let mut byte = [0];
        match self.stream.try_read(&mut byte) {
            Err(error) => error.kind() != io::ErrorKind::WouldBlock,
            Ok(_) => true,
        }
    }
}

/// A TCP connection without Nagle's delay, as every client library opens it.
pub async fn open_stream(target: &Target) -> Result<TcpStream, Fault> {
    let stream = TcpStream::connect(target.address).await.map_err(|error| Fault::from_connecting(&error))?;
    stream.set_nodelay(true).map_err(|_| Fault::Connect)?;
    Ok(stream)
}
