//! What holds for single requests: bounds on their time, refusals of the queue, and explanations.

#![allow(clippy::unwrap_used, reason = "a panic here is a failed test")]

mod support;

use std::time::Duration;

use andon_link::QueueSettings;
use andon_wire::{Flags, FromWorker, INLINE_BODY_LIMIT, ToWorker, Usage, rule::Rule};
use support::{SHORT, Server, Worker, client::Answer, settings};

/// Longer than anything here takes.
const LONG: Duration = Duration::from_secs(20);

fn rules(name: &str, rule: Rule) -> QueueSettings {
    QueueSettings { rules: vec![(name.to_owned(), rule)], ..QueueSettings::default() }
}

async fn with_queue(queue: QueueSettings) -> (Server, Worker) {
    let server = Server::with_queue(settings(), queue);
    let worker = Worker::ready(&server.workers).await;
    (server, worker)
}

async fn answer_in_time(client: &mut support::Client) -> Answer {
    tokio::time::timeout(LONG, client.answer()).await.unwrap()
}

// Time-outs

#[tokio::test]
async fn request_that_takes_too_long_is_answered_504_and_the_application_is_told() {
    let mut settings = settings();
    settings.request_timeout = Some(SHORT.0);
    let (server, mut worker) = Server::start(settings).await;
    let mut client = server.connect().await;
    client.get("/").await;
    let request = worker.request().await;
    let answer = answer_in_time(&mut client).await;
    assert_eq!((answer.status, answer.body.as_slice()), (504, &b"the request took too long"[..]));
    worker.expect(ToWorker::Disconnect).await;
    worker.finish(&request, false).await;
    client.get("/again").await;
    let request = worker.request().await;
    worker.answer(&request, 200, &[], b"in time").await;
    assert_eq!(answer_in_time(&mut client).await.status, 200, "the connection is kept");
}

#[tokio::test]
async fn answer_that_takes_too_long_is_cut() {
    let mut settings = settings();
    settings.request_timeout = Some(SHORT.0);
    let (server, mut worker) = Server::start(settings).await;
    let mut client = server.connect().await;
    client.get("/").await;
    let request = worker.request().await;
    worker.begin(&request, 200, &[], b"beginning", false).await;
    let all = client.read_to_end().await;
    assert!(String::from_utf8_lossy(&all).contains("beginning"));
    assert!(!all.ends_with(b"0\r\n\r\n"), "it must not look complete");
    worker.expect(ToWorker::Disconnect).await;
}

#[tokio::test]
async fn request_that_no_worker_starts_in_time_is_answered_504() {
    let (server, mut worker) = with_queue(rules("GET /", Rule { timeout: Some(SHORT.0), ..Rule::default() })).await;
    let mut client = server.connect().await;
    client.get("/").await;
    // Its frame is there, but the worker does not claim it.
    worker.expect(ToWorker::Request).await;
    assert_eq!(answer_in_time(&mut client).await.status, 504);
}

#[tokio::test]
async fn time_of_a_route_is_its_own() {
    let (server, mut worker) = with_queue(rules("GET /slow", Rule { timeout: Some(SHORT.0), ..Rule::default() })).await;
    let (mut bounded, mut free) = (server.connect().await, server.connect().await);
    free.get("/fast").await;
    let unhurried = worker.request().await;
    bounded.get("/slow").await;
    worker.request().await;
    assert_eq!(answer_in_time(&mut bounded).await.status, 504);
    worker.answer(&unhurried, 200, &[], b"").await;
    assert_eq!(answer_in_time(&mut free).await.status, 200);
}

#[tokio::test]
async fn trusted_client_may_ask_for_less_time_but_not_for_more() {
    let mut settings = settings();
    settings.request_timeout = Some(Duration::from_millis(200));
    let (server, mut worker) = Server::start(settings).await;
    for wish in ["0.05", "3600"] {
        let mut client = server.connect().await;
        client.send(format!("GET / HTTP/1.1\r\nhost: a\r\nandon-timeout: {wish}\r\n\r\n")).await;
        let request = worker.request().await;
        assert!(request.fields().contains(&("andon-timeout".to_owned(), wish.to_owned())));
        assert_eq!(answer_in_time(&mut client).await.status, 504);
    }
}

