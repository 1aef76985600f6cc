//! A body that comes in pieces: from the exchange, or from the file that the application named.
//!
//! What goes to the client is granted to the worker again, so that an application which sends faster than its client
//! reads is held back in its own `send()`. The application's `content-length` is counted here: an answer that does not
//! keep to it is cut, for the next answer on the connection would be taken for a part of it.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use andon_link::{Event, Exchange, Lost};
use andon_wire::FLOW_WINDOW;
use bytes::Bytes;
use tokio::{
    runtime::Handle,
    time::{Instant, Sleep, sleep_until},
};

use crate::{body::Cut, file::FileStream};

/// Grants are sent in steps of this many bytes, so that not every chunk costs a frame of its own.
pub(crate) const GRANT_STEP: usize = FLOW_WINDOW / 4;

/// How long, and for how many bytes, an application may go on after its client has got the whole answer.
const AFTERGLOW: Duration = Duration::from_secs(5);
const AFTERGLOW_BYTES: usize = 4 * FLOW_WINDOW;

/// Where the next bytes come from.
#[derive(Debug)]
enum Source {
    Exchange,
    File(FileStream),
    Ended,
}

/// What a stream begins with.
#[derive(Debug, Default)]
pub(crate) struct Beginning {
    /// The bytes that came with the head.
    pub(crate) first: Bytes,
    /// The event after that, if it was there already.
    pub(crate) ahead: Option<Event>,
    /// The file that is the body, if that is known.
    pub(crate) file: Option<FileStream>,
    /// The application's `content-length`.
    pub(crate) length: Option<u64>,
    /// When it is cut.
    pub(crate) deadline: Option<Instant>,
}

/// A body that comes in pieces.
#[derive(Debug)]
pub(crate) struct Stream {
    /// `None` only once the drop has handed it on.
    exchange: Option<Exchange>,
    first: Bytes,
    ahead: Option<Event>,
    source: Source,
    /// What the application's `content-length` leaves to be sent.
    length_left: Option<u64>,
    /// Sent to the client, but not granted to the worker again yet.
    ungranted: usize,
    /// Ends when the stream is to be cut.
    overdue: Option<Pin<Box<Sleep>>>,
}

impl Stream {
    pub(crate) fn new(exchange: Exchange, beginning: Beginning) -> Self {
        Self {
            exchange: Some(exchange),
            first: beginning.first,
            ahead: beginning.ahead,
            source: beginning.file.map_or(Source::Exchange, Source::File),
            length_left: beginning.length,
            ungranted: 0,
            overdue: beginning.deadline.map(|deadline| Box::pin(sleep_until(deadline))),
        }
    }

    /// Whether nothing more comes, not even an error.
    pub(crate) fn is_ended(&self) -> bool {
        matches!(self.source, Source::Ended) && self.first.is_empty() && self.length_left.unwrap_or(0) == 0
    }

    /// The next piece, which is not empty; `None` at the end.
    pub(crate) fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Result<Option<Bytes>, Cut>> {
        if self.overdue.as_mut().is_some_and(|overdue| overdue.as_mut().poll(context).is_ready()) {
            return Poll::Ready(Err(Cut::TimedOut));
        }
        if !self.first.is_empty() {
            let first = std::mem::take(&mut self.first);
            self.grant(first.len());
            return Poll::Ready(self.pass(first).map(Some));
        }
        loop {
            match &mut self.source {
                Source::Ended if self.length_left.unwrap_or(0) > 0 => return Poll::Ready(Err(Cut::TooShort)),
                Source::Ended => return Poll::Ready(Ok(None)),
                Source::File(file) => match ready!(file.poll_next(context))? {
                    Some(bytes) => return Poll::Ready(self.pass(bytes).map(Some)),
                    None => self.source = Source::Ended,
                },
                Source::Exchange => {
                    let event = ready!(self.poll_event(context));
                    let bytes = self.take_in(event)?;
                    if !bytes.is_empty() {
                        self.grant(bytes.len());
                        return Poll::Ready(self.pass(bytes).map(Some));
                    }
                }
            }
        }
    }

    fn poll_event(&mut self, context: &mut Context<'_>) -> Poll<Event> {
        match (self.ahead.take(), &self.exchange) {
            (Some(event), _) => Poll::Ready(event),
            (None, Some(exchange)) => exchange.poll_event(context),
            (None, None) => Poll::Ready(Event::Lost(Lost::WorkerDied)),
        }
    }

    fn take_in(&mut self, event: Event) -> Result<Bytes, Cut> {
        match event {
            Event::Body { bytes, end } => {
                if end {
                    self.source = Source::Ended;
                }
                Ok(bytes)
            }
            Event::File(path) => {
                self.source = Source::File(FileStream::new(&path));
                Ok(Bytes::new())
            }
            Event::Finished { .. } => Err(Cut::Failed),
            Event::Lost(_) => Err(Cut::WorkerDied),
            _ => Err(Cut::Protocol),
        }
    }

    fn grant(&mut self, bytes: usize) {
        self.ungranted += bytes;
        if self.ungranted >= GRANT_STEP
            && let Some(exchange) = &self.exchange
        {
            exchange.grant(std::mem::take(&mut self.ungranted));
        }
    }

    /// Counts against the `content-length`.
    fn pass(&mut self, bytes: Bytes) -> Result<Bytes, Cut> {
        if let Some(left) = &mut self.length_left {
            *left = left.checked_sub(bytes.len() as u64).ok_or(Cut::TooLong)?;
        }
        Ok(bytes)
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        let has_all = self.length_left == Some(0) && self.first.is_empty();
        if has_all
            && matches!(self.source, Source::Exchange)
            && let Some(exchange) = self.exchange.take()
        {
            let_end(exchange);
        }
    }
}

/// Lets an application end an answer of which its client needs nothing more: `content-length` is reached, or the
/// request was a HEAD. To drop the exchange at once would tell the application that its client is gone, and a
/// streaming response would be cancelled before the code behind its last `yield` has run.
pub(crate) fn let_end(exchange: Exchange) {
    // While the runtime itself is being dropped there is nothing left to wait for.
    if let Ok(runtime) = Handle::try_current() {
        runtime.spawn(async move {
            let _ = tokio::time::timeout(AFTERGLOW, discard(exchange)).await;
        });
    }
}

async fn discard(exchange: Exchange) {
    let mut left = AFTERGLOW_BYTES;
    while let Event::Body { bytes, end: false } = exchange.event().await {
        let Some(rest) = left.checked_sub(bytes.len()) else {
            return;
        };
        left = rest;
        exchange.grant(bytes.len());
    }
}
