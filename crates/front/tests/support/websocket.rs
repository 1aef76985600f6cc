//! The client's side of a WebSocket: frames by hand.

use super::{Client, Server};

/// A frame as it came from the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    pub first: u8,
    pub payload: Vec<u8>,
}

pub const TEXT: u8 = 0x81;
pub const BINARY: u8 = 0x82;
pub const CLOSE: u8 = 0x88;
pub const PING: u8 = 0x89;
pub const PONG: u8 = 0x8a;
/// The bit of a compressed message.
pub const COMPRESSED: u8 = 0x40;

/// The request that opens a WebSocket, with further fields.
pub fn handshake(fields: &str) -> String {
    format!(
        "GET /ws HTTP/1.1\r\nhost: a\r\nconnection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n\
         sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n{fields}\r\n"
    )
}

/// The bytes of a masked frame.
pub fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mask = [0x12, 0x34, 0x56, 0x78];
    let mut bytes = vec![first];
    match payload.len() {
        length @ 0..=125 => bytes.push(0x80 | length as u8),
        length @ 126..=65_535 => {
            bytes.push(0x80 | 126);
            bytes.extend_from_slice(&(length as u16).to_be_bytes());
        }
        length => {
            bytes.push(0x80 | 127);
            bytes.extend_from_slice(&(length as u64).to_be_bytes());
        }
    }
    bytes.extend_from_slice(&mask);
    bytes.extend(payload.iter().enumerate().map(|(at, byte)| byte ^ mask[at % 4]));
    bytes
}

/// The payload of a close frame.
pub fn closing(code: u16, reason: &str) -> Vec<u8> {
    [&code.to_be_bytes(), reason.as_bytes()].concat()
}

impl Server {
    /// Asks for a WebSocket; the worker has yet to accept it.
    pub async fn open(&self, fields: &str) -> Client {
        let mut client = self.connect().await;
        client.send(handshake(fields)).await;
        client
    }
}

impl Client {
    pub async fn send_frame(&mut self, first: u8, payload: &[u8]) {
        self.send(frame(first, payload)).await;
    }

    pub async fn frame(&mut self) -> Frame {
        let start = self.read_exactly(2).await;
        assert!(start[1] & 0x80 == 0, "a server does not mask");
        let length = match start[1] {
            126 => u16::from_be_bytes(self.read_exactly(2).await.try_into().unwrap()).into(),
            127 => u64::from_be_bytes(self.read_exactly(8).await.try_into().unwrap()),
            length => length.into(),
        };
        Frame { first: start[0], payload: self.read_exactly(length as usize).await }
    }

    /// The next frame, which must be a close frame with this code.
    pub async fn expect_close(&mut self, code: u16) {
        let frame = self.frame().await;
        assert_eq!((frame.first, frame.payload.get(..2)), (CLOSE, Some(&code.to_be_bytes()[..])), "{frame:?}");
    }
}
