//! WebSockets over real sockets, with a fake worker.

mod support;

use andon_config::{LogFormat, Seconds};
use andon_wire::{FLOW_WINDOW, Flags, FromWorker, ToWorker};
use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress};
use support::{
    Client, SHORT, Server, Worker, settings,
    websocket::{BINARY, CLOSE, COMPRESSED, Frame, PING, PONG, TEXT, closing, frame, handshake},
    worker::Request,
};

/// An open WebSocket.
async fn open() -> (Server, Worker, Client, Request) {
    let (server, mut worker) = Server::start(settings()).await;
    let mut client = server.open("").await;
    let request = worker.accept(&[]).await;
    assert_eq!(client.head().await.status, 101);
    (server, worker, client, request)
}

#[tokio::test]
async fn handshake_is_answered_with_the_applications_fields_and_those_of_the_protocol() {
    let (server, mut worker) = Server::start(settings()).await;
    let mut client = server.open("sec-websocket-protocol: a, b\r\n").await;
    worker.accept(&[("sec-websocket-protocol", "b"), ("set-cookie", "c=d"), ("sec-websocket-accept", "forged")]).await;
    let answer = client.head().await;
    assert_eq!(answer.status, 101);
    for (name, value) in [
        ("sec-websocket-protocol", "b"),
        ("set-cookie", "c=d"),
        ("upgrade", "websocket"),
        ("connection", "Upgrade"),
        ("sec-websocket-accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="),
        ("server", "andon"),
    ] {
        let values: Vec<_> = answer.fields.iter().filter(|field| field.0 == name).map(|field| &field.1[..]).collect();
        assert_eq!(values, [value], "{name}");
    }
    assert_eq!(answer.field("content-length"), None);
}

#[tokio::test]
async fn messages_pass_both_ways() {
    let (_server, mut worker, mut client, request) = open().await;
    for size in [0, 1, 125, 126, 1000] {
        client.send_frame(TEXT, "é".repeat(size / 2).as_bytes()).await;
        assert_eq!(worker.received().await, (true, "é".repeat(size / 2).into_bytes()));
        client.send_frame(BINARY, &vec![0xff; size]).await;
        assert_eq!(worker.received().await, (false, vec![0xff; size]));
    }
    for size in [0, 125, 126, 65_535, 65_536, 200_000] {
        worker.message(&request, true, &vec![b'a'; size]).await;
        assert_eq!(client.frame().await, Frame { first: TEXT, payload: vec![b'a'; size] });
        worker.message(&request, false, b"binary").await;
        assert_eq!(client.frame().await, Frame { first: BINARY, payload: b"binary".to_vec() });
    }
}

#[tokio::test]
async fn frames_that_come_with_the_handshake_and_byte_by_byte_are_read() {
    let (server, mut worker) = Server::start(settings()).await;
    let mut client = server.connect().await;
    let mut bytes = handshake("").into_bytes();
    bytes.extend(frame(TEXT, b"early"));
    client.send(&bytes).await;
    worker.accept(&[]).await;
    assert_eq!(worker.received().await, (true, b"early".to_vec()));
    client.socket.set_nodelay(true).unwrap();
    for byte in frame(TEXT, &[b'x'; 200]) {
        client.send([byte]).await;
    }
    assert_eq!(worker.received().await, (true, vec![b'x'; 200]));
}

#[tokio::test]
async fn burst_of_messages_arrives_whole_and_in_order() {
    let (_server, mut worker, mut client, request) = open().await;
    let burst: Vec<u8> = (0..5000).flat_map(|number| frame(TEXT, format!("message {number}").as_bytes())).collect();
    client.send(&burst).await;
    for number in 0..5000 {
        assert_eq!(worker.received().await.1, format!("message {number}").into_bytes());
        worker.message(&request, true, format!("answer {number}").as_bytes()).await;
    }
    for number in 0..5000 {
        assert_eq!(client.frame().await.payload, format!("answer {number}").into_bytes());
    }
}

