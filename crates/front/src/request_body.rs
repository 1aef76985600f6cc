//! The body of a request on its way to the worker: a small one is read whole and goes with the head, any other is
//! pumped by a task as the worker asks for it.

use std::{
    future::poll_fn,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::Poll,
};

use andon_link::RequestSender;
use bytes::Bytes;
use http_body::Body;
use hyper::body::Incoming;
use tokio::{sync::oneshot, time::timeout};

use crate::{
    connection::Connection,
    rejection::Rejection,
    watch::{Expired, Hold, Watch},
};

/// Bytes of a body that nobody wants which are still read, so that the connection can be kept. Beyond that closing it
/// costs less than reading on.
const DISCARD_LIMIT: usize = 4 * 1024 * 1024;

/// The next piece of a body; `None` at its end.
async fn next_piece(body: &mut Incoming) -> Option<Result<Bytes, hyper::Error>> {
    loop {
        match poll_fn(|context| Pin::new(&mut *body).poll_frame(context)).await? {
            // Trailers have no place in ASGI.
            Ok(frame) => match frame.into_data() {
                Ok(bytes) => return Some(Ok(bytes)),
                Err(_) => continue,
            },
            Err(error) => return Some(Err(error)),
        }
    }
}

/// Appends a body whose length is known and small. The connection's watch holds the time-out, which is looked at
/// whenever this is polled: the watch's timer polls the connection's task.
pub(crate) async fn read_inline(body: &mut Incoming, watch: &Watch, payload: &mut Vec<u8>) -> Result<(), Rejection> {
    watch.await_body();
    while !body.is_end_stream() {
        let frame = poll_fn(|context| {
            let frame = Pin::new(&mut *body).poll_frame(context);
            match frame {
                Poll::Pending if watch.expired() == Some(Expired::Body) => Poll::Ready(Err(Rejection::BodyTimeout)),
                Poll::Pending => Poll::Pending,
                Poll::Ready(frame) => Poll::Ready(Ok(frame)),
            }
        });
        match frame.await? {
            Some(Ok(frame)) => payload.extend_from_slice(frame.data_ref().map_or(&[], |bytes| bytes)),
            Some(Err(_)) => return Err(Rejection::Malformed("the request body is incomplete or invalid")),
            None => break,
        }
    }
    watch.body_is_here();
    Ok(())
}

/// Sends a body on as credit for it comes.
#[derive(Debug)]
pub(crate) struct Pump {
    pub(crate) body: Incoming,
    pub(crate) sender: RequestSender,
    pub(crate) connection: Arc<Connection>,
    /// The client sends nothing before it is told to go on.
    pub(crate) expects_continue: bool,
    /// The connection is not idle while a body is on it.
    #[expect(dead_code, reason = "held for its drop")]
    pub(crate) hold: Hold,
}

/// What the service keeps of a pump.
#[derive(Debug)]
pub(crate) struct Pumped {
    /// Gets what to answer if the body must be refused, and is closed without a word if all went well.
    pub(crate) refused: Option<oneshot::Receiver<Rejection>>,
    /// Whether the client sends its body, or has been told to.
    pub(crate) begun: Arc<AtomicBool>,
}

/// Why a pump gave up.
enum Stop {
    /// Nobody wants any more.
    Unwanted,
    Rejected(Rejection),
}

impl Pump {
    /// Starts the task.
    pub(crate) fn spawn(self) -> Pumped {
        let (refuse, refused) = oneshot::channel();
        let begun = Arc::new(AtomicBool::new(!self.expects_continue));
        let for_task = Arc::clone(&begun);
        tokio::spawn(async move {
            if let Some(rejection) = self.run(&for_task).await {
                // Nobody listens where the answer has begun already: then there is only the application to be told.
                let _ = refuse.send(rejection);
            }
        });
        Pumped { refused: Some(refused), begun }
    }

    async fn run(mut self, begun: &AtomicBool) -> Option<Rejection> {
        match self.send(begun).await {
            Ok(()) => None,
            Err(Stop::Unwanted) => {
                // A client that still waits for `100 Continue` must not be told to go on for nothing.
                let all_read = begun.load(Ordering::Relaxed) && self.discard().await;
                if !all_read {
                    self.connection.unread.mark();
                }
                None
            }
            Err(Stop::Rejected(rejection)) => {
                self.sender.abort();
                Some(rejection)
            }
        }
    }

    async fn send(&mut self, begun: &AtomicBool) -> Result<(), Stop> {
        let limit = self.connection.front.settings.limits.request_body;
        let mut left = (limit > 0).then_some(limit);
        // hyper sends `100 Continue` with the first poll of the body, so the first credit comes before that.
        let mut credit = self.sender.credit().await.ok_or(Stop::Unwanted)?;
        begun.store(true, Ordering::Relaxed);
        while let Some(mut bytes) = self.next().await? {
            if let Some(left) = &mut left {
                *left = left.checked_sub(bytes.len() as u64).ok_or(Stop::Rejected(Rejection::BodyTooLarge))?;
            }
            while !bytes.is_empty() {
                let piece = bytes.split_to(credit.min(bytes.len()));
                let end = bytes.is_empty() && self.body.is_end_stream();
                self.sender.body(&piece, end);
                if end {
                    return Ok(());
                }
                credit = self.sender.credit().await.ok_or(Stop::Unwanted)?;
            }
        }
        self.sender.body(&[], true);
        Ok(())
    }

    async fn next(&mut self) -> Result<Option<Bytes>, Stop> {
        let next = next_piece(&mut self.body);
        let piece = match self.connection.front.settings.timeouts.request_body.limit() {
            Some(pause) => timeout(pause, next).await.map_err(|_| Stop::Rejected(Rejection::BodyTimeout))?,
            None => next.await,
        };
        piece.transpose().map_err(|_| Stop::Rejected(Rejection::Malformed("the request body is incomplete or invalid")))
    }

    /// Reads the rest, so that the connection can carry another request. False if that took too long or too much.
    async fn discard(&mut self) -> bool {
        let mut left = DISCARD_LIMIT;
        loop {
            match self.next().await {
                Ok(Some(bytes)) if bytes.len() <= left => left -= bytes.len(),
                Ok(None) => return true,
                Ok(Some(_)) | Err(_) => return false,
            }
        }
    }
}
