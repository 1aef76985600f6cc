//! One client connection, from accept to close: a task that drives hyper, keeps the connection's one timer, sees the
//! shutdown, and turns into a WebSocket session if the service says so.

use std::{future::poll_fn, net::SocketAddr, pin::pin, sync::Arc, task::Poll};

use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use parking_lot::Mutex;
use tokio::{net::TcpStream, sync::OwnedSemaphorePermit};

use crate::{
    closing::{Stage, Stages},
    endpoint::Endpoint,
    front::Shared,
    interim::Interim,
    service,
    stream::{Stream, Unread},
    watch::{Watch, WatchTimer},
    websocket::{self, Upgrade},
};

/// What the task, the service and the answers of one connection share.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) front: Arc<Shared>,
    pub(crate) client: Endpoint,
    pub(crate) server: Endpoint,
    pub(crate) watch: Arc<Watch>,
    pub(crate) unread: Arc<Unread>,
    pub(crate) interim: Arc<Interim>,
    /// Put here by the service with its 101, taken by the task once hyper has let go of the socket.
    pub(crate) upgrade: Mutex<Option<Upgrade>>,
}

impl Connection {
    fn new(front: Arc<Shared>, client: SocketAddr, server: SocketAddr) -> Self {
        Self {
            watch: Arc::new(Watch::new(&front.settings.timeouts)),
            unread: Arc::default(),
            interim: Arc::default(),
            client: Endpoint::new(client),
            server: Endpoint::new(server),
            upgrade: Mutex::new(None),
            front,
        }
    }
}

/// Serves a connection until its end. The permit counts it until then.
pub(crate) async fn serve(socket: TcpStream, client: SocketAddr, front: Arc<Shared>, permit: OwnedSemaphorePermit) {
    let Ok(server) = socket.local_addr() else {
        return; // It is closed already.
    };
    // Answers are written whole; waiting for an acknowledgement before the next would only cost time.
    let _ = socket.set_nodelay(true);
    let connection = Arc::new(Connection::new(front, client, server));
    serve_http(socket, &connection).await;
    let upgrade = connection.upgrade.lock().take();
    if let Some(upgrade) = upgrade {
        websocket::serve(upgrade, &connection).await;
    }
    drop(permit);
}

async fn serve_http(socket: TcpStream, connection: &Arc<Connection>) {
    let front = &connection.front;
    let stream = Stream::new(socket, connection);
    let service = service_fn(|request| service::answer(Arc::clone(connection), request));
    let mut http = pin!(front.http.serve_connection(TokioIo::new(stream), service).with_upgrades());
    let mut timer = WatchTimer::new(&connection.watch);
    let mut stages = Stages::new(&front.closing);
    let mut told = false;
    poll_fn(|context| {
        match stages.look(context) {
            Stage::Serving => {}
            Stage::Draining if told => {}
            Stage::Draining => {
                told = true;
                http.as_mut().graceful_shutdown();
            }
            Stage::Cut => return Poll::Ready(()),
        }
        // Before hyper, which then finds that a time-out has passed when it reads.
        timer.look(context);
        http.as_mut().poll(context).map(|end| {
            // What hyper reports here concerns the client alone; it has been answered where that was possible.
            if let Err(error) = end {
                tracing::debug!("connection from {}: {error}", connection.client.text());
            }
        })
    })
    .await;
}