#[tokio::test]
async fn large_body_of_a_request_that_took_too_long_leaves_the_connection_usable() {
    let mut settings = settings();
    settings.request_timeout = Some(SHORT.0);
    let (server, mut worker) = Server::start(settings).await;
    let mut client = server.connect().await;
    let length = INLINE_BODY_LIMIT + 1;
    client.send(format!("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: {length}\r\n\r\n")).await;
    worker.request().await;
    assert_eq!(answer_in_time(&mut client).await.status, 504);
    client.send(vec![b'a'; length]).await;
    client.get("/next").await;
    let request = worker.request().await;
    assert_eq!(request.head().raw_path, b"/next");
}

#[tokio::test]
async fn open_websocket_has_no_end_of_its_time() {
    let mut settings = settings();
    settings.request_timeout = Some(SHORT.0);
    let (server, mut worker) = Server::start(settings).await;
    let mut client = server.open("").await;
    let request = worker.accept(&[]).await;
    assert_eq!(client.head().await.status, 101);
    tokio::time::sleep(SHORT.0 * 2).await;
    worker.message(&request, true, b"late").await;
    assert_eq!(client.frame().await.payload, b"late");
}

// The queue

#[tokio::test]
async fn request_over_the_limit_is_answered_503_with_retry_after() {
    let mut queue = QueueSettings::default();
    queue.dispatch.concurrency = Some(1);
    let (server, mut worker) = with_queue(queue).await;
    let (mut first, mut second) = (server.connect().await, server.connect().await);
    first.get("/").await;
    worker.request().await;
    second.get("/").await;
    let answer = answer_in_time(&mut second).await;
    assert_eq!((answer.status, answer.body.as_slice()), (503, &b"too many requests are waiting"[..]));
    assert!(matches!(answer.field("retry-after"), Some("1" | "2" | "3")), "{answer:?}");
    assert_eq!(answer.field("connection"), None, "the connection is kept");
}

// Explanations

async fn explained(server: &Server, worker: &mut Worker, field: &str) -> Answer {
    let mut client = server.connect().await;
    client.send(format!("GET / HTTP/1.1\r\nhost: a\r\n{field}\r\n")).await;
    let request = worker.request().await;
    let processor = Duration::from_millis(2);
    let usage = Usage { loop_processor: processor, thread_processor: processor, ..Usage::default() };
    worker.send(FromWorker::Usage, Flags::NONE, request.slot, &usage.to_bytes()).await;
    worker.answer(&request, 200, &[("server-timing", "db;dur=1")], b"").await;
    answer_in_time(&mut client).await
}

#[tokio::test]
async fn explained_answer_tells_times_and_placement() {
    let (server, mut worker) = Server::start(support::FrontSettings { explain: true, ..settings() }).await;
    let answer = explained(&server, &mut worker, "").await;
    let timings: Vec<&str> =
        answer.fields.iter().filter(|field| field.0 == "server-timing").map(|field| field.1.as_str()).collect();
    assert_eq!(timings[0], "db;dur=1", "the application's own stay");
    assert!(timings[1].starts_with("queue;dur=0.") && timings[1].ends_with(", cpu;dur=4.000"), "{timings:?}");
    let placement = answer.field("andon-placement").unwrap();
    assert!(placement.starts_with("worker=1; lane=") && placement.contains("; executor=loop; reason="), "{placement}");
}

#[tokio::test]
async fn trusted_client_may_ask_for_an_explanation() {
    let (server, mut worker) = Server::start(settings()).await;
    assert!(explained(&server, &mut worker, "andon-explain: 1\r\n").await.field("andon-placement").is_some());
    assert!(explained(&server, &mut worker, "").await.field("andon-placement").is_none());
}

#[tokio::test]
async fn wishes_of_an_untrusted_client_have_no_effect() {
    let trusted_peers = "10.0.0.0/8".parse().unwrap();
    let (server, mut worker) = Server::start(support::FrontSettings { trusted_peers, ..settings() }).await;
    let fields = "andon-explain: 1\r\nandon-timeout: 0.000001\r\n";
    let answer = explained(&server, &mut worker, fields).await;
    assert_eq!((answer.status, answer.field("andon-placement")), (200, None));
}