#[tokio::test]
async fn fragments_are_put_together_and_pings_between_them_answered() {
    let (_server, mut worker, mut client, _request) = open().await;
    let text = "zwölf Boxkämpfer".as_bytes();
    client.send_frame(0x01, &text[..3]).await; // in the middle of a character
    client.send_frame(PING, b"here?").await;
    client.send_frame(0x00, &text[3..10]).await;
    client.send_frame(0x80, &text[10..]).await;
    assert_eq!(client.frame().await, Frame { first: PONG, payload: b"here?".to_vec() });
    assert_eq!(worker.received().await, (true, text.to_vec()));
}

#[tokio::test]
async fn close_of_the_client_is_answered_and_told_with_code_and_reason() {
    for (payload, code, reason) in
        [(closing(4001, "gone fishing"), 4001, "gone fishing"), (Vec::new(), 1005, ""), (closing(1000, ""), 1000, "")]
    {
        let (_server, mut worker, mut client, _request) = open().await;
        client.send_frame(CLOSE, &payload).await;
        assert_eq!(client.frame().await, Frame { first: CLOSE, payload });
        assert!(client.is_closed().await);
        assert_eq!(worker.closed().await, (code, reason.to_owned()));
    }
}

#[tokio::test]
async fn close_of_the_application_is_sent_and_the_clients_answer_awaited() {
    let (_server, mut worker, mut client, request) = open().await;
    worker.close(&request, 3000, "enough").await;
    assert_eq!(client.frame().await, Frame { first: CLOSE, payload: closing(3000, "enough") });
    assert_eq!(worker.closed().await, (3000, "enough".to_owned()));
    client.send_frame(TEXT, b"too late").await;
    client.send_frame(CLOSE, &closing(3000, "")).await;
    assert!(client.is_closed().await);
    worker.expect(ToWorker::Disconnect).await;
}

#[tokio::test]
async fn application_that_returns_closes_with_1000_and_one_that_fails_with_1011() {
    for (failed, code) in [(false, 1000), (true, 1011)] {
        let (_server, mut worker, mut client, request) = open().await;
        worker.finish(&request, failed).await;
        client.expect_close(code).await;
    }
}

#[tokio::test]
async fn worker_that_dies_closes_with_1011() {
    let (_server, worker, mut client, _request) = open().await;
    drop(worker);
    client.expect_close(1011).await;
}

#[tokio::test]
async fn lost_client_is_told_as_1006() {
    let (_server, mut worker, client, _request) = open().await;
    drop(client);
    assert_eq!(worker.closed().await.0, 1006);
}

#[tokio::test]
async fn breaches_of_the_protocol_close_with_their_codes() {
    for (bytes, code) in [
        (vec![0x81, 0x00], 1002),                                        // not masked
        (frame(0x83, b""), 1002),                                        // reserved opcode
        (frame(0xc1, b"a"), 1002),                                       // compressed, which was not agreed
        (frame(0x80, b"a"), 1002),                                       // nothing to continue
        ([frame(0x01, b"a"), frame(0x81, b"b")].concat(), 1002),         // message within a message
        (frame(0x09, b""), 1002),                                        // fragmented ping
        (frame(CLOSE, &[3]), 1002),                                      // half a code
        (frame(CLOSE, &closing(1005, "")), 1002),                        // a code that is not to be sent
        (frame(TEXT, b"\xff"), 1007),                                    // not UTF-8
        ([frame(0x01, b"ok"), frame(0x00, b"\xc3\x28")].concat(), 1007), // not UTF-8, before the end is known
        (frame(TEXT, b"\xc3"), 1007),                                    // ends within a character
        (frame(CLOSE, b"\x03\xe8\xff"), 1007),                           // reason is not UTF-8
        (frame(BINARY, &[0; 1001]), 1009),                               // over the limit
        ([frame(0x02, &[0; 600]), frame(0x80, &[0; 600])].concat(), 1009),
    ] {
        let (_server, mut worker, mut client, _request) = open().await;
        client.send(&bytes).await;
        client.expect_close(code).await;
        assert_eq!(worker.closed().await.0, code, "{bytes:?}");
    }
}

#[tokio::test]
async fn denied_websocket_is_403() {
    let (server, mut worker) = Server::start(settings()).await;
    let mut client = server.open("").await;
    let request = worker.request().await;
    worker.close(&request, 1000, "").await;
    assert_eq!(client.answer().await.status, 403);
}

