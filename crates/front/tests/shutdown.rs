//! The graceful shutdown, and the limit on connections.

mod support;

use andon_config::Seconds;
use andon_front::Served;
use support::{SHORT, Server, settings};

#[tokio::test]
async fn idle_connections_are_closed_at_once_and_nothing_is_accepted_any_more() {
    let (server, mut worker) = Server::start(settings()).await;
    let address = server.address;
    let mut fresh = server.connect().await;
    let mut used = server.connect().await;
    used.get("/").await;
    let request = worker.request().await;
    worker.answer(&request, 200, &[], b"").await;
    used.answer().await;
    let serving = server.stop();
    assert!(fresh.is_closed().await);
    assert!(used.is_closed().await);
    assert_eq!(serving.await.unwrap().unwrap(), Served { cut: 0 });
    assert!(tokio::net::TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn requests_under_way_are_answered_and_their_connections_closed() {
    let (server, mut worker) = Server::start(settings()).await;
    let mut client = server.connect().await;
    let mut streaming = server.connect().await;
    client.get("/").await;
    let request = worker.request().await;
    streaming.get("/stream").await;
    let stream = worker.request().await;
    worker.begin(&stream, 200, &[], b"a", false).await;
    streaming.head().await;
    let serving = server.stop();
    tokio::task::yield_now().await;
    worker.body(&stream, b"b", true).await;
    worker.answer(&request, 200, &[], b"done").await;
    let answer = client.answer().await;
    assert_eq!((answer.field("connection"), &answer.body[..]), (Some("close"), &b"done"[..]));
    assert!(client.is_closed().await);
    assert_eq!(streaming.chunk().await.unwrap(), b"a");
    assert_eq!(streaming.chunk().await.unwrap(), b"b");
    assert_eq!(streaming.chunk().await, None);
    assert_eq!(serving.await.unwrap().unwrap(), Served { cut: 0 });
}

#[tokio::test]
async fn what_has_not_ended_within_the_graceful_time_is_cut_and_counted() {
    let mut settings = settings();
    settings.timeouts.graceful_shutdown = SHORT;
    let (server, mut worker) = Server::start(settings).await;
    let mut client = server.connect().await;
    client.get("/").await;
    worker.request().await;
    let serving = server.stop();
    assert!(client.is_closed().await);
    assert_eq!(serving.await.unwrap().unwrap(), Served { cut: 1 });
}

#[tokio::test]
async fn connections_over_the_limit_wait_until_one_ends() {
    let mut settings = settings();
    settings.limits.connections = 1;
    settings.timeouts.graceful_shutdown = Seconds(std::time::Duration::ZERO);
    let (server, mut worker) = Server::start(settings).await;
    let mut first = server.connect().await;
    first.get("/first").await;
    let request = worker.request().await;
    let mut second = server.connect().await;
    second.get("/second").await;
    worker.answer(&request, 200, &[("connection", "close")], b"").await;
    first.answer().await;
    assert_eq!(worker.request().await.head().raw_path, b"/second");
}
