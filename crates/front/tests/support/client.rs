//! A client that sends bytes and reads answers, without any cleverness that could hide a fault of the server.

use std::net::SocketAddr;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

pub struct Client {
    pub socket: TcpStream,
    pub input: Vec<u8>,
}

/// An answer as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    pub fields: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|field| field.0 == name).map(|field| field.1.as_str())
    }
}

impl Client {
    pub async fn connect(address: SocketAddr) -> Self {
        Self { socket: TcpStream::connect(address).await.unwrap(), input: Vec::new() }
    }

    pub async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.socket.write_all(bytes.as_ref()).await.unwrap();
    }

    pub async fn get(&mut self, target: &str) {
        self.send(format!("GET {target} HTTP/1.1\r\nhost: test\r\n\r\n")).await;
    }

    /// Reads until `end` and returns all up to and with it.
    pub async fn read_until(&mut self, end: &[u8]) -> Vec<u8> {
        loop {
            if let Some(at) = self.input.windows(end.len()).position(|window| window == end) {
                return self.input.drain(..at + end.len()).collect();
            }
            let so_far = String::from_utf8_lossy(&self.input).into_owned();
            assert_ne!(self.socket.read_buf(&mut self.input).await.unwrap(), 0, "closed after {so_far:?}");
        }
    }

    pub async fn read_exactly(&mut self, count: usize) -> Vec<u8> {
        while self.input.len() < count {
            assert_ne!(self.socket.read_buf(&mut self.input).await.unwrap(), 0, "closed");
        }
        self.input.drain(..count).collect()
    }

    /// Everything up to the end of the connection, however it ends.
    pub async fn read_to_end(&mut self) -> Vec<u8> {
        while let Ok(1..) = self.socket.read_buf(&mut self.input).await {}
        std::mem::take(&mut self.input)
    }

    /// Whether the server closes the connection without another byte.
    pub async fn is_closed(&mut self) -> bool {
        self.read_to_end().await.is_empty()
    }

    /// A head without its body.
    pub async fn head(&mut self) -> Answer {
        let head = String::from_utf8(self.read_until(b"\r\n\r\n").await).unwrap();
        let mut lines = head.split("\r\n").filter(|line| !line.is_empty());
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let fields = lines.map(|line| line.split_once(": ").unwrap());
        let fields = fields.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        Answer { status, fields, body: Vec::new() }
    }

    /// A whole answer.
    pub async fn answer(&mut self) -> Answer {
        let mut answer = self.head().await;
        if let Some(length) = answer.field("content-length") {
            answer.body = self.read_exactly(length.parse().unwrap()).await;
        } else if answer.field("transfer-encoding") == Some("chunked") {
            while let Some(chunk) = self.chunk().await {
                answer.body.extend_from_slice(&chunk);
            }
        }
        answer
    }

    /// A chunk; `None` for the last.
    pub async fn chunk(&mut self) -> Option<Vec<u8>> {
        let size = String::from_utf8(self.read_until(b"\r\n").await).unwrap();
        let size = usize::from_str_radix(size.trim(), 16).unwrap();
        let mut chunk = self.read_exactly(size + 2).await;
        chunk.truncate(size);
        (size > 0).then_some(chunk)
    }
}
