//! One client connection, from accept to close: a task that drives hyper, keeps the connection's one timer, sees the
//! shutdown, and turns into a WebSocket session if the service says so.

use std::{future::poll_fn, net::SocketAddr, pin::Pin, sync::Arc, task::Poll};

use bytes::Bytes;
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
    trimming,
    watch::{Watch, WatchTimer},
    websocket::{self, Upgrade},
};

/// What the task, the service and the answers of one connection share.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) front: Arc<Shared>,
    pub(crate) client: Endpoint,
    /// What the client asks of the server itself counts.
    pub(crate) trusted: bool,
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
            trusted: front.settings.trusted_peers.contains(client.ip()),
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
    serve_http(Idle { socket, ahead: Bytes::new() }, &connection).await;
    let upgrade = connection.upgrade.lock().take();
    if let Some(upgrade) = upgrade {
        // In a box: few connections become WebSockets, and all would hold room for one.
        Box::pin(websocket::serve(upgrade, &connection)).await;
    }
    drop(permit);
}

/// Serves HTTP until the connection's end or its upgrade.
///
/// A connection that has been idle for a while gives up hyper and its buffers, some 20 KiB, until something arrives:
/// most connections of most servers are idle.
async fn serve_http(mut idle: Idle, connection: &Arc<Connection>) {
    let mut timer = WatchTimer::new(&connection.watch);
    let mut stages = Stages::new(&connection.front.closing);
    // In a box of its own, for only so can its memory be given up while this task goes on.
    while let Some(parked) = Box::pin(serve_active(idle, connection, &mut timer, &mut stages)).await {
        idle = parked;
        let arrived = poll_fn(|context| {
            timer.look(context);
            if stages.look(context) != Stage::Serving || connection.watch.expired().is_some() {
                return Poll::Ready(false);
            }
            // What fails here fails again for hyper, which knows what to make of it.
            idle.socket.poll_read_ready(context).map(|_| true)
        });
        if idle.ahead.is_empty() && !arrived.await {
            return;
        }
        timer.restart();
    }
}

/// A connection between two requests.
struct Idle {
    socket: TcpStream,
    /// What was read of the next request.
    ahead: Bytes,
}

/// Serves requests until the connection's end, or until it has been idle for a while: then it is given back.
async fn serve_active(
    Idle { socket, ahead }: Idle,
    connection: &Arc<Connection>,
    timer: &mut WatchTimer<'_>,
    stages: &mut Stages<'_>,
) -> Option<Idle> {
    let front = &connection.front;
    let stream = Stream::new(socket, ahead, connection);
    let service = service_fn(|request| service::answer(Arc::clone(connection), request));
    let mut http = front.http.serve_connection(TokioIo::new(stream), service).with_upgrades();
    let mut told = false;
    let parked = poll_fn(|context| {
        match stages.look(context) {
            Stage::Serving => {}
            Stage::Draining if told => {}
            Stage::Draining => {
                told = true;
                Pin::new(&mut http).graceful_shutdown();
            }
            Stage::Cut => return Poll::Ready(false),
        }
        // Before hyper, which then finds that a time-out has passed when it reads.
        timer.look(context);
        if connection.watch.may_park() && !told {
            return Poll::Ready(true);
        }
        Pin::new(&mut http).poll(context).map(|end| {
            // What hyper reports here concerns the client alone; it has been answered where that was possible.
            if let Err(error) = end {
                tracing::debug!("connection from {}: {error}", connection.client.text());
            }
            false
        })
    })
    .await;
    let parts = http.into_parts().filter(|_| parked)?;
    trimming::count_parked();
    Some(Idle { socket: parts.io.into_inner().into_socket(), ahead: parts.read_buf })
}
