//! A request that the workers have, up to its answer: from the exchange's first event to a head and a body.

use std::{
    future::poll_fn,
    pin::Pin,
    sync::{Arc, atomic::Ordering},
    task::{Context, Poll},
};

use andon_link::{Event, Exchange};
use andon_observe::Placed;
use andon_wire::Usage;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Response, StatusCode, header::CONNECTION};
use tokio::time::{Instant, timeout_at};

use crate::{
    answer::{Head, InvalidAnswer},
    answer_stream::{Beginning, Stream, let_end},
    body::AnswerBody,
    connection::Connection,
    explanation,
    file::FileStream,
    record::Record,
    rejection::Rejection,
    request_body::Pumped,
    terms::Terms,
    websocket::{self, Handshake},
};

/// A submitted request.
#[derive(Debug)]
pub(crate) struct Admitted {
    pub(crate) exchange: Exchange,
    /// The task that sends the body on, if the body did not go with the head.
    pub(crate) pumped: Option<Pumped>,
    /// It asks for a WebSocket.
    pub(crate) handshake: Option<Handshake>,
    /// Whether its client may be sent 1xx answers: not with HTTP/1.0 (RFC 9110 section 15.2).
    pub(crate) takes_interim: bool,
    /// How long it may take, and whether its answer is explained.
    pub(crate) terms: Terms,
    /// What it had used of its worker before its answer; told where it is explained.
    pub(crate) usage: Option<Usage>,
}

impl Admitted {
    /// Waits for the answer. `fields` is an empty map to build it with.
    pub(crate) async fn answer(
        mut self,
        connection: &Arc<Connection>,
        is_head: bool,
        fields: HeaderMap,
        record: &mut Option<Box<Record>>,
    ) -> Result<Response<AnswerBody>, Rejection> {
        let event = match self.terms.deadline {
            None => self.first_event(connection).await,
            Some(deadline) => self.first_event_until(deadline, connection).await,
        };
        let placed = self.placed(record);
        match event? {
            Event::Response { payload, end } => {
                let mut head = Head::parse(&payload, fields).map_err(refuse)?;
                self.explain(&mut head, placed.as_ref());
                self.respond(connection, is_head, head, end).await
            }
            Event::WebSocketAccept(payload) if self.handshake.is_some() => {
                let mut head = Head::parse_accept(&payload, fields).map_err(refuse)?;
                self.explain(&mut head, placed.as_ref());
                let handshake = self.handshake.ok_or(Rejection::Failed)?;
                Ok(websocket::accept(connection, self.exchange, handshake, head, record.take()))
            }
            Event::WebSocketClose(_) if self.handshake.is_some() => Err(Rejection::WebSocketDenied),
            Event::Finished { .. } => Err(Rejection::Failed),
            Event::Lost(lost) => Err(lost.into()),
            event => {
                tracing::error!("a worker began an answer with {event:?}");
                Err(Rejection::Failed)
            }
        }
    }

    /// Where the request was placed, if anybody wants to know it. The record gets it, too.
    fn placed(&self, record: &mut Option<Box<Record>>) -> Option<Placed> {
        if record.is_none() && !self.terms.explain {
            return None;
        }
        let placed = self.exchange.placement().map(|placement| explanation::placed(&placement, self.usage))?;
        if let Some(record) = record {
            record.set_placed(placed);
        }
        Some(placed)
    }

    fn explain(&self, head: &mut Head, placed: Option<&Placed>) {
        if let Some(placed) = placed.filter(|_| self.terms.explain) {
            explanation::put_fields(&mut head.fields, placed);
        }
    }

    /// In a box: few requests have a deadline, and all would hold room for its timer.
    async fn first_event_until(&mut self, deadline: Instant, connection: &Connection) -> Result<Event, Rejection> {
        let in_time = Box::pin(timeout_at(deadline, self.first_event(connection))).await;
        in_time.unwrap_or(Err(Rejection::DeadlinePassed))
    }

    async fn first_event(&mut self, connection: &Connection) -> Result<Event, Rejection> {
        loop {
            match poll_fn(|context| self.poll_event(context)).await? {
                Event::Informational(payload) => {
                    if self.takes_interim {
                        connection.interim.put(&payload);
                    }
                }
                Event::Usage(usage) => self.usage = Some(usage),
                event => return Ok(event),
            }
        }
    }

    fn poll_event(&mut self, context: &mut Context<'_>) -> Poll<Result<Event, Rejection>> {
        if let Some(pumped) = &mut self.pumped
            && let Some(refused) = &mut pumped.refused
        {
            match Pin::new(refused).poll(context) {
                Poll::Ready(Ok(rejection)) => return Poll::Ready(Err(rejection)),
                Poll::Ready(Err(_)) => pumped.refused = None,
                Poll::Pending => {}
            }
        }
        self.exchange.poll_event(context).map(Ok)
    }

    async fn respond(
        self,
        connection: &Connection,
        is_head: bool,
        mut head: Head,
        end: bool,
    ) -> Result<Response<AnswerBody>, Rejection> {
        if connection.front.settings.server_field {
            head.add_server();
        }
        if self.pumped.is_some_and(|pumped| !pumped.begun.load(Ordering::Relaxed)) {
            // The client waits for `100 Continue` and will not get it: whether its body follows is not to be known.
            head.fields.insert(CONNECTION, HeaderValue::from_static("close"));
        }
        let body = if head.drop_content() || is_head {
            if !end {
                let_end(self.exchange);
            }
            // hyper keeps the length that an answer to HEAD tells, but not that of a 304.
            let length = head.length.filter(|_| head.status == StatusCode::NOT_MODIFIED && !is_head);
            length.map_or_else(AnswerBody::nothing, AnswerBody::elsewhere)
        } else if end {
            head.check_length().map_err(refuse)?;
            AnswerBody::whole(std::mem::take(&mut head.first))
        } else {
            let mut beginning = begin(&self.exchange, std::mem::take(&mut head.first), head.length).await?;
            beginning.deadline = self.terms.deadline;
            AnswerBody::stream(Stream::new(self.exchange, beginning))
        };
        let mut answer = Response::new(body);
        *answer.status_mut() = head.status;
        *answer.headers_mut() = head.fields;
        Ok(answer)
    }
}

/// Looks at the event behind the head if it is there already, so that a file which is missing can still become a 500.
async fn begin(exchange: &Exchange, first: Bytes, length: Option<u64>) -> Result<Beginning, Rejection> {
    let mut beginning = Beginning { first, length, ..Beginning::default() };
    let next = poll_fn(|context| match exchange.poll_event(context) {
        Poll::Ready(event) => Poll::Ready(Some(event)),
        Poll::Pending => Poll::Ready(None),
    });
    match next.await {
        Some(Event::File(path)) => match FileStream::new(&path).open().await {
            Ok(file) => beginning.file = Some(file),
            Err(error) => {
                tracing::error!("the application answered with a file that cannot be read: {error}");
                return Err(Rejection::Failed);
            }
        },
        ahead => beginning.ahead = ahead,
    }
    Ok(beginning)
}

fn refuse(invalid: InvalidAnswer) -> Rejection {
    tracing::error!("the application's answer cannot be sent: {invalid}");
    Rejection::Failed
}
