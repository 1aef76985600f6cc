//! What the front refuses by itself: requests that break HTTP, limits, time-outs, overload.

mod support;

use std::time::Duration;

use andon_wire::{FLOW_WINDOW, INLINE_BODY_LIMIT, ToWorker};
use support::{SHORT, Server, settings};

/// The status of the answer to these bytes, and whether the connection is closed after it.
async fn refused(server: &Server, bytes: &[u8]) -> (u16, bool) {
    let mut client = server.connect().await;
    client.send(bytes).await;
    let status = client.answer().await.status;
    (status, client.is_closed().await)
}

#[tokio::test]
async fn requests_that_break_http_are_answered_400_and_the_connection_is_closed() {
    let server = Server::alone(settings());
    for bytes in [
        "GET\r\n\r\n",
        "GET / HTTP/2.0\r\nhost: a\r\n\r\n",
        "GET / HTTP/1.1\r\nhost: a\r\nno colon\r\n\r\n",
        "GET / HTTP/1.1\r\nhost: a\r\nname : b\r\n\r\n",
        "GET / HTTP/1.1\r\nhost: a\r\nname: b\r\n folded\r\n\r\n",
        "GET / HTTP/1.1\r\n host: a\r\n\r\n",
        "GET / HTTP/1.1\r\nhost: a\r\nna\0me: b\r\n\r\n",
        "GET / HTTP/1.1\r\nhost: a\r\nname: b\0c\r\n\r\n",
        "GET / HTTP/1.1\r\nhost: a\r\nname: b\rc\r\n\r\n",
        "GET /caf\u{e9} HTTP/1.1\r\nhost: a\r\n\r\n",
        "GET / HTTP/1.1\r\nhost: a\r\nhost: a\r\n\r\n",
        "GET / HTTP/1.1\r\nhost: a b\r\n\r\n",
        "GET  / HTTP/1.1\r\nhost: a\r\n\r\n",
        "GET a HTTP/1.1\r\nhost: a\r\n\r\n",
        "GET * HTTP/1.1\r\nhost: a\r\n\r\n",
        "CONNECT a:80 HTTP/1.1\r\nhost: a\r\n\r\n",
        "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: +5\r\n\r\nhello",
        "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 5, 5\r\n\r\nhello",
        "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nhello",
        "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\ncontent-length: 5\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked, identity\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: xchunked\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.0\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    ] {
        assert_eq!(refused(&server, bytes.as_bytes()).await, (400, true), "{bytes:?}");
    }
}

#[tokio::test]
async fn transfer_codings_other_than_chunked_are_answered_501() {
    let server = Server::alone(settings());
    let request = b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n";
    assert_eq!(refused(&server, request).await, (501, true));
}

#[tokio::test]
async fn request_hidden_behind_a_length_and_a_transfer_coding_is_never_run() {
    let (server, mut worker) = Server::start(settings()).await;
    let mut client = server.connect().await;
    // Pipelined, so that the front does not have the bytes of the second head: hyper lets the coding win and closes.
    client
        .send(
            "GET /1 HTTP/1.1\r\nhost: a\r\n\r\n\
             POST /2 HTTP/1.1\r\nhost: a\r\ncontent-length: 60\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n\
             GET /hidden HTTP/1.1\r\nhost: a\r\n\r\n",
        )
        .await;
    for path in ["/1", "/2"] {
        let request = worker.request().await;
        assert_eq!(request.head().raw_path, path.as_bytes());
        worker.answer(&request, 200, &[], b"").await;
        client.answer().await;
    }
    assert!(client.is_closed().await);
}

#[tokio::test]
async fn limits_on_heads_have_their_own_statuses() {
    let server = Server::alone(settings());
    let target = format!("GET /{} HTTP/1.1\r\nhost: a\r\n\r\n", "a".repeat(1000));
    assert_eq!(refused(&server, target.as_bytes()).await, (414, true));
    let fields = format!("GET / HTTP/1.1\r\nhost: a\r\n{}\r\n", "a: b\r\n".repeat(20));
    assert_eq!(refused(&server, fields.as_bytes()).await, (431, true));
    let many = format!("GET / HTTP/1.1\r\nhost: a\r\n{}\r\n", "a: b\r\n".repeat(200));
    assert_eq!(refused(&server, many.as_bytes()).await, (431, true));
    let large = format!("GET / HTTP/1.1\r\nhost: a\r\na: {}\r\n\r\n", "b".repeat(9000));
    assert_eq!(refused(&server, large.as_bytes()).await, (431, true));
}

#[tokio::test]
async fn more_fields_than_hyper_has_room_for_by_itself_can_be_allowed() {
    let mut settings = settings();
    settings.limits.request_fields = 300;
    let (server, mut worker) = Server::start(settings).await;
    let mut client = server.connect().await;
    client.send(format!("GET / HTTP/1.1\r\nhost: a\r\n{}\r\n", "a: b\r\n".repeat(299))).await;
    assert_eq!(worker.request().await.fields().len(), 300);
}

