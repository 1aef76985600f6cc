//! The other end of a link: speaks the wire as a worker does, under a test's control.

use std::{os::unix::net::UnixStream as StdStream, sync::Arc};

use andon_link::{Attached, Notice, Workers};
use andon_wire::{
    Flags, Frame, FromWorker, ToWorker,
    frame::{NO_SLOT, put_frame, split_frame},
    memory::SharedMemory,
};
use bytes::{Bytes, BytesMut};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::UnixStream,
};

pub struct FakeWorker {
    pub memory: SharedMemory,
    pub attached: Attached,
    stream: UnixStream,
    input: BytesMut,
}

impl FakeWorker {
    /// A worker that is attached and ready.
    pub async fn ready(workers: &Arc<Workers>) -> Self {
        let mut worker = Self::attached(workers);
        worker.send(FromWorker::Ready, Flags::NONE, (NO_SLOT, 0), &[]).await;
        assert!(matches!(worker.attached.notices.recv().await, Some(Notice::Ready)));
        worker
    }

    pub fn attached(workers: &Arc<Workers>) -> Self {
        let (ours, theirs) = StdStream::pair().unwrap();
        theirs.set_nonblocking(true).unwrap();
        let memory = SharedMemory::create().unwrap();
        let shared = SharedMemory::open(memory.descriptor().try_clone_to_owned().unwrap()).unwrap();
        let attached = workers.attach(1, ours, memory).unwrap();
        Self { memory: shared, attached, stream: UnixStream::from_std(theirs).unwrap(), input: BytesMut::new() }
    }

    pub async fn send(&mut self, kind: FromWorker, flags: Flags, (slot, generation): (u32, u32), payload: &[u8]) {
        let mut bytes = Vec::new();
        put_frame(&mut bytes, kind as u8, flags, slot, generation, payload);
        self.send_raw(&bytes).await;
    }

    pub async fn send_raw(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.unwrap();
    }

    /// The next frame, which must be of this kind.
    pub async fn expect(&mut self, kind: ToWorker) -> Frame {
        loop {
            if let Some(frame) = split_frame(&mut self.input, Bytes::copy_from_slice).unwrap() {
                assert_eq!(ToWorker::try_from(frame.header.kind), Ok(kind));
                return frame;
            }
            assert_ne!(self.stream.read_buf(&mut self.input).await.unwrap(), 0, "the link has ended");
        }
    }

    /// Takes up the next request, as a worker does that comes past it. `None`: it was recalled.
    pub async fn take(&mut self) -> Option<(u32, u32)> {
        let header = self.expect(ToWorker::Request).await.header;
        let claimed = self.memory.slot(header.slot).unwrap().claim(header.generation);
        self.memory.executor().count_taken();
        claimed.then_some((header.slot, header.generation))
    }
}
