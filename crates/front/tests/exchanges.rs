//! Requests and answers over real sockets, with a fake worker.

mod support;

use std::io::Write;

use andon_config::LogFormat;
use andon_wire::{FLOW_WINDOW, Flags, FromWorker, INLINE_BODY_LIMIT, ToWorker, head::HttpVersion};
use support::{Server, settings};

#[tokio::test]
async fn request_reaches_the_worker_as_it_was_sent() {
    let (server, mut worker) = Server::start(settings()).await;
    let mut client = server.connect().await;
    client.send(b"POST /a%20b/c?d=%65 HTTP/1.1\r\nHost: test\r\nX-Name: caf\xe9\r\nX-Name: b\r\ncontent-length: 5\r\n\r\nhello").await;
    let request = worker.request().await;
    let head = request.head();
    assert_eq!((head.method, head.version, head.secure, head.websocket), ("POST", HttpVersion::Http11, false, false));
    assert_eq!((head.raw_path, head.query), (&b"/a%20b/c"[..], &b"d=%65"[..]));
    assert_eq!((head.client.host, head.client.port), ("127.0.0.1", client.socket.local_addr().unwrap().port()));
    assert_eq!((head.server.host, head.server.port), ("127.0.0.1", server.address.port()));
    let fields = request.fields();
    let names: Vec<&str> = fields.iter().map(|field| field.0.as_str()).collect();
    assert_eq!(names, ["host", "x-name", "x-name", "content-length"]);
    assert_eq!((request.body(), request.end), (&b"hello"[..], true));
}

#[tokio::test]
async fn answer_reaches_the_client_and_the_connection_is_kept() {
    let (server, mut worker) = Server::start(settings()).await;
    let mut client = server.connect().await;
    for number in 0..3 {
        client.get("/").await;
        let request = worker.request().await;
        let body = format!("number {number}");
        worker
            .answer(&request, 201, &[("content-type", "text/plain"), ("x-a", "1"), ("x-a", "2")], body.as_bytes())
            .await;
        let answer = client.answer().await;
        assert_eq!((answer.status, answer.body), (201, body.into_bytes()));
        let fields: Vec<String> = answer.fields.iter().map(|(name, value)| format!("{name}: {value}")).collect();
        assert_eq!(fields, ["content-type: text/plain", "x-a: 1", "x-a: 2", "server: andon", "content-length: 8"]);
    }
}

#[tokio::test]
async fn pipelined_requests_are_answered_in_order() {
    let (server, mut worker) = Server::start(settings()).await;
    let mut client = server.connect().await;
    client.send("GET /1 HTTP/1.1\r\nhost: a\r\n\r\nGET /2 HTTP/1.1\r\nhost: a\r\n\r\n".repeat(10)).await;
    for _ in 0..20 {
        let request = worker.request().await;
        let path = request.head().raw_path.to_owned();
        worker.answer(&request, 200, &[], &path).await;
    }
    for _ in 0..10 {
        assert_eq!(client.answer().await.body, b"/1");
        assert_eq!(client.answer().await.body, b"/2");
    }
}

#[tokio::test]
async fn body_over_the_inline_limit_is_sent_as_the_worker_asks_for_it() {
    let (server, mut worker) = Server::start(settings()).await;
    let mut client = server.connect().await;
    let body: Vec<u8> = (0..INLINE_BODY_LIMIT + 1000).map(|at| at as u8).collect();
    let head = format!("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: {}\r\n\r\n", body.len());
    client.send(head).await;
    client.send(&body).await;
    let request = worker.request().await;
    assert!(!request.end && request.body().is_empty());
    let mut received = Vec::new();
    loop {
        worker.credit(&request, 10_000).await;
        let mut credit = 10_000;
        while credit > 0 {
            let frame = worker.expect(ToWorker::RequestBody).await;
            credit -= frame.payload.len();
            received.extend_from_slice(&frame.payload);
            if frame.header.flags.contains(Flags::END) {
                assert!(received == body);
                worker.answer(&request, 200, &[], b"").await;
                assert_eq!(client.answer().await.status, 200);
                return;
            }
        }
    }
}

