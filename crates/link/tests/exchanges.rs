//! Exchanges between a front and workers that speak the real wire over a real socket.

#![allow(clippy::unwrap_used, reason = "a panic in a test is a failed test")]

mod fake_worker;

use std::{sync::Arc, time::Duration};

use andon_link::{Event, Exchange, Lost, Notice, QueueSettings, Request, RouteId, Workers};
use andon_wire::{FLOW_WINDOW, Flags, FromWorker, MAX_PAYLOAD, ToWorker, usage::USAGE_LENGTH, websocket::Close};
use fake_worker::FakeWorker;

fn workers() -> Arc<Workers> {
    let workers = Workers::start(QueueSettings::default()).unwrap().workers;
    tokio::spawn({
        let workers = Arc::clone(&workers);
        async move { workers.watch().await }
    });
    workers
}

fn request(payload: &[u8], body_complete: bool) -> Request {
    Request { payload: payload.to_vec(), body_complete, route: RouteId(0), timeout: None, explain: false }
}

fn submit(workers: &Arc<Workers>) -> Exchange {
    workers.submit(request(b"head and body", true))
}

/// What a request has used that has used nothing.
const USED: [u8; USAGE_LENGTH] = [0; USAGE_LENGTH];

/// Every test ends within this, or fails.
async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(20), future).await.expect("it happens in time")
}

#[tokio::test]
async fn a_request_is_answered() {
    let workers = workers();
    let mut worker = FakeWorker::ready(&workers).await;
    let exchange = submit(&workers);
    let frame = worker.expect(ToWorker::Request).await;
    assert_eq!(&frame.payload[..], b"head and body");
    assert!(frame.header.flags.contains(Flags::END));
    let name = (frame.header.slot, frame.header.generation);
    assert!(worker.memory.slot(name.0).unwrap().claim(name.1));
    worker.send(FromWorker::Response, Flags::END, name, b"answer").await;
    worker.send(FromWorker::Finished, Flags::NONE, name, &USED).await;
    assert!(matches!(soon(exchange.event()).await, Event::Response { payload, end: true } if payload == "answer"));
    assert!(matches!(soon(exchange.event()).await, Event::Finished { failed: false, .. }));
}

#[tokio::test]
async fn without_a_worker_the_front_is_told_at_once() {
    let exchange = submit(&workers());
    assert!(matches!(soon(exchange.event()).await, Event::Lost(Lost::Unavailable)));
}

#[tokio::test]
async fn a_request_given_up_before_its_start_cannot_be_started() {
    let workers = workers();
    let mut worker = FakeWorker::ready(&workers).await;
    drop(submit(&workers));
    assert_eq!(soon(worker.take()).await, None);
}

#[tokio::test]
async fn a_request_given_up_after_its_start_is_disconnected_and_its_slot_is_kept() {
    let workers = workers();
    let mut worker = FakeWorker::ready(&workers).await;
    let exchange = submit(&workers);
    let name = soon(worker.take()).await.unwrap();
    drop(exchange);
    let frame = soon(worker.expect(ToWorker::Disconnect)).await;
    assert_eq!((frame.header.slot, frame.header.generation), name);
    let other = submit(&workers);
    let other_name = soon(worker.take()).await.unwrap();
    assert_ne!(other_name.0, name.0);
    drop(other);
}

#[tokio::test]
async fn a_dead_workers_unstarted_requests_go_to_another_and_started_ones_are_lost() {
    let workers = workers();
    let mut first = FakeWorker::ready(&workers).await;
    let started = submit(&workers);
    soon(first.take()).await.unwrap();
    let unstarted = submit(&workers);
    soon(first.expect(ToWorker::Request)).await;
    let mut second = FakeWorker::ready(&workers).await;
    drop(first);
    assert!(matches!(soon(started.event()).await, Event::Lost(Lost::WorkerDied)));
    let name = soon(second.take()).await.unwrap();
    second.send(FromWorker::Response, Flags::END, name, b"rescued").await;
    assert!(matches!(soon(unstarted.event()).await, Event::Response { payload, .. } if payload == "rescued"));
}

#[tokio::test]
async fn what_a_stalled_worker_has_not_started_goes_to_another() {
    let workers = workers();
    let mut stalled = FakeWorker::ready(&workers).await;
    let exchange = submit(&workers);
    let mut other = FakeWorker::ready(&workers).await;
    let name = soon(other.take()).await.unwrap();
    assert_eq!(soon(stalled.take()).await, None);
    other.send(FromWorker::Response, Flags::END, name, b"").await;
    assert!(matches!(soon(exchange.event()).await, Event::Response { .. }));
}

