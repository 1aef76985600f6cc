//! An open WebSocket: the client's socket on one side, the exchange on the other, one task for both.
//!
//! A turn of the task takes everything that is there: all messages of the application are framed into one buffer, all
//! bytes of the client are read and taken apart, and the buffer is written with one call. So a burst of small messages
//! costs one system call and one wake-up each way.
//!
//! ```text
//!            application closes, finishes or is lost;
//!            shutdown                                     client's close, its end, or violation
//!   Open ----------------------------------> Closing -----------------------------------------> Ended
//!     '------------ client's close, its end, violation, or no pong ------------------------------^
//! ```
//! Closing and Ended last for [`CLOSE_TIMEOUT`] at most. The application is told of the end exactly once. Its messages
//! are granted again only when they have been written, and its client is read only while it has credit: neither side
//! can fill this process's memory.

use std::{
    future::poll_fn,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use andon_link::{Event, Exchange, RequestSender};
use andon_wire::websocket::Close;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{Instant, Sleep, sleep_until, timeout},
};

use super::{
    close::{self, ABNORMAL, INTERNAL_ERROR, NORMAL, RESTART, Violation},
    deflate::{Deflater, Inflater},
    frame::Opcode,
    inbox::{Inbox, Step},
    keep_alive::{Due, KeepAlive},
    message::{Assembler, Item},
    offer::Agreement,
    outbox::Outbox,
};
use crate::{
    closing::{Stage, Stages},
    front::Shared,
    record::Record,
};

/// How long the client may take to answer a close frame, as under uvicorn.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a client that broke the protocol is listened to after its close frame, so that it gets to read it.
const LINGER: Duration = Duration::from_secs(2);

/// Far away, for a timer that has nothing to wait for.
const NEVER: Duration = Duration::from_secs(365 * 24 * 3600);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Open,
    /// Our close frame is out; the client's is waited for.
    Closing,
    /// What is in the outbox is still written.
    Ended,
}

/// One WebSocket.
#[derive(Debug)]
pub(crate) struct Session {
    socket: TcpStream,
    exchange: Exchange,
    sender: RequestSender,
    inbox: Inbox,
    outbox: Outbox,
    keep_alive: KeepAlive,
    timer: Pin<Box<Sleep>>,
    front: Arc<Shared>,
    phase: Phase,
    /// The client broke the protocol: what else it sends means nothing.
    deaf: bool,
    /// The client is not read, because the application does not take what it has sent.
    held_back: bool,
    /// How it ended, once that is known.
    close_code: Option<u16>,
    record: Option<Box<Record>>,
}

impl Session {
    /// `read` are bytes that came right behind the handshake.
    pub(crate) fn new(
        socket: TcpStream,
        read: &[u8],
        exchange: Exchange,
        deflate: Option<Agreement>,
        front: &Arc<Shared>,
    ) -> Self {
        let settings = &front.settings.websocket;
        let now = Instant::now();
        let mut keep_alive = KeepAlive::new(settings.ping_interval, settings.ping_timeout, now);
        let (_, first_look) = keep_alive.check(now);
        Self {
            sender: exchange.sender(),
            inbox: Inbox::new(Assembler::new(deflate.map(Inflater::new), settings.max_size), read),
            outbox: Outbox::new(deflate.map(Deflater::new)),
            keep_alive,
            timer: Box::pin(sleep_until(first_look.unwrap_or(now + NEVER))),
            front: Arc::clone(front),
            phase: Phase::Open,
            deaf: false,
            held_back: false,
            close_code: None,
            record: None,
            socket,
            exchange,
        }
    }

    /// Serves the WebSocket until its end.
    pub(crate) async fn run(mut self, record: Option<Box<Record>>) {
        self.record = record;
        let front = Arc::clone(&self.front);
        let mut stages = Stages::new(&front.closing);
        poll_fn(|context| {
            match stages.look(context) {
                Stage::Draining if self.phase == Phase::Open => self.close(code(RESTART)),
                Stage::Serving | Stage::Draining => {}
                Stage::Cut => return Poll::Ready(()),
            }
            self.poll(context)
        })
        .await;
        self.finish().await;
    }

    async fn finish(mut self) {
        if self.close_code.is_none() {
            self.tell(code(ABNORMAL));
        }
        if let (Some(record), Some(code)) = (&mut self.record, self.close_code) {
            record.set_close_code(code);
        }
        drop(self.record.take());
        if self.socket.shutdown().await.is_ok() && self.deaf {
            let mut scratch = [0; 4096];
            let rest = async { while matches!(self.socket.read(&mut scratch).await, Ok(1..)) {} };
            let _ = timeout(LINGER, rest).await;
        }
    }

