//! The body of an answer as hyper polls it: nothing, one piece, or a [`Stream`] that the exchange feeds.
//!
//! hyper drops a body when the last of it is in its buffers, or when the client is gone. So its drop is the end of the
//! exchange: the access log's line is written and the connection counts as idle again.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use thiserror::Error;

use crate::{answer_stream::Stream, record::Record, watch::Hold};

/// Why an answer was cut: whatever follows on the connection could be taken for a part of it.
#[derive(Debug, Error)]
pub(crate) enum Cut {
    #[error("the application failed in the middle of its answer")]
    Failed,
    #[error("the worker died in the middle of its answer")]
    WorkerDied,
    #[error("the answer is longer than its content-length")]
    TooLong,
    #[error("the answer is shorter than its content-length")]
    TooShort,
    #[error("the file of the answer cannot be read: {0}")]
    File(#[from] std::io::Error),
    #[error("the time of the request was over")]
    TimedOut,
    #[error("the worker sent what is no part of an answer")]
    Protocol,
}

/// The body of an answer, with what must live as long as it does.
#[derive(Debug)]
pub(crate) struct AnswerBody {
    content: Content,
    record: Option<Box<Record>>,
    hold: Option<Hold>,
}

#[derive(Debug)]
enum Content {
    /// Nothing, or nothing any more.
    Nothing,
    /// Nothing, though a length is told: what an answer with content would have had. hyper tells it only if the body
    /// seems to have it, and asks for none of it.
    Elsewhere(u64),
    Whole(Bytes),
    Stream(Box<Stream>),
    /// It is cut at the next look: hyper drops what it has not written when a body fails, so it is first let write
    /// what the application has sent before it failed.
    Failing(Cut),
}

impl AnswerBody {
    /// No bytes at all.
    pub(crate) fn nothing() -> Self {
        Self { content: Content::Nothing, record: None, hold: None }
    }

    /// No bytes, though the head tells that there are so many elsewhere: the answer is a 304.
    pub(crate) fn elsewhere(length: u64) -> Self {
        Self { content: Content::Elsewhere(length), record: None, hold: None }
    }

    /// These bytes, whose number becomes the `content-length`.
    pub(crate) fn whole(bytes: Bytes) -> Self {
        let content = if bytes.is_empty() { Content::Nothing } else { Content::Whole(bytes) };
        Self { content, record: None, hold: None }
    }

    /// What comes from the exchange.
    pub(crate) fn stream(stream: Stream) -> Self {
        Self { content: Content::Stream(Box::new(stream)), record: None, hold: None }
    }

    /// Keeps record and hold until the end of the body.
    pub(crate) fn keep(&mut self, record: Option<Box<Record>>, hold: Hold) {
        self.record = record;
        self.hold = Some(hold);
    }

    fn count(&mut self, bytes: usize) {
        if let Some(record) = &mut self.record {
            record.count(bytes);
        }
    }
}

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = Cut;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Cut>>> {
        let this = self.get_mut();
        let bytes = match &mut this.content {
            Content::Nothing | Content::Elsewhere(_) => return Poll::Ready(None),
            Content::Whole(bytes) => std::mem::take(bytes),
            Content::Stream(stream) => match ready!(stream.poll_next(context)) {
                Ok(Some(bytes)) => {
                    this.count(bytes.len());
                    return Poll::Ready(Some(Ok(Frame::data(bytes))));
                }
                Ok(None) => return Poll::Ready(None),
                Err(cut) => {
                    tracing::error!("an answer was cut: {cut}");
                    this.content = Content::Failing(cut);
                    context.waker().wake_by_ref();
                    return Poll::Pending;
                }
            },
            Content::Failing(_) => match std::mem::replace(&mut this.content, Content::Nothing) {
                Content::Failing(cut) => return Poll::Ready(Some(Err(cut))),
                _ => return Poll::Ready(None),
            },
        };
        this.content = Content::Nothing;
        this.count(bytes.len());
        Poll::Ready(Some(Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        match &self.content {
            Content::Nothing => true,
            Content::Whole(_) | Content::Elsewhere(_) | Content::Failing(_) => false,
            Content::Stream(stream) => stream.is_ended(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.content {
            Content::Nothing => SizeHint::with_exact(0),
            Content::Whole(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Content::Elsewhere(length) => SizeHint::with_exact(*length),
            // Not even where the application gave a length: hyper would then trust it unchecked.
            Content::Stream(_) | Content::Failing(_) => SizeHint::default(),
        }
    }
}
