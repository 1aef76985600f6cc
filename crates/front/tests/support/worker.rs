//! The other end of the link: speaks the wire as a worker does, under a test's control.

use std::{os::unix::net::UnixStream as StdStream, sync::Arc};

use andon_link::{Attached, Notice, Workers};
use andon_wire::{
    FLOW_WINDOW, Flags, Frame, FromWorker, ToWorker, Usage,
    frame::{NO_SLOT, put_frame, split_frame},
    head::{RequestHead, ResponseHead},
    memory::SharedMemory,
    websocket::Close,
};
use bytes::{Bytes, BytesMut};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::UnixStream,
};

pub struct Worker {
    memory: SharedMemory,
    attached: Attached,
    stream: UnixStream,
    input: BytesMut,
}

/// A request as the worker got it.
pub struct Request {
    pub slot: (u32, u32),
    pub payload: Bytes,
    pub end: bool,
}

impl Request {
    pub fn head(&self) -> RequestHead<'_> {
        RequestHead::parse(&self.payload).unwrap().0
    }

    pub fn fields(&self) -> Vec<(String, String)> {
        let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
        RequestHead::parse(&self.payload).unwrap().1.map(|(name, value)| (text(name), text(value))).collect()
    }

    pub fn body(&self) -> &[u8] {
        RequestHead::parse(&self.payload).unwrap().1.body()
    }
}

type Fields<'a> = &'a [(&'a str, &'a str)];

impl Worker {
    pub async fn ready(workers: &Arc<Workers>) -> Self {
        let (ours, theirs) = StdStream::pair().unwrap();
        theirs.set_nonblocking(true).unwrap();
        let memory = SharedMemory::create().unwrap();
        let shared = SharedMemory::open(memory.descriptor().try_clone_to_owned().unwrap()).unwrap();
        let attached = workers.attach(1, ours, memory).unwrap();
        let stream = UnixStream::from_std(theirs).unwrap();
        let mut worker = Self { memory: shared, attached, stream, input: BytesMut::new() };
        worker.send(FromWorker::Ready, Flags::NONE, (NO_SLOT, 0), &[]).await;
        assert!(matches!(worker.attached.notices.recv().await, Some(Notice::Ready)));
        worker
    }

    pub async fn send(&mut self, kind: FromWorker, flags: Flags, (slot, generation): (u32, u32), payload: &[u8]) {
        let mut bytes = Vec::new();
        put_frame(&mut bytes, kind as u8, flags, slot, generation, payload);
        self.stream.write_all(&bytes).await.unwrap();
    }

    /// The next frame, of whatever kind.
    pub async fn frame(&mut self) -> (ToWorker, Frame) {
        loop {
            if let Some(frame) = split_frame(&mut self.input, Bytes::copy_from_slice).unwrap() {
                return (ToWorker::try_from(frame.header.kind).unwrap(), frame);
            }
            assert_ne!(self.stream.read_buf(&mut self.input).await.unwrap(), 0, "the link has ended");
        }
    }

    pub async fn expect(&mut self, kind: ToWorker) -> Frame {
        let (actual, frame) = self.frame().await;
        assert_eq!(actual, kind);
        frame
    }

    /// Takes up the next request. Notices that earlier exchanges are over are passed by.
    pub async fn request(&mut self) -> Request {
        loop {
            let (kind, frame) = self.frame().await;
            if kind != ToWorker::Request {
                assert!(matches!(kind, ToWorker::Disconnect | ToWorker::ResponseCredit), "{kind:?}");
                continue;
            }
            let header = frame.header;
            assert!(self.memory.slot(header.slot).unwrap().claim(header.generation));
            self.memory.executor().count_taken();
            let slot = (header.slot, header.generation);
            return Request { slot, payload: frame.payload, end: header.flags.contains(Flags::END) };
        }
    }

    /// A whole answer, with which the application's callable ends.
    pub async fn answer(&mut self, request: &Request, status: u16, fields: Fields<'_>, body: &[u8]) {
        self.begin(request, status, fields, body, true).await;
        self.finish(request, false).await;
    }

    pub async fn begin(&mut self, request: &Request, status: u16, fields: Fields<'_>, body: &[u8], end: bool) {
        let mut payload = head(status, fields);
        payload.extend_from_slice(body);
        self.send(FromWorker::Response, Flags::NONE.with(Flags::END, end), request.slot, &payload).await;
    }

    pub async fn body(&mut self, request: &Request, body: &[u8], end: bool) {
        self.send(FromWorker::ResponseBody, Flags::NONE.with(Flags::END, end), request.slot, body).await;
    }

    pub async fn finish(&mut self, request: &Request, failed: bool) {
        self.memory.slot(request.slot.0).unwrap().finish(request.slot.1);
        let usage = Usage::default().to_bytes();
        self.send(FromWorker::Finished, Flags::NONE.with(Flags::FAILED, failed), request.slot, &usage).await;
    }

    pub async fn credit(&mut self, request: &Request, bytes: usize) {
        self.send(FromWorker::RequestCredit, Flags::NONE, request.slot, &(bytes as u32).to_le_bytes()).await;
    }

    // WebSockets

    /// Takes up a WebSocket and accepts it.
    pub async fn accept(&mut self, fields: Fields<'_>) -> Request {
        let request = self.request().await;
        assert!(request.head().websocket);
        self.send(FromWorker::WebSocketAccept, Flags::NONE, request.slot, &head(101, fields)).await;
        self.credit(&request, FLOW_WINDOW).await;
        request
    }

    pub async fn message(&mut self, request: &Request, text: bool, bytes: &[u8]) {
        let flags = Flags::END.with(Flags::TEXT, text);
        self.send(FromWorker::WebSocketMessage, flags, request.slot, bytes).await;
    }

    pub async fn close(&mut self, request: &Request, code: u16, reason: &str) {
        let mut payload = Vec::new();
        Close { code, reason: reason.to_owned() }.put(&mut payload);
        self.send(FromWorker::WebSocketClose, Flags::END, request.slot, &payload).await;
    }

    /// The next message: whether it is text, and its bytes.
    pub async fn received(&mut self) -> (bool, Vec<u8>) {
        let mut message = Vec::new();
        loop {
            let frame = self.expect(ToWorker::WebSocketMessage).await;
            message.extend_from_slice(&frame.payload);
            if frame.header.flags.contains(Flags::END) {
                return (frame.header.flags.contains(Flags::TEXT), message);
            }
        }
    }

    /// How the front says that the WebSocket has ended.
    pub async fn closed(&mut self) -> (u16, String) {
        let close = Close::parse(&self.expect(ToWorker::WebSocketDisconnect).await.payload).unwrap();
        (close.code, close.reason)
    }
}

fn head(status: u16, fields: Fields<'_>) -> Vec<u8> {
    let mut payload = Vec::new();
    let fields = fields.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes()));
    ResponseHead::put(&mut payload, status, fields).unwrap();
    payload
}
