//! What the link tells dispatch of workers that speak the real wire, and what it tells others of it.

#![allow(clippy::unwrap_used, reason = "a panic in a test is a failed test")]

mod fake_worker;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use andon_dispatch::{Reason, Record, Settings, replay};
use andon_link::{Event, Exchange, QueueSettings, Request, RouteId, Started, Workers};
use andon_wire::{
    Excuses, Flags, FromWorker, ToWorker, Usage,
    frame::NO_SLOT,
    routes::{Callable, Route, put_routes},
    rule::Rule,
    stall::{Place, StackFrame, Stall, StallKind},
};
use fake_worker::FakeWorker;

fn start(settings: QueueSettings) -> Started {
    let started = Workers::start(settings).unwrap();
    let workers = Arc::clone(&started.workers);
    tokio::spawn(async move { workers.watch().await });
    started
}

fn request(route: RouteId) -> Request {
    Request { payload: b"head".to_vec(), body_complete: true, route, timeout: None, explain: false }
}

fn submit(workers: &Arc<Workers>, path: &str) -> Exchange {
    workers.submit(request(workers.route("GET", path, false)))
}

/// Every test ends within this, or fails.
async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(20), future).await.expect("it happens in time")
}

async fn answer(worker: &mut FakeWorker, name: (u32, u32), usage: &Usage) {
    worker.send(FromWorker::Response, Flags::END, name, b"").await;
    worker.send(FromWorker::Finished, Flags::NONE, name, &usage.to_bytes()).await;
}

async fn answered(exchange: &Exchange) -> Usage {
    assert!(matches!(soon(exchange.event()).await, Event::Response { .. }));
    let Event::Finished { usage, .. } = soon(exchange.event()).await else { panic!("the exchange goes on") };
    usage
}

/// Nanoseconds of the monotonic clock, as workers write them.
fn monotonic() -> u64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

#[tokio::test]
async fn the_table_of_a_worker_names_the_routes() {
    let workers = start(QueueSettings::default()).workers;
    let mut worker = FakeWorker::attached(&workers);
    let route = Route {
        methods: vec!["GET".to_owned()],
        pattern: "^/items/([^/]+)$".to_owned(),
        template: "/items/{item_id}".to_owned(),
        callable: Callable::Function,
        ..Route::default()
    };
    let mut payload = Vec::new();
    put_routes(&mut payload, &[route]).unwrap();
    worker.send(FromWorker::Routes, Flags::NONE, (NO_SLOT, 0), &payload).await;
    worker.send(FromWorker::Ready, Flags::NONE, (NO_SLOT, 0), &[]).await;
    soon(worker.attached.notices.recv()).await.unwrap();
    assert_eq!(&*workers.route_name(workers.route("GET", "/items/7", false)), "GET /items/{item_id}");
    assert_eq!(workers.route("GET", "/items/7", false), workers.route("GET", "/items/8", false));
}

#[tokio::test]
async fn a_placement_and_what_was_used_can_be_told() {
    let workers = start(QueueSettings::default()).workers;
    let mut worker = FakeWorker::ready(&workers).await;
    let exchange = workers.submit(Request { explain: true, ..request(RouteId(0)) });
    let frame = soon(worker.expect(ToWorker::Request)).await;
    assert!(frame.header.flags.contains(Flags::EXPLAIN));
    let name = (frame.header.slot, frame.header.generation);
    assert!(worker.memory.slot(name.0).unwrap().claim(name.1));
    worker.memory.executor().count_taken();
    let usage = Usage { loop_longest: Duration::from_millis(3), ..Usage::default() };
    worker.send(FromWorker::Usage, Flags::NONE, name, &usage.to_bytes()).await;
    answer(&mut worker, name, &usage).await;
    assert!(matches!(soon(exchange.event()).await, Event::Usage(told) if told == usage));
    assert_eq!(answered(&exchange).await, usage);
    let placement = exchange.placement().unwrap();
    assert_eq!((placement.worker, placement.reason), (1, Reason::NewRoute));
}