#[tokio::test]
async fn chunked_body_is_taken_apart() {
    let (server, mut worker) = Server::start(settings()).await;
    let mut client = server.connect().await;
    client.send("POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n").await;
    let request = worker.request().await;
    worker.credit(&request, FLOW_WINDOW).await;
    assert_eq!(worker.expect(ToWorker::RequestBody).await.payload, "hello");
    client.send("1;x=y\r\n!\r\n0\r\ntrailer: a\r\n\r\n").await;
    assert_eq!(worker.expect(ToWorker::RequestBody).await.payload, "!");
    let last = worker.expect(ToWorker::RequestBody).await;
    assert!(last.payload.is_empty() && last.header.flags.contains(Flags::END));
    worker.answer(&request, 200, &[], b"").await;
    assert_eq!(client.answer().await.status, 200);
    client.get("/again").await;
    worker.request().await;
}

#[tokio::test]
async fn client_is_told_to_go_on_only_when_the_application_wants_the_body() {
    let (server, mut worker) = Server::start(settings()).await;
    let mut client = server.connect().await;
    client.send("PUT / HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\nexpect: 100-continue\r\n\r\n").await;
    let request = worker.request().await;
    assert!(request.head().expects_continue && !request.end);
    worker.credit(&request, FLOW_WINDOW).await;
    assert_eq!(client.head().await.status, 100);
    client.send("hi").await;
    assert_eq!(worker.expect(ToWorker::RequestBody).await.payload, "hi");
    worker.answer(&request, 200, &[], b"").await;
    assert_eq!(client.answer().await.status, 200);
}

#[tokio::test]
async fn client_that_was_not_told_to_go_on_gets_the_answer_and_a_closed_connection() {
    let (server, mut worker) = Server::start(settings()).await;
    let mut client = server.connect().await;
    client.send("PUT / HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\nexpect: 100-continue\r\n\r\n").await;
    let request = worker.request().await;
    worker.answer(&request, 403, &[], b"no").await;
    let answer = client.answer().await;
    assert_eq!((answer.status, answer.field("connection")), (403, Some("close")));
    assert!(client.is_closed().await);
}

#[tokio::test]
async fn body_that_the_application_does_not_read_does_not_end_the_connection() {
    let (server, mut worker) = Server::start(settings()).await;
    let mut client = server.connect().await;
    client.send(format!("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: {}\r\n\r\n", 1_000_000)).await;
    let request = worker.request().await;
    worker.answer(&request, 200, &[], b"enough").await;
    assert_eq!(client.answer().await.body, b"enough");
    client.send(vec![b'x'; 1_000_000]).await;
    client.get("/next").await;
    let request = worker.request().await;
    assert_eq!(request.head().raw_path, b"/next");
}

#[tokio::test]
async fn stream_is_chunked_and_each_piece_goes_out_at_once() {
    let (server, mut worker) = Server::start(settings()).await;
    let mut client = server.connect().await;
    client.get("/events").await;
    let request = worker.request().await;
    worker.begin(&request, 200, &[("transfer-encoding", "chunked")], b"", false).await;
    let head = client.head().await;
    assert_eq!(head.fields.iter().filter(|field| field.0 == "transfer-encoding").count(), 1);
    for piece in ["data: 1\n\n", "data: 2\n\n"] {
        worker.body(&request, piece.as_bytes(), false).await;
        assert_eq!(client.chunk().await.unwrap(), piece.as_bytes());
    }
    worker.body(&request, b"", true).await;
    assert_eq!(client.chunk().await, None);
    worker.finish(&request, false).await;
    client.get("/again").await;
    worker.request().await;
}

#[tokio::test]
async fn what_the_client_has_taken_is_granted_in_large_steps() {
    let (server, mut worker) = Server::start(settings()).await;
    let mut client = server.connect().await;
    client.get("/").await;
    let request = worker.request().await;
    worker.begin(&request, 200, &[], &[1; 1000], false).await;
    for _ in 0..2 {
        worker.body(&request, &vec![2; FLOW_WINDOW / 4], false).await;
    }
    let credit = worker.expect(ToWorker::ResponseCredit).await;
    assert_eq!(credit.payload[..], ((FLOW_WINDOW / 4 + 1000) as u32).to_le_bytes());
    drop(client);
}

