//! WebSockets: RFC 6455 with permessage-deflate (RFC 7692).
//!
//! ```text
//!   service ── examine ──> Handshake ── worker accepts ── accept ──> 101 + Upgrade
//!   connection's task ── hyper lets go of the socket ── serve ──> session
//!
//!   session:  socket ── frame, message, deflate ──> RequestSender        (messages to the application)
//!             socket <── frame, deflate ── Exchange                     (messages to the client)
//! ```
//! `frame`, `message`, `deflate` and `offer` are pure functions of bytes; only `session` has a socket.

mod close;
mod deflate;
mod frame;
mod handshake;
mod inbox;
mod keep_alive;
mod message;
mod offer;
mod outbox;
mod session;

use std::sync::Arc;

use andon_link::Exchange;
use http::Response;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;

use crate::{answer::Head, body::AnswerBody, connection::Connection, record::Record, stream::Stream};

pub(crate) use handshake::{Handshake, examine};

/// A WebSocket whose 101 is on its way.
#[derive(Debug)]
pub(crate) struct Upgrade {
    exchange: Exchange,
    deflate: Option<offer::Agreement>,
    on_upgrade: OnUpgrade,
    record: Option<Box<Record>>,
}

/// The answer to an accepted handshake; leaves the rest to the connection's task.
pub(crate) fn accept(
    connection: &Connection,
    exchange: Exchange,
    handshake: Handshake,
    mut head: Head,
    record: Option<Box<Record>>,
) -> Response<AnswerBody> {
    if connection.front.settings.server_field {
        head.add_server();
    }
    handshake.put_fields(&mut head.fields);
    let (deflate, on_upgrade) = handshake.into_parts();
    *connection.upgrade.lock() = Some(Upgrade { exchange, deflate, on_upgrade, record });
    let mut answer = Response::new(AnswerBody::nothing());
    *answer.status_mut() = head.status;
    *answer.headers_mut() = head.fields;
    answer
}

/// Serves an accepted WebSocket until its end.
pub(crate) async fn serve(upgrade: Upgrade, connection: &Arc<Connection>) {
    // Without a socket the client is gone; dropping the exchange says so to the application.
    let Ok(upgraded) = upgrade.on_upgrade.await else {
        return;
    };
    let Ok(parts) = upgraded.downcast::<TokioIo<Stream>>() else {
        return;
    };
    let socket = parts.io.into_inner().into_socket();
    let front = &connection.front;
    let session = session::Session::new(socket, &parts.read_buf, upgrade.exchange, upgrade.deflate, front);
    session.run(upgrade.record).await;
}
