//! A request that the workers have, up to its answer: from the exchange's first event to a head and a body.

use std::{
    future::poll_fn,
    pin::Pin,
    sync::{Arc, atomic::Ordering},
    task::{Context, Poll},
};

use andon_link::{Event, Exchange, Lost};
use bytes::Bytes;
use http::{
    HeaderMap, HeaderValue, Response, StatusCode,
    header::{CONNECTION, CONTENT_LENGTH},
};

use crate::{
    answer::{Head, InvalidAnswer},
    answer_stream::{Beginning, Stream, let_end},
    body::AnswerBody,
    connection::Connection,
    file::FileStream,
    record::Record,
    rejection::Rejection,
    request_body::Pumped,
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
        match self.first_event(connection).await? {
            Event::Response { payload, end } => {
                let head = Head::parse(&payload, fields).map_err(refuse)?;
                self.respond(connection, is_head, head, end).await
            }
            Event::WebSocketAccept(payload) if self.handshake.is_some() => {
                let head = Head::parse_accept(&payload, fields).map_err(refuse)?;
                let handshake = self.handshake.ok_or(Rejection::Failed)?;
                Ok(websocket::accept(connection, self.exchange, handshake, head, record.take()))
            }
            Event::WebSocketClose(_) if self.handshake.is_some() => Err(Rejection::WebSocketDenied),
            Event::Finished { .. } => Err(Rejection::Failed),
            Event::Lost(Lost::Unavailable) => Err(Rejection::Unavailable),
            Event::Lost(Lost::Overloaded) => Err(Rejection::Overloaded),
            Event::Lost(Lost::WorkerDied) => Err(Rejection::WorkerDied),
            event => {
                tracing::error!("a worker began an answer with {event:?}");
                Err(Rejection::Failed)
            }
        }
    }

    async fn first_event(&mut self, connection: &Connection) -> Result<Event, Rejection> {
        loop {
            match poll_fn(|context| self.poll_event(context)).await? {
                Event::Informational(payload) => {
                    if self.takes_interim {
                        connection.interim.put(&payload);
                    }
                }
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
        if head.status == StatusCode::NO_CONTENT {
            head.fields.remove(CONTENT_LENGTH); // RFC 9110 section 8.6
        }
        let bodiless = is_head || matches!(head.status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
        let body = if bodiless {
            if !end {
                let_end(self.exchange);
            }
            AnswerBody::nothing()
        } else if end {
            head.check_length().map_err(refuse)?;
            AnswerBody::whole(std::mem::take(&mut head.first))
        } else {
            let beginning = begin(&self.exchange, std::mem::take(&mut head.first), head.length).await?;
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