#[tokio::test]
async fn body_that_is_announced_too_large_is_refused_before_it_is_sent() {
    let mut settings = settings();
    settings.limits.request_body = 1000;
    let server = Server::alone(settings);
    let mut client = server.connect().await;
    client.send("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1001\r\n\r\n").await;
    assert_eq!(client.answer().await.status, 413);
}

#[tokio::test]
async fn client_that_is_still_sending_gets_to_read_its_413() {
    let mut settings = settings();
    settings.limits.request_body = 1000;
    let server = Server::alone(settings);
    let mut client = server.connect().await;
    client.send("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1000000\r\n\r\n").await;
    client.send(vec![0; 1_000_000]).await;
    assert_eq!(client.answer().await.status, 413);
}

#[tokio::test]
async fn body_that_turns_out_too_large_is_refused_while_it_is_sent() {
    let mut settings = settings();
    settings.limits.request_body = 1000;
    let (server, mut worker) = Server::start(settings).await;
    let mut client = server.connect().await;
    client.send("POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n").await;
    let request = worker.request().await;
    worker.credit(&request, FLOW_WINDOW).await;
    for _ in 0..2 {
        client.send(format!("1f4\r\n{}\r\n", "a".repeat(500))).await;
        assert_eq!(worker.expect(ToWorker::RequestBody).await.payload.len(), 500);
    }
    client.send("1\r\na\r\n").await;
    worker.expect(ToWorker::Disconnect).await;
    assert_eq!(client.answer().await.status, 413);
}

#[tokio::test]
async fn head_that_is_not_completed_is_answered_408() {
    let mut settings = settings();
    settings.timeouts.request_head = SHORT;
    let server = Server::alone(settings);
    assert_eq!(refused(&server, b"GET / HTTP/1.1\r\nhost:").await, (408, true));
}

#[tokio::test]
async fn small_body_that_is_not_completed_is_answered_408() {
    let mut settings = settings();
    settings.timeouts.request_body = SHORT;
    let server = Server::alone(settings);
    let request = b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\nhel";
    assert_eq!(refused(&server, request).await, (408, true));
}

#[tokio::test]
async fn large_body_that_is_not_completed_is_answered_408() {
    let mut settings = settings();
    settings.timeouts.request_body = SHORT;
    let (server, mut worker) = Server::start(settings).await;
    let mut client = server.connect().await;
    let head = format!("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: {}\r\n\r\npart", INLINE_BODY_LIMIT + 1);
    client.send(head).await;
    let request = worker.request().await;
    worker.credit(&request, FLOW_WINDOW).await;
    worker.expect(ToWorker::RequestBody).await;
    worker.expect(ToWorker::Disconnect).await;
    assert_eq!(client.answer().await.status, 408);
}

#[tokio::test]
async fn body_that_the_application_does_not_ask_for_does_not_time_out() {
    let mut settings = settings();
    settings.timeouts.request_body = SHORT;
    settings.timeouts.request_head = SHORT;
    settings.timeouts.keep_alive = SHORT;
    let (server, mut worker) = Server::start(settings).await;
    let mut client = server.connect().await;
    let head = format!("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: {}\r\n\r\n", INLINE_BODY_LIMIT + 1);
    client.send(head).await;
    let request = worker.request().await;
    // Several times every limit: nothing here waits for the client.
    tokio::time::sleep(SHORT.0 * 4).await;
    worker.answer(&request, 200, &[], b"done").await;
    assert_eq!(client.answer().await.status, 200);
}

#[tokio::test]
async fn idle_connections_are_closed_in_silence() {
    let mut settings = settings();
    settings.timeouts.keep_alive = SHORT;
    let (server, mut worker) = Server::start(settings).await;
    let mut fresh = server.connect().await;
    let mut used = server.connect().await;
    used.get("/").await;
    let request = worker.request().await;
    worker.answer(&request, 200, &[], b"").await;
    used.answer().await;
    assert!(fresh.is_closed().await);
    assert!(used.is_closed().await);
}

#[tokio::test]
async fn connection_in_use_is_not_idle() {
    let mut settings = settings();
    settings.timeouts.keep_alive = SHORT;
    let (server, mut worker) = Server::start(settings).await;
    let mut client = server.connect().await;
    for _ in 0..4 {
        client.get("/").await;
        let request = worker.request().await;
        tokio::time::sleep(SHORT.0 / 2).await;
        worker.begin(&request, 200, &[], b"a", false).await;
        tokio::time::sleep(SHORT.0).await;
        worker.body(&request, b"", true).await;
        worker.finish(&request, false).await;
        assert_eq!(client.answer().await.status, 200);
    }
}

#[tokio::test]
async fn without_a_worker_the_answer_is_503_with_retry_after_and_the_connection_is_kept() {
    let (server, worker) = Server::start(settings()).await;
    drop(worker);
    let mut client = server.connect().await;
    for _ in 0..2 {
        client.get("/").await;
        let answer = tokio::time::timeout(Duration::from_secs(5), client.answer()).await.unwrap();
        assert_eq!(answer.status, 503);
        assert!(matches!(answer.field("retry-after"), Some("1" | "2" | "3")), "{answer:?}");
    }
}