#[tokio::test]
async fn websocket_can_be_denied_with_an_answer() {
    let (server, mut worker) = Server::start(settings()).await;
    let mut client = server.open("").await;
    let request = worker.request().await;
    worker.begin(&request, 401, &[("www-authenticate", "Basic")], b"who are you?", true).await;
    worker.finish(&request, false).await;
    let answer = client.answer().await;
    assert_eq!((answer.status, answer.field("www-authenticate")), (401, Some("Basic")));
    assert_eq!(answer.body, b"who are you?");
}

#[tokio::test]
async fn application_that_fails_before_it_accepts_is_500() {
    let (server, mut worker) = Server::start(settings()).await;
    let mut client = server.open("").await;
    let request = worker.request().await;
    worker.finish(&request, true).await;
    assert_eq!(client.answer().await.status, 500);
}

#[tokio::test]
async fn handshakes_of_other_versions_are_told_the_right_one() {
    let server = Server::alone(settings());
    let mut client = server.connect().await;
    client.send(handshake("").replace("version: 13", "version: 12")).await;
    let answer = client.answer().await;
    assert_eq!((answer.status, answer.field("sec-websocket-version")), (426, Some("13")));
}

#[tokio::test]
async fn compressed_messages_pass_both_ways() {
    let (server, mut worker) = Server::start(settings()).await;
    let mut client = server.open("sec-websocket-extensions: permessage-deflate; client_max_window_bits\r\n").await;
    let request = worker.accept(&[]).await;
    let agreed = "permessage-deflate; server_max_window_bits=12; client_max_window_bits=12";
    assert_eq!(client.head().await.field("sec-websocket-extensions"), Some(agreed));
    let mut compress = Compress::new_with_window_bits(Compression::best(), false, 12);
    let mut decompress = Decompress::new_with_window_bits(false, 12);
    for number in 0..20 {
        let text = format!("the same words again and again, message {number}").repeat(4).into_bytes();
        let mut compressed = Vec::with_capacity(1000);
        compress.compress_vec(&text, &mut compressed, FlushCompress::Sync).unwrap();
        compressed.truncate(compressed.len() - 4);
        // The second half as a fragment of its own, which does not carry the bit.
        let (first, second) = compressed.split_at(compressed.len() / 2);
        client.send_frame(0x01 | COMPRESSED, first).await;
        client.send_frame(0x80, second).await;
        assert_eq!(worker.received().await, (true, text.clone()));

        worker.message(&request, true, &text).await;
        let mut frame = client.frame().await;
        assert_eq!(frame.first, TEXT | COMPRESSED);
        frame.payload.extend_from_slice(&[0, 0, 0xff, 0xff]);
        let mut back = Vec::with_capacity(1000);
        decompress.decompress_vec(&frame.payload, &mut back, FlushDecompress::Sync).unwrap();
        assert_eq!(back, text);
    }
}

#[tokio::test]
async fn message_that_grows_over_the_limit_when_decompressed_is_refused() {
    let (server, mut worker) = Server::start(settings()).await;
    let mut client = server.open("sec-websocket-extensions: permessage-deflate\r\n").await;
    worker.accept(&[]).await;
    client.head().await;
    let mut compressed = Vec::with_capacity(10_000);
    let mut compress = Compress::new_with_window_bits(Compression::best(), false, 15);
    compress.compress_vec(&[0; 100_000], &mut compressed, FlushCompress::Sync).unwrap();
    assert!(compressed.len() < 1000);
    client.send_frame(BINARY | COMPRESSED, &compressed[..compressed.len() - 4]).await;
    client.expect_close(1009).await;
}

#[tokio::test]
async fn client_is_read_only_while_the_application_takes_what_it_sends() {
    let (_server, mut worker, mut client, request) = open().await;
    let message = frame(BINARY, &[7; 1000]);
    // Far more than all windows and socket buffers together.
    let sender = tokio::spawn(async move {
        for _ in 0..20_000 {
            client.send(&message).await;
        }
        client
    });
    let window = FLOW_WINDOW / 1000 + 1;
    for _ in 0..window {
        worker.received().await;
    }
    // Without credit nothing more comes; the next frame shows up only after the grant.
    let early = tokio::time::timeout(SHORT.0, worker.frame()).await;
    assert!(early.is_err() && !sender.is_finished());
    for _ in window..20_000 {
        worker.credit(&request, 1000).await;
        worker.received().await;
    }
    sender.await.unwrap();
}