#[tokio::test]
async fn a_route_that_holds_its_loop_leaves_a_worker_to_the_others() {
    let workers = start(QueueSettings::default()).workers;
    let mut first = FakeWorker::ready(&workers).await;
    let slow = submit(&workers, "/slow");
    let name = soon(first.take()).await.unwrap();
    let held = Duration::from_millis(300);
    answer(&mut first, name, &Usage { loop_longest: held, loop_total: held, ..Usage::default() }).await;
    answered(&slow).await;

    let mut second = FakeWorker::ready(&workers).await;
    let held_one = submit(&workers, "/slow");
    let held_two = submit(&workers, "/slow");
    let (worker, other) = tokio::select! {
        name = first.take() => (name.unwrap(), &mut second),
        name = second.take() => (name.unwrap(), &mut first),
    };
    let fast = submit(&workers, "/fast");
    let name = soon(other.take()).await.unwrap();
    answer(other, name, &Usage::default()).await;
    answered(&fast).await;
    assert!(held_two.placement().is_none(), "it would occupy the last worker");
    assert_eq!(held_one.placement().map(|placement| placement.reason), Some(Reason::HoldsLoop));
    drop((worker, held_one, held_two));
}

#[tokio::test]
async fn a_stall_is_reported_with_those_it_held_up() {
    let mut started = start(QueueSettings::default());
    let workers = started.workers;
    let mut worker = FakeWorker::ready(&workers).await;
    let slow = submit(&workers, "/slow");
    let name = soon(worker.take()).await.unwrap();
    let since = monotonic();
    worker.memory.executor().begin_step(name.0, name.1, since);
    let _waiting = submit(&workers, "/fast");
    let stall = Stall {
        kind: StallKind::Blocked,
        place: Place::EventLoop,
        since: Duration::from_nanos(since),
        elapsed: Duration::from_millis(100),
        processor: Duration::ZERO,
        system_call: "clock_nanosleep".to_owned(),
        frames: Some(vec![StackFrame { own: true, line: 7, file: "main.py".to_owned(), function: "slow".to_owned() }]),
        cut: false,
    };
    let mut payload = Vec::new();
    stall.put(&mut payload).unwrap();
    worker.send(FromWorker::Stall, Flags::NONE, name, &payload).await;
    let ongoing = soon(started.stalls.recv()).await.unwrap();
    assert!(ongoing.ongoing && ongoing.elapsed >= Duration::from_secs(1));
    assert_eq!(&*ongoing.route, "GET /slow");
    assert_eq!(ongoing.stall, stall);
    assert!(ongoing.held_up.iter().any(|held_up| &*held_up.route == "GET /fast"));
    worker.memory.executor().end_step();
    let excuses = Excuses::NONE;
    answer(&mut worker, name, &Usage { loop_longest: ongoing.elapsed, excuses, ..Usage::default() }).await;
    answered(&slow).await;
}

#[tokio::test]
async fn a_recorded_run_is_replayed_by_the_rule() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("decisions.jsonl");
    let workers = start(QueueSettings { trace: Some(path.clone()), ..QueueSettings::default() }).workers;
    let mut worker = FakeWorker::ready(&workers).await;
    for number in 0..50 {
        let exchange = submit(&workers, if number % 3 == 0 { "/a" } else { "/b" });
        let name = soon(worker.take()).await.unwrap();
        answer(&mut worker, name, &Usage::default()).await;
        answered(&exchange).await;
    }
    workers.flush_trace();
    let text = std::fs::read_to_string(path).unwrap();
    let mut lines = text.lines();
    let settings: Settings = serde_json::from_str(lines.next().unwrap()).unwrap();
    let records: Vec<Record> = lines.map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(records.len() >= 200);
    assert!(replay(settings, records).is_ok());
}

#[tokio::test]
async fn a_worker_that_counts_on_and_on_does_not_hold_up_the_front() {
    let rule = Rule { concurrency: Some(1), ..Rule::default() };
    let settings = QueueSettings { rules: vec![("GET /one".to_owned(), rule)], ..QueueSettings::default() };
    let workers = start(settings).workers;
    let worker = FakeWorker::ready(&workers).await;
    let stop = AtomicBool::new(false);
    let state = worker.memory.executor();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                state.count_taken();
            }
        });
        // The second waits for the first, so the front looks whether anything was taken up.
        let exchanges: Vec<_> = (0..2).map(|_| submit(&workers, "/one")).collect();
        let waits = exchanges[1].placement().is_none();
        stop.store(true, Ordering::Relaxed);
        assert!(waits);
    });
}