#[tokio::test]
async fn requests_beyond_the_window_are_offered_when_the_worker_tells_of_claims() {
    let workers = workers();
    let mut worker = FakeWorker::ready(&workers).await;
    let exchanges: Vec<_> = (0..200).map(|_| submit(&workers)).collect();
    for _ in 0..exchanges.len() {
        assert!(soon(worker.take()).await.is_some());
        if worker.memory.executor().take_notice_wanted() {
            worker.send(FromWorker::Claimed, Flags::NONE, (u32::MAX, 0), &[]).await;
        }
    }
}

#[tokio::test]
async fn the_body_is_sent_within_the_credit() {
    let workers = workers();
    let mut worker = FakeWorker::ready(&workers).await;
    let exchange = workers.submit(request(&[1], false));
    let sender = exchange.sender();
    let name = soon(worker.take()).await.unwrap();
    worker.send(FromWorker::RequestCredit, Flags::NONE, name, &1000_u32.to_le_bytes()).await;
    assert_eq!(soon(sender.credit()).await, Some(1000));
    sender.body(&[7; 600], false);
    assert_eq!(soon(sender.credit()).await, Some(400));
    sender.body(b"end", true);
    assert_eq!(soon(sender.credit()).await, None);
    assert_eq!(soon(worker.expect(ToWorker::RequestBody)).await.payload.len(), 600);
    let last = soon(worker.expect(ToWorker::RequestBody)).await;
    assert!(last.header.flags.contains(Flags::END) && last.payload == "end");
}

#[tokio::test]
async fn credit_beyond_the_window_is_not_believed() {
    let workers = workers();
    let mut worker = FakeWorker::ready(&workers).await;
    let exchange = workers.submit(request(&[1], false));
    let name = soon(worker.take()).await.unwrap();
    worker.send(FromWorker::RequestCredit, Flags::NONE, name, &u32::MAX.to_le_bytes()).await;
    assert_eq!(soon(exchange.sender().credit()).await, Some(FLOW_WINDOW));
}

#[tokio::test]
async fn a_message_above_the_window_is_paid_back_whole() {
    let workers = workers();
    let mut worker = FakeWorker::ready(&workers).await;
    let exchange = submit(&workers);
    let name = soon(worker.take()).await.unwrap();
    let window = (FLOW_WINDOW as u32).to_le_bytes();
    worker.send(FromWorker::RequestCredit, Flags::NONE, name, &window).await;
    assert_eq!(soon(exchange.sender().credit()).await, Some(FLOW_WINDOW));
    let length = 3 * FLOW_WINDOW;
    exchange.sender().message(false, &vec![0; length]);
    worker.send(FromWorker::RequestCredit, Flags::NONE, name, &(length as u32).to_le_bytes()).await;
    assert_eq!(soon(exchange.sender().credit()).await, Some(FLOW_WINDOW));
}

#[tokio::test]
async fn a_large_message_is_split_and_its_last_piece_marked() {
    let workers = workers();
    let mut worker = FakeWorker::ready(&workers).await;
    let exchange = submit(&workers);
    soon(worker.take()).await.unwrap();
    exchange.sender().message(true, &vec![b'x'; 2 * MAX_PAYLOAD + 5]);
    for (length, end) in [(MAX_PAYLOAD, false), (MAX_PAYLOAD, false), (5, true)] {
        let frame = soon(worker.expect(ToWorker::WebSocketMessage)).await;
        assert_eq!(frame.payload.len(), length);
        assert_eq!(frame.header.flags, Flags::TEXT.with(Flags::END, end));
    }
    exchange.sender().websocket_closed(&Close { code: 1001, reason: "going away".to_owned() });
    let frame = soon(worker.expect(ToWorker::WebSocketDisconnect)).await;
    assert_eq!(Close::parse(&frame.payload).unwrap().code, 1001);
}