#[tokio::test]
async fn head_request_gets_no_body_but_its_length() {
    let (server, mut worker) = Server::start(settings()).await;
    let mut client = server.connect().await;
    for end in [true, false] {
        client.send("HEAD / HTTP/1.1\r\nhost: a\r\n\r\n").await;
        let request = worker.request().await;
        worker.begin(&request, 200, &[("content-length", "5")], b"hello", end).await;
        worker.finish(&request, false).await;
        assert_eq!(client.head().await.field("content-length"), Some("5"));
    }
    client.get("/").await;
    let request = worker.request().await;
    worker.answer(&request, 200, &[], b"body").await;
    assert_eq!(client.answer().await.body, b"body");
}

#[tokio::test]
async fn statuses_without_a_body_have_none() {
    let (server, mut worker) = Server::start(settings()).await;
    let mut client = server.connect().await;
    for status in [204, 304] {
        client.get("/").await;
        let request = worker.request().await;
        worker.answer(&request, status, &[], b"not to be sent").await;
        let head = client.head().await;
        assert_eq!((head.status, head.field("content-length"), head.field("transfer-encoding")), (status, None, None));
    }
}

#[tokio::test]
async fn whole_answer_of_another_length_than_announced_becomes_500() {
    let (server, mut worker) = Server::start(settings()).await;
    let mut client = server.connect().await;
    client.get("/").await;
    let request = worker.request().await;
    worker.answer(&request, 200, &[("content-length", "3")], b"hello").await;
    assert_eq!(client.answer().await.status, 500);
    assert!(client.is_closed().await);
}

#[tokio::test]
async fn stream_of_another_length_than_announced_is_cut() {
    for (pieces, received) in [(&["he", "llo"][..], "he"), (&["h"], "h")] {
        let (server, mut worker) = Server::start(settings()).await;
        let mut client = server.connect().await;
        client.get("/").await;
        let request = worker.request().await;
        worker.begin(&request, 200, &[("content-length", "3")], b"", false).await;
        client.head().await;
        for piece in pieces {
            worker.body(&request, piece.as_bytes(), false).await;
        }
        worker.body(&request, b"", true).await;
        let rest = client.read_to_end().await;
        assert!(rest.len() < 3, "{received}: {rest:?}");
    }
}

#[tokio::test]
async fn stream_whose_length_is_reached_leaves_the_application_to_end_by_itself() {
    let (server, mut worker) = Server::start(settings()).await;
    let mut client = server.connect().await;
    client.get("/").await;
    let request = worker.request().await;
    worker.begin(&request, 200, &[("content-length", "5")], b"", false).await;
    worker.body(&request, b"hello", false).await;
    assert_eq!(client.answer().await.body, b"hello");
    client.get("/next").await;
    let (kind, _) = worker.frame().await;
    assert_eq!(kind, ToWorker::Request, "and no Disconnect before it");
}

#[tokio::test]
async fn application_that_fails_in_the_middle_of_its_answer_cuts_the_connection() {
    let (server, mut worker) = Server::start(settings()).await;
    let mut client = server.connect().await;
    client.get("/").await;
    let request = worker.request().await;
    worker.begin(&request, 200, &[], b"begun", false).await;
    client.head().await;
    assert_eq!(client.chunk().await.unwrap(), b"begun");
    worker.finish(&request, true).await;
    assert!(client.is_closed().await, "without the last chunk");
}

#[tokio::test]
async fn application_that_fails_before_its_answer_becomes_500() {
    let (server, mut worker) = Server::start(settings()).await;
    let mut client = server.connect().await;
    client.get("/").await;
    let request = worker.request().await;
    worker.finish(&request, true).await;
    let answer = client.answer().await;
    assert_eq!((answer.status, &answer.body[..]), (500, &b"Internal Server Error"[..]));
}

#[tokio::test]
async fn invalid_answer_becomes_500() {
    for (status, field) in [(200, ("x", "a\r\nb")), (200, ("a b", "c")), (103, ("x", "y")), (101, ("x", "y"))] {
        let (server, mut worker) = Server::start(settings()).await;
        let mut client = server.connect().await;
        client.get("/").await;
        let request = worker.request().await;
        worker.answer(&request, status, &[field], b"").await;
        assert_eq!(client.answer().await.status, 500, "{field:?}");
    }
}

