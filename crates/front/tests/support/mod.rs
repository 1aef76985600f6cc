//! A front on a loopback socket, a raw client before it, and a fake worker behind it.

#![allow(dead_code, reason = "each test file uses its own part")]
#![allow(missing_docs, reason = "the names say it")]
#![allow(clippy::unwrap_used, reason = "a panic here is a failed test")]

pub mod client;
pub mod websocket;
pub mod worker;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use andon_config::{Binding, Limits, Seconds, Timeouts};
use andon_front::{Front, Served, WebSocketSettings};
use andon_link::{QueueSettings, Workers};
use tokio::{sync::oneshot, task::JoinHandle};

pub use andon_front::FrontSettings;
pub use client::Client;
pub use worker::Worker;

pub fn settings() -> FrontSettings {
    let seconds = |seconds| Seconds(Duration::from_secs(seconds));
    FrontSettings {
        limits: Limits {
            concurrency: None,
            connections: 100,
            request_line: 1000,
            request_head: 8192,
            request_fields: 20,
            request_body: 0,
        },
        timeouts: Timeouts {
            keep_alive: seconds(60),
            request_head: seconds(60),
            request_body: seconds(60),
            graceful_shutdown: seconds(60),
        },
        websocket: WebSocketSettings { max_size: 1000, ping_interval: None, ping_timeout: None, deflate: true },
        server_field: true,
        date_field: false,
        request_timeout: None,
        explain: false,
        trusted_peers: "127.0.0.1".parse().unwrap(),
        access_log: None,
    }
}

/// Short enough to wait for, long enough for everything else to come before it.
pub const SHORT: Seconds = Seconds(Duration::from_millis(100));

/// A front that serves.
pub struct Server {
    pub workers: Arc<Workers>,
    pub address: SocketAddr,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<std::io::Result<Served>>,
}

impl Server {
    /// Without a worker.
    pub fn alone(settings: FrontSettings) -> Self {
        Self::with_queue(settings, QueueSettings::default())
    }

    /// Without a worker, and with rules for the queue.
    pub fn with_queue(settings: FrontSettings, queue: QueueSettings) -> Self {
        let workers = Workers::start(queue).unwrap().workers;
        let watched = Arc::clone(&workers);
        tokio::spawn(async move { watched.watch().await });
        let binding = Binding { host: "127.0.0.1".to_owned(), port: 0, backlog: 128 };
        let listener = andon_front::bind(&binding).unwrap();
        let front = Front::new(Arc::clone(&workers), settings);
        let (stop, stopped) = oneshot::channel();
        let serving = tokio::spawn(async move {
            let stopped = async { stopped.await.unwrap_or_default() };
            front.serve(listener.socket, stopped).await
        });
        Self { workers, address: listener.address, stop, serving }
    }

    /// With a worker that is ready.
    pub async fn start(settings: FrontSettings) -> (Self, Worker) {
        let server = Self::alone(settings);
        let worker = Worker::ready(&server.workers).await;
        (server, worker)
    }

    pub async fn connect(&self) -> Client {
        Client::connect(self.address).await
    }

    /// Begins the shutdown; the handle gives its outcome.
    pub fn stop(self) -> JoinHandle<std::io::Result<Served>> {
        self.stop.send(()).unwrap();
        self.serving
    }
}
