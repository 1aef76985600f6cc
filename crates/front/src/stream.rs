//! A client's socket as hyper sees it: it tells the connection's [`Watch`] what arrives, ends the connection when a
//! time-out has passed, and closes so that the client gets to read what was written last.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, ready},
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    time::{Sleep, sleep},
};

use crate::{
    connection::Connection,
    interim::Interim,
    watch::{Expired, Watch},
};

/// How long a client that still sends may go on doing so after its answer, before the socket is closed.
const LINGER: Duration = Duration::from_secs(2);

/// Marks a connection whose client may still be sending when it is closed.
///
/// Closing a socket with unread bytes makes the kernel send a reset, which can overtake the answer (a 413, say) and
/// make the client lose it (RFC 9112 section 9.6).
#[derive(Debug, Default)]
pub(crate) struct Unread(AtomicBool);

impl Unread {
    /// The rest of the request will not be read.
    pub(crate) fn mark(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    fn is_marked(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// The socket. Owned by hyper, and after an upgrade by the WebSocket session.
#[derive(Debug)]
pub(crate) struct Stream {
    socket: TcpStream,
    watch: Arc<Watch>,
    unread: Arc<Unread>,
    interim: Arc<Interim>,
    /// What was read before; it comes first.
    ahead: Bytes,
    linger: Option<Pin<Box<Sleep>>>,
}

impl Stream {
    /// `ahead` is what was read from the socket already.
    pub(crate) fn new(socket: TcpStream, ahead: Bytes, connection: &Connection) -> Self {
        Self {
            socket,
            watch: Arc::clone(&connection.watch),
            unread: Arc::clone(&connection.unread),
            interim: Arc::clone(&connection.interim),
            ahead,
            linger: None,
        }
    }

    /// The bare socket, for a protocol that has its own time-outs.
    pub(crate) fn into_socket(self) -> TcpStream {
        self.socket
    }

    /// Answers a head that took too long, as far as that is possible without waiting.
    fn refuse_slow_head(&mut self, context: &mut Context<'_>) {
        let date = httpdate::fmt_http_date(SystemTime::now());
        let answer = format!(
            "HTTP/1.1 408 Request Timeout\r\ndate: {date}\r\ncontent-type: text/plain; charset=utf-8\r\n\
             content-length: 15\r\nconnection: close\r\n\r\nRequest Timeout"
        );
        // A client that does not even take these bytes is not owed more of an explanation.
        let _ = Pin::new(&mut self.socket).poll_write(context, answer.as_bytes());
    }

    /// Writes the 1xx heads that wait.
    fn poll_write_interim(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while let Some(rest) = self.interim.rest() {
            let count = ready!(Pin::new(&mut self.socket).poll_write(context, &rest))?;
            self.interim.advance(count);
        }
        Poll::Ready(Ok(()))
    }

    /// hyper writes an answer: it is too late for a 1xx head, unless a part of it is written.
    fn poll_before_answer(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.interim.must_finish() { self.poll_write_interim(context) } else { Poll::Ready(Ok(())) }
    }

    /// Reads and forgets until the client closes or [`LINGER`] is over.
    fn poll_linger(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let linger = self.linger.get_or_insert_with(|| Box::pin(sleep(LINGER)));
        let mut scratch = [0; 8 * 1024];
        while linger.as_mut().poll(context).is_pending() {
            let mut buffer = ReadBuf::new(&mut scratch);
            match ready!(Pin::new(&mut self.socket).poll_read(context, &mut buffer)) {
                Ok(()) if !buffer.filled().is_empty() => {}
                Ok(()) | Err(_) => break,
            }
        }
        Poll::Ready(())
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        match this.watch.expired() {
            None => {}
            // To hyper both are the end of the stream; between requests it then closes in silence.
            Some(Expired::Idle) => return Poll::Ready(Ok(())),
            Some(Expired::Head) => {
                this.refuse_slow_head(context);
                return Poll::Ready(Ok(()));
            }
            // The service answers 408 itself.
            Some(Expired::Body) => {}
        }
        if !this.ahead.is_empty() {
            let count = this.ahead.len().min(buffer.remaining());
            let first = this.ahead.split_to(count);
            this.watch.arrived(&first);
            buffer.put_slice(&first);
            return Poll::Ready(Ok(()));
        }
        let before = buffer.filled().len();
        ready!(Pin::new(&mut this.socket).poll_read(context, buffer))?;
        this.watch.arrived(&buffer.filled()[before..]);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Stream {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        ready!(self.poll_before_answer(context))?;
        let written = Pin::new(&mut self.socket).poll_write(context, bytes);
        self.watch.set_blocked(written.is_pending());
        written
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_before_answer(context))?;
        let written = Pin::new(&mut self.socket).poll_write_vectored(context, slices);
        self.watch.set_blocked(written.is_pending());
        written
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_write_interim(context))?;
        Pin::new(&mut self.socket).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.linger.is_none() {
            ready!(Pin::new(&mut self.socket).poll_shutdown(context))?;
        }
        if self.unread.is_marked() {
            ready!(self.poll_linger(context));
        }
        Poll::Ready(Ok(()))
    }
}