#[tokio::test]
async fn worker_that_dies_becomes_502() {
    let (server, mut worker) = Server::start(settings()).await;
    let mut client = server.connect().await;
    client.get("/").await;
    worker.request().await;
    drop(worker);
    assert_eq!(client.answer().await.status, 502);
}

#[tokio::test]
async fn client_that_goes_away_is_told_to_the_worker() {
    let (server, mut worker) = Server::start(settings()).await;
    let mut client = server.connect().await;
    client.get("/").await;
    let request = worker.request().await;
    drop(client);
    assert_eq!(worker.expect(ToWorker::Disconnect).await.header.slot, request.slot.0);
}

#[tokio::test]
async fn client_that_goes_away_in_the_middle_of_its_body_is_told_to_the_worker() {
    let (server, mut worker) = Server::start(settings()).await;
    let mut client = server.connect().await;
    client.send("POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhel").await;
    let request = worker.request().await;
    worker.credit(&request, FLOW_WINDOW).await;
    assert_eq!(worker.expect(ToWorker::RequestBody).await.payload, "hel");
    drop(client);
    worker.expect(ToWorker::Disconnect).await;
}

#[tokio::test]
async fn early_hints_precede_the_answer_and_never_disturb_it() {
    let (server, mut worker) = Server::start(settings()).await;
    let mut client = server.connect().await;
    let payload = [103u16.to_le_bytes(), [0, 0]].concat();
    for _ in 0..2 {
        client.get("/").await;
        let request = worker.request().await;
        worker.send(FromWorker::Informational, Flags::NONE, request.slot, &payload).await;
        assert_eq!(client.head().await.status, 103);
        worker.answer(&request, 200, &[], b"a").await;
        assert_eq!(client.answer().await.body, b"a");
    }
}

#[tokio::test]
async fn http_1_0_is_answered_and_closed_unless_it_asks_to_be_kept() {
    let (server, mut worker) = Server::start(settings()).await;
    let mut client = server.connect().await;
    client.send("GET / HTTP/1.0\r\nconnection: keep-alive\r\n\r\n").await;
    let request = worker.request().await;
    assert_eq!(request.head().version, HttpVersion::Http10);
    worker.answer(&request, 200, &[("connection", "keep-alive")], b"a").await;
    assert_eq!(client.answer().await.body, b"a");
    client.send("GET / HTTP/1.0\r\n\r\n").await;
    let request = worker.request().await;
    worker.begin(&request, 200, &[], b"streamed", false).await;
    worker.body(&request, b" to the end", true).await;
    worker.finish(&request, false).await;
    client.head().await;
    assert_eq!(client.read_to_end().await, b"streamed to the end");
}

#[tokio::test]
async fn close_of_the_application_is_honoured() {
    let (server, mut worker) = Server::start(settings()).await;
    let mut client = server.connect().await;
    client.get("/").await;
    let request = worker.request().await;
    worker.answer(&request, 200, &[("connection", "close")], b"bye").await;
    assert_eq!(client.answer().await.field("connection"), Some("close"));
    assert!(client.is_closed().await);
}

#[tokio::test]
async fn absolute_target_gives_path_and_host() {
    let (server, mut worker) = Server::start(settings()).await;
    let mut client = server.connect().await;
    client.send("GET http://real.example:81/path?q HTTP/1.1\r\nhost: other\r\n\r\n").await;
    let request = worker.request().await;
    assert_eq!((request.head().raw_path, request.head().query), (&b"/path"[..], &b"q"[..]));
    assert_eq!(request.fields(), [("host".to_owned(), "real.example:81".to_owned())]);
    worker.answer(&request, 200, &[], b"").await;
    client.answer().await;
    client.send("OPTIONS * HTTP/1.1\r\nhost: a\r\n\r\n").await;
    assert_eq!(worker.request().await.head().raw_path, b"*");
}