    /// One turn. Ready at the end.
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<()> {
        loop {
            self.take_events(context);
            self.take_input(context);
            if self.poll_timer(context).is_ready() {
                return Poll::Ready(());
            }
            let was_full = self.outbox.is_full();
            match self.outbox.poll_write(&mut self.socket, context) {
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(_)) => {
                    self.lose();
                    return Poll::Ready(());
                }
                Poll::Pending => return Poll::Pending,
            }
            if self.phase == Phase::Ended {
                return Poll::Ready(());
            }
            if let Some(bytes) = self.outbox.take_grant() {
                self.exchange.grant(bytes);
            }
            if !was_full {
                return Poll::Pending;
            }
        }
    }

    // Application => client

    fn take_events(&mut self, context: &mut Context<'_>) {
        while self.phase != Phase::Ended && !self.outbox.is_full() {
            match self.exchange.poll_event(context) {
                Poll::Ready(event) => self.take_event(event),
                Poll::Pending => return,
            }
        }
    }

    fn take_event(&mut self, event: Event) {
        if self.phase != Phase::Open {
            // Nothing may follow our close frame; an application that goes on sending must not be held up by that.
            if let Event::WebSocketMessage { bytes, .. } = event {
                self.exchange.grant(bytes.len());
            }
            return;
        }
        match event {
            Event::WebSocketMessage { text, end, bytes } => {
                if let Some(record) = &mut self.record {
                    record.count(bytes.len());
                }
                if !self.outbox.put_message(text, &bytes, end) {
                    self.close(code(INTERNAL_ERROR));
                }
            }
            Event::WebSocketClose(close) => self.close(close),
            Event::Finished { failed: false, .. } => self.close(code(NORMAL)),
            Event::Finished { failed: true, .. } | Event::Lost(_) => self.close(code(INTERNAL_ERROR)),
            event => {
                tracing::error!("a worker sent {event:?} on a WebSocket");
                self.close(code(INTERNAL_ERROR));
            }
        }
    }

    // Client => application

    fn take_input(&mut self, context: &mut Context<'_>) {
        // Pongs go into the outbox: a client that pings but does not read is not read either.
        while self.phase != Phase::Ended && !self.outbox.is_full() {
            self.held_back = self.phase == Phase::Open && self.sender.poll_credit(context).is_pending();
            if self.held_back {
                return;
            }
            match self.step() {
                Ok(true) => {}
                Ok(false) => match self.inbox.poll_read(&mut self.socket, context) {
                    Poll::Ready(Ok(1..)) => self.keep_alive.heard(Instant::now()),
                    Poll::Ready(Ok(0) | Err(_)) => self.lose(),
                    Poll::Pending => return,
                },
                Err(violation) => self.fail(violation),
            }
        }
    }

    /// Takes one thing out of the inbox; false if more must be read.
    fn step(&mut self) -> Result<bool, Violation> {
        let item = match self.inbox.step()? {
            Step::Item(item) => item,
            Step::Progress => return Ok(true),
            Step::NeedsInput => return Ok(false),
        };
        match (self.phase, item) {
            (Phase::Open, Item::Message { text, bytes }) => self.sender.message(text, bytes),
            (Phase::Open, Item::Ping(payload)) => self.outbox.put_control(Opcode::Pong, payload),
            // ## Open => Ended: the client's close frame is answered with its own code
            (Phase::Open, Item::Close(close)) => {
                self.outbox.put_control(Opcode::Close, &close::payload(&close));
                self.tell(close);
                self.end(Phase::Ended);
            }
            // ## Closing => Ended
            (Phase::Closing, Item::Close(_)) => self.end(Phase::Ended),
            _ => {}
        }
        Ok(true)
    }

    // Ends

    /// ## Open => Closing
    fn close(&mut self, close: Close) {
        self.outbox.put_control(Opcode::Close, &close::payload(&close));
        self.tell(close);
        self.end(Phase::Closing);
    }

    /// The client broke the protocol (RFC 6455 section 7.1.7). ## Open | Closing => Ended
    fn fail(&mut self, violation: Violation) {
        self.deaf = true;
        if self.phase == Phase::Open {
            self.close(violation.close());
        }
        self.end(Phase::Ended);
    }

    /// The client is gone. ## Open | Closing => Ended
    fn lose(&mut self) {
        self.tell(code(ABNORMAL));
        self.end(Phase::Ended);
    }

    fn end(&mut self, phase: Phase) {
        self.phase = phase;
        self.timer.as_mut().reset(Instant::now() + CLOSE_TIMEOUT);
    }

    /// Tells the application, once.
    fn tell(&mut self, close: Close) {
        if self.close_code.is_none() {
            self.close_code = Some(close.code);
            self.sender.websocket_closed(&close);
        }
    }

    // Time

    /// Ready when the time to close is over.
    fn poll_timer(&mut self, context: &mut Context<'_>) -> Poll<()> {
        while self.timer.as_mut().poll(context).is_ready() {
            if self.phase != Phase::Open {
                return Poll::Ready(());
            }
            let now = Instant::now();
            if self.held_back {
                self.keep_alive.heard(now);
            }
            let (due, next) = self.keep_alive.check(now);
            self.timer.as_mut().reset(next.unwrap_or(now + NEVER));
            match due {
                Due::Nothing => self.inbox.shrink(),
                Due::Ping => self.outbox.put_control(Opcode::Ping, b"andon"),
                Due::Dead => {
                    let timeout = Close { code: INTERNAL_ERROR, reason: "keepalive ping timeout".to_owned() };
                    self.outbox.put_control(Opcode::Close, &close::payload(&timeout));
                    self.lose();
                }
            }
        }
        Poll::Pending
    }
}

fn code(code: u16) -> Close {
    Close { code, reason: String::new() }
}
