//! [`Front`]: what the command line starts and stops.

use std::{io, net::TcpListener, sync::Arc};

use andon_link::Workers;
use hyper::server::conn::http1;
use tokio::sync::Semaphore;

use crate::{
    FrontSettings, accept,
    closing::{Closing, Stage},
};

/// Header fields for which hyper has room without an allocation per request.
const FIELDS_ON_STACK: usize = 100;

/// hyper's own bound on its read buffer, which also bounds how much of a body is read at once.
const READ_BUFFER: usize = 8 * 1024 + 400 * 1024;

/// What all connections of a front share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) workers: Arc<Workers>,
    pub(crate) settings: FrontSettings,
    pub(crate) http: http1::Builder,
    pub(crate) closing: Closing,
    /// A permit per connection that may be open.
    pub(crate) permits: Arc<Semaphore>,
}

/// Serves HTTP on a listening socket with the workers that it is given.
#[derive(Debug, Clone)]
pub struct Front {
    shared: Arc<Shared>,
}

/// How serving ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Served {
    /// Connections that were cut because they had not ended within the graceful time.
    pub cut: usize,
}

impl Front {
    /// A front that hands its requests to `workers`.
    pub fn new(workers: Arc<Workers>, settings: FrontSettings) -> Self {
        let http = http_builder(&settings);
        let permits = Arc::new(Semaphore::new(settings.limits.connections as usize));
        Self { shared: Arc::new(Shared { workers, settings, http, closing: Closing::default(), permits }) }
    }

    /// Serves connections of `listener` until `shutdown` completes, and then ends: nothing is accepted any more, idle
    /// connections are closed, requests under way are answered with `connection: close`, WebSockets are closed with
    /// 1012. What is left after the graceful time is cut.
    ///
    /// Must be called inside a tokio runtime with time and I/O. Dropping the future leaves the connections to
    /// themselves.
    pub async fn serve(&self, listener: TcpListener, shutdown: impl Future<Output = ()>) -> io::Result<Served> {
        let listener = tokio::net::TcpListener::from_std(listener)?;
        tokio::select! {
            biased;
            () = shutdown => {}
            () = accept::run(&listener, &self.shared) => {}
        }
        drop(listener);
        Ok(Served { cut: self.drain().await })
    }

    async fn drain(&self) -> usize {
        let shared = &self.shared;
        shared.closing.advance(Stage::Draining);
        let all = shared.settings.limits.connections;
        let graceful = shared.settings.timeouts.graceful_shutdown.0;
        // A permit lives in the task of each connection, so to have them all is to know that every task has ended.
        if tokio::time::timeout(graceful, shared.permits.acquire_many(all)).await.is_ok() {
            return 0;
        }
        let cut = all as usize - shared.permits.available_permits();
        shared.closing.advance(Stage::Cut);
        let _ = shared.permits.acquire_many(all).await;
        cut
    }
}

fn http_builder(settings: &FrontSettings) -> http1::Builder {
    let limits = &settings.limits;
    let head = limits.request_head as usize;
    let mut http = http1::Builder::new();
    http.auto_date_header(settings.date_field)
        // The connection's watch does this without a timer per request.
        .header_read_timeout(None)
        .max_header_size(head)
        .max_buf_size(READ_BUFFER.max(head + 8 * 1024));
    if limits.request_fields as usize > FIELDS_ON_STACK {
        http.max_headers(limits.request_fields as usize);
    }
    http
}