#[tokio::test]
async fn a_late_frame_does_not_reach_the_next_exchange_in_its_slot() {
    let workers = workers();
    let mut worker = FakeWorker::ready(&workers).await;
    let first = submit(&workers);
    let name = soon(worker.take()).await.unwrap();
    worker.send(FromWorker::Finished, Flags::FAILED, name, &USED).await;
    assert!(matches!(soon(first.event()).await, Event::Finished { failed: true, .. }));
    let second = submit(&workers);
    let next = soon(worker.take()).await.unwrap();
    assert_eq!(next.0, name.0);
    worker.send(FromWorker::Response, Flags::END, name, b"late").await;
    worker.send(FromWorker::Response, Flags::END, next, b"right").await;
    assert!(matches!(soon(second.event()).await, Event::Response { payload, .. } if payload == "right"));
}

#[tokio::test]
async fn a_worker_that_breaks_the_protocol_is_cut_off() {
    let workers = workers();
    for hostile in [&[0xff_u8; 64][..], &[0, 0, 0, 0, 99, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]] {
        let mut worker = FakeWorker::ready(&workers).await;
        let exchange = submit(&workers);
        soon(worker.take()).await.unwrap();
        worker.send_raw(hostile).await;
        assert!(matches!(soon(exchange.event()).await, Event::Lost(Lost::WorkerDied)));
        assert!(matches!(soon(worker.attached.notices.recv()).await, Some(Notice::Closed)));
    }
}

#[tokio::test]
async fn a_retired_worker_is_idle_when_its_exchanges_have_ended() {
    let workers = workers();
    let mut worker = FakeWorker::ready(&workers).await;
    let exchange = submit(&workers);
    let name = soon(worker.take()).await.unwrap();
    workers.retire(worker.attached.id);
    assert!(worker.attached.notices.try_recv().is_err());
    worker.send(FromWorker::Finished, Flags::NONE, name, &USED).await;
    assert!(matches!(soon(worker.attached.notices.recv()).await, Some(Notice::Idle)));
    drop(exchange);
}

#[tokio::test]
async fn a_retired_worker_is_idle_when_what_it_had_not_started_is_given_up() {
    let workers = workers();
    let mut worker = FakeWorker::ready(&workers).await;
    let exchange = submit(&workers);
    workers.retire(worker.attached.id);
    assert!(worker.attached.notices.try_recv().is_err());
    drop(exchange);
    assert!(matches!(soon(worker.attached.notices.recv()).await, Some(Notice::Idle)));
}

#[tokio::test]
async fn a_worker_that_was_told_to_end_before_it_was_ready_is_given_nothing() {
    let workers = workers();
    let mut worker = FakeWorker::attached(&workers);
    workers.shutdown(worker.attached.id);
    worker.send(FromWorker::Ready, Flags::NONE, (u32::MAX, 0), &[]).await;
    assert!(matches!(soon(worker.attached.notices.recv()).await, Some(Notice::Ready)));
    assert!(matches!(soon(submit(&workers).event()).await, Event::Lost(Lost::Unavailable)));
}

#[tokio::test]
async fn a_worker_that_is_ready_twice_is_cut_off() {
    let workers = workers();
    let mut worker = FakeWorker::ready(&workers).await;
    worker.send(FromWorker::Ready, Flags::NONE, (u32::MAX, 0), &[]).await;
    assert!(matches!(soon(worker.attached.notices.recv()).await, Some(Notice::Closed)));
}

#[tokio::test]
async fn a_request_whose_end_cannot_be_read_is_lost() {
    let workers = workers();
    let mut worker = FakeWorker::ready(&workers).await;
    let exchange = submit(&workers);
    let name = soon(worker.take()).await.unwrap();
    worker.send(FromWorker::Finished, Flags::NONE, name, b"too short").await;
    assert!(matches!(soon(exchange.event()).await, Event::Lost(Lost::WorkerDied)));
}

#[tokio::test]
async fn what_is_answered_without_having_been_started_goes_to_another_worker_whole() {
    let workers = workers();
    let mut hostile = FakeWorker::ready(&workers).await;
    let exchange = submit(&workers);
    let header = soon(hostile.expect(ToWorker::Request)).await.header;
    let mut other = FakeWorker::ready(&workers).await;
    hostile.send(FromWorker::Response, Flags::END, (header.slot, header.generation), b"forged").await;
    let frame = soon(other.expect(ToWorker::Request)).await;
    assert_eq!(&frame.payload[..], b"head and body");
    let name = (frame.header.slot, frame.header.generation);
    assert!(other.memory.slot(name.0).unwrap().claim(name.1));
    other.send(FromWorker::Response, Flags::END, name, b"true").await;
    assert!(matches!(soon(exchange.event()).await, Event::Response { payload, .. } if payload == "true"));
}
