//! The access log's view of one exchange: filled in as it goes, written when it is dropped.

use std::{sync::Arc, time::Duration};

use andon_observe::{Answered, Outcome, Placed};
use http::{Method, StatusCode, Uri, Version};
use tokio::time::Instant;

use crate::connection::Connection;

/// Lives in the service, then in the answer's body or the WebSocket session; its drop is the end of the exchange.
#[derive(Debug)]
pub(crate) struct Record {
    connection: Arc<Connection>,
    method: Method,
    uri: Uri,
    version: Version,
    started: Instant,
    outcome: Option<Outcome>,
    bytes: u64,
    placed: Option<Placed>,
}

impl Record {
    /// `None` if no log is kept.
    ///
    /// Without an outcome nothing is written: the client was gone before it got an answer.
    pub(crate) fn new(
        connection: &Arc<Connection>,
        method: Method,
        uri: Uri,
        version: Version,
        started: Instant,
    ) -> Option<Box<Self>> {
        connection.front.settings.access_log.is_some().then(|| {
            let connection = Arc::clone(connection);
            Box::new(Self { connection, method, uri, version, started, outcome: None, bytes: 0, placed: None })
        })
    }

    /// An answer was begun.
    pub(crate) fn set_status(&mut self, status: StatusCode) {
        self.outcome = Some(Outcome::Status(status.as_u16()));
    }

    /// The request was given to a worker.
    pub(crate) fn set_placed(&mut self, placed: Placed) {
        self.placed = Some(placed);
    }

    /// A WebSocket has ended.
    pub(crate) fn set_close_code(&mut self, code: u16) {
        self.outcome = Some(Outcome::WebSocketClosed(code));
    }

    /// So many more bytes went to the client.
    pub(crate) fn count(&mut self, bytes: usize) {
        self.bytes += bytes as u64;
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        let (Some(outcome), Some(log)) = (self.outcome, &self.connection.front.settings.access_log) else {
            return;
        };
        let elapsed: Duration = self.started.elapsed();
        log.record(&Answered {
            client: self.connection.client.text(),
            method: self.method.as_str(),
            path: self.uri.path().as_bytes(),
            query: self.uri.query().map(str::as_bytes),
            version: if self.version == Version::HTTP_10 { "1.0" } else { "1.1" },
            outcome,
            bytes: self.bytes,
            elapsed,
            placed: self.placed,
        });
    }
}