#[tokio::test]
async fn file_is_sent_as_the_body() {
    let path = std::env::temp_dir().join(format!("andon-front-{}", std::process::id()));
    let content: Vec<u8> = (0..300_000u32).map(|at| at as u8).collect();
    std::fs::File::create(&path).unwrap().write_all(&content).unwrap();
    let (server, mut worker) = Server::start(settings()).await;
    let mut client = server.connect().await;
    for field in [Some(("content-length", "300000")), None] {
        client.get("/").await;
        let request = worker.request().await;
        worker.begin(&request, 200, field.as_slice(), b"", false).await;
        worker.send(FromWorker::File, Flags::END, request.slot, path.as_os_str().as_encoded_bytes()).await;
        worker.finish(&request, false).await;
        assert!(client.answer().await.body == content);
    }
    std::fs::remove_file(&path).unwrap();
}

#[tokio::test]
async fn missing_file_is_no_answer() {
    let (server, mut worker) = Server::start(settings()).await;
    let mut client = server.connect().await;
    client.get("/").await;
    let request = worker.request().await;
    worker.begin(&request, 200, &[], b"", false).await;
    worker.send(FromWorker::File, Flags::END, request.slot, b"/no/such/file").await;
    let all = String::from_utf8(client.read_to_end().await).unwrap();
    assert!(all.contains(" 500 ") || !all.contains("\r\n0\r\n"), "{all}");
}

#[tokio::test]
async fn each_answer_has_a_line_in_the_access_log() {
    let (read, write) = std::io::pipe().unwrap();
    let (log, writer) = andon_observe::AccessLog::start(write, LogFormat::Text).unwrap();
    let mut settings = settings();
    settings.access_log = Some(log);
    let (server, mut worker) = Server::start(settings).await;
    let mut client = server.connect().await;
    client.get("/pa\"th?q").await;
    let request = worker.request().await;
    worker.answer(&request, 200, &[], b"hello").await;
    client.answer().await;
    client.send("GET / HTTP/1.1\r\nhost: a b\r\n\r\n").await;
    client.answer().await;
    let port = client.socket.local_addr().unwrap().port();
    assert_eq!(server.stop().await.unwrap().unwrap().cut, 0);
    writer.finish();
    let log = std::io::read_to_string(read).unwrap();
    let lines: Vec<&str> = log.lines().collect();
    assert!(lines[0].starts_with(&format!("127.0.0.1:{port} \"GET /pa\\x22th?q HTTP/1.1\" 200 5B ")), "{log}");
    assert!(lines[0].contains(" worker=1 lane=") && lines[0].contains(" executor=loop reason="), "{log}");
    assert!(lines[1].starts_with(&format!("127.0.0.1:{port} \"GET / HTTP/1.1\" 400 12B ")), "{log}");
    assert!(!lines[1].contains("worker="), "no worker was given it: {log}");
}

#[tokio::test]
async fn date_is_sent_once_and_the_applications_own_stands() {
    let mut settings = settings();
    settings.date_field = true;
    let (server, mut worker) = Server::start(settings).await;
    let mut client = server.connect().await;
    for own in [None, Some(("date", "Thu, 01 Jan 1970 00:00:00 GMT"))] {
        client.get("/").await;
        let request = worker.request().await;
        worker.answer(&request, 200, own.as_slice(), b"").await;
        let answer = client.answer().await;
        let dates: Vec<&str> =
            answer.fields.iter().filter(|field| field.0 == "date").map(|field| &field.1[..]).collect();
        assert_eq!(dates.len(), 1);
        assert!(own.is_none_or(|own| dates[0] == own.1));
    }
}

#[tokio::test]
async fn a_connection_that_was_parked_goes_on_where_it_was() {
    let (server, mut worker) = Server::start(settings()).await;
    let mut client = server.connect().await;
    // The head of the second request is begun in the same packet as the first, and ended after the parking.
    client.send("GET /1 HTTP/1.1\r\nhost: a\r\n\r\nGET /2 HT").await;
    for (target, rest) in
        [("/1", "TP/1.1\r\nhost: a\r\n\r\n"), ("/2", "GET /3 HTTP/1.1\r\nhost: a\r\n\r\n"), ("/3", "")]
    {
        let request = worker.request().await;
        assert_eq!(request.head().raw_path, target.as_bytes());
        worker.answer(&request, 200, &[], target.as_bytes()).await;
        assert_eq!(client.answer().await.body, target.as_bytes());
        // A multiple of the time after which a connection is parked: nothing else tells that it was.
        tokio::time::sleep(std::time::Duration::from_millis(400)).await;
        client.send(rest).await;
    }
}