#[tokio::test]
async fn application_is_granted_only_what_its_client_has_read() {
    let (_server, mut worker, mut client, request) = open().await;
    for _ in 0..4 {
        worker.message(&request, false, &vec![1; FLOW_WINDOW / 4]).await;
    }
    for _ in 0..4 {
        client.frame().await;
    }
    let mut granted = 0;
    while granted < FLOW_WINDOW {
        let credit = worker.expect(ToWorker::ResponseCredit).await.payload;
        granted += u32::from_le_bytes(credit[..].try_into().unwrap()) as usize;
    }
    assert_eq!(granted, FLOW_WINDOW);
}

#[tokio::test]
async fn pieces_of_a_large_message_are_its_fragments() {
    let (_server, mut worker, mut client, request) = open().await;
    worker.send(FromWorker::WebSocketMessage, Flags::TEXT, request.slot, b"be").await;
    assert_eq!(client.frame().await, Frame { first: 0x01, payload: b"be".to_vec() });
    worker.send(FromWorker::WebSocketMessage, Flags::TEXT.with(Flags::END, true), request.slot, b"gun").await;
    assert_eq!(client.frame().await, Frame { first: 0x80, payload: b"gun".to_vec() });
}

#[tokio::test]
async fn silent_client_is_pinged_and_then_given_up() {
    let mut settings = settings();
    settings.websocket.ping_interval = Some(SHORT.0);
    settings.websocket.ping_timeout = Some(SHORT.0);
    let (server, mut worker) = Server::start(settings).await;
    let mut client = server.open("").await;
    worker.accept(&[]).await;
    client.head().await;
    for _ in 0..3 {
        let ping = client.frame().await;
        assert_eq!(ping.first, PING);
        client.send_frame(PONG, &ping.payload).await;
    }
    assert_eq!(client.frame().await.first, PING);
    client.expect_close(1011).await;
    assert!(client.is_closed().await);
    assert_eq!(worker.closed().await.0, 1006);
}

#[tokio::test]
async fn shutdown_closes_with_1012_and_waits_for_the_client() {
    let (server, mut worker, mut client, _request) = open().await;
    let serving = server.stop();
    client.expect_close(1012).await;
    assert_eq!(worker.closed().await.0, 1012);
    client.send_frame(CLOSE, &closing(1012, "")).await;
    assert!(client.is_closed().await);
    assert_eq!(serving.await.unwrap().unwrap().cut, 0);
}

#[tokio::test]
async fn websocket_that_does_not_close_is_cut_with_the_rest() {
    let mut settings = settings();
    settings.timeouts.graceful_shutdown = Seconds(SHORT.0);
    let (server, mut worker) = Server::start(settings).await;
    let mut client = server.open("").await;
    worker.accept(&[]).await;
    client.head().await;
    let serving = server.stop();
    client.expect_close(1012).await;
    assert_eq!(serving.await.unwrap().unwrap().cut, 1);
    assert!(client.is_closed().await);
}

#[tokio::test]
async fn websocket_has_one_line_in_the_access_log_with_its_close_code() {
    let (read, write) = std::io::pipe().unwrap();
    let (log, writer) = andon_observe::AccessLog::start(write, LogFormat::Text).unwrap();
    let mut settings = settings();
    settings.access_log = Some(log);
    let (server, mut worker) = Server::start(settings).await;
    let mut client = server.open("").await;
    let request = worker.accept(&[]).await;
    client.head().await;
    worker.message(&request, true, b"hello").await;
    client.frame().await;
    client.send_frame(CLOSE, &closing(4000, "")).await;
    assert!(!client.is_closed().await, "the close is answered");
    server.stop().await.unwrap().unwrap();
    writer.finish();
    let log = std::io::read_to_string(read).unwrap();
    assert_eq!(log.lines().count(), 1, "{log}");
    assert!(log.contains("\"GET /ws HTTP/1.1\" 101/4000 5B "), "{log}");
}
