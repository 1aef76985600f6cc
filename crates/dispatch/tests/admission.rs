//! Bounds of the queue: time, count, bytes, deadlines, and what standing overload changes.

#![allow(clippy::unwrap_used, reason = "a panic in a test is a failed test")]

mod support;

use andon_dispatch::{Action, Arrival, Event, Priority, Refusal, RequestId, RouteId, RouteRule, Settings};
use support::*;

/// One worker that takes up one request at a time.
fn narrow(settings: Settings) -> Bench {
    let mut bench = Bench::new(Settings { window: 1, capacity: 100_000, ..settings }, 1);
    bench.arrive(0, LIGHT);
    bench
}

fn refused(request: u32, refusal: Refusal) -> Vec<Action> {
    vec![Action::Refuse(RequestId(request), refusal)]
}

/// Twenty placements out of the queue, one each 100 ms; leaves one request offered and an empty queue.
fn measured(settings: Settings) -> Bench {
    let mut bench = narrow(settings);
    for request in 1..=20 {
        bench.arrive(request, LIGHT);
        bench.now += 100;
        assert_eq!(offered(&bench.take(FIRST, u64::from(request))), [(request, FIRST)]);
    }
    bench
}

#[test]
fn what_has_waited_for_the_queue_timeout_is_refused() {
    let mut bench = narrow(settings());
    bench.arrive(1, LIGHT);
    assert_eq!(bench.dispatcher.next_deadline(), Some(milliseconds(10_000)));
    bench.tick_at(9_999);
    assert_eq!(bench.dispatcher.waiting(), 1);
    assert!(bench.tick_at(10_000).contains(&Action::Refuse(RequestId(1), Refusal::TimedOut)));
    assert_eq!((bench.dispatcher.waiting(), bench.dispatcher.live()), (0, 1));
}

#[test]
fn heavy_work_may_wait_for_longer() {
    let mut bench = Bench::new(settings(), 2);
    bench.arrive(0, BLOCKS);
    bench.arrive(1, BLOCKS);
    assert_eq!(bench.dispatcher.next_deadline(), Some(milliseconds(60_000)));
}

#[test]
fn a_request_is_not_started_after_its_deadline() {
    let mut bench = narrow(settings());
    let deadline = Some(milliseconds(50));
    let arrival = |request| Arrival { request: RequestId(request), route: LIGHT, bytes: 0, deadline };
    bench.step(Event::Arrived(arrival(1)));
    assert_eq!(bench.dispatcher.next_deadline(), deadline);
    bench.now = 50;
    assert_eq!(bench.take(FIRST, 1), refused(1, Refusal::DeadlinePassed));
    assert_eq!(bench.step(Event::Arrived(arrival(2))), refused(2, Refusal::DeadlinePassed));
}

#[test]
fn an_offer_is_recalled_at_its_deadline_and_then_refused() {
    let mut bench = Bench::new(settings(), 1);
    let deadline = Some(milliseconds(10));
    bench.step(Event::Arrived(Arrival { request: RequestId(0), route: LIGHT, bytes: 0, deadline }));
    assert_eq!(bench.tick_at(10), [Action::Recall(RequestId(0), FIRST)]);
    assert_eq!(bench.recalled(0), refused(0, Refusal::DeadlinePassed));
}

#[test]
fn a_request_whose_client_has_gone_is_not_placed() {
    let mut bench = narrow(settings());
    bench.arrive(1, LIGHT);
    bench.arrive(2, LIGHT);
    bench.step(Event::Ended(RequestId(1)));
    assert_eq!(offered(&bench.take(FIRST, 1)), [(2, FIRST)]);
}

#[test]
fn the_queue_is_bounded_in_requests_and_in_bytes() {
    let mut bench = narrow(Settings { queue_requests: 1, ..settings() });
    bench.arrive(1, LIGHT);
    assert_eq!(bench.arrive(2, LIGHT), refused(2, Refusal::Overloaded));

    let mut bench = narrow(Settings { queue_bytes: 100, ..settings() });
    let arrival = |request, bytes| Arrival { request: RequestId(request), route: LIGHT, bytes, deadline: None };
    assert_eq!(bench.step(Event::Arrived(arrival(1, 60))), []);
    assert_eq!(bench.step(Event::Arrived(arrival(2, 60))), refused(2, Refusal::Overloaded));
    assert_eq!(bench.step(Event::Arrived(arrival(3, 40))), []);
}

#[test]
fn a_request_that_would_wait_too_long_is_refused_when_it_arrives() {
    let mut bench = measured(settings());
    let admitted = (100..300).filter(|&request| bench.arrive(request, LIGHT).is_empty()).count();
    // 100 ms each, and four fifths of the queue timeout of 10 s.
    assert_eq!(admitted, 81);
    assert_eq!(bench.arrive(400, LIGHT), refused(400, Refusal::Overloaded));
}

#[test]
fn the_first_to_wait_is_let_in_however_long_ago_another_has_waited() {
    let mut bench = measured(settings());
    bench.now += 3_600_000;
    assert_eq!(bench.arrive(100, LIGHT), []);
}

#[test]
fn what_has_higher_priority_does_not_count_what_waits_behind_it() {
    let mut bench = measured(settings());
    let urgent = RouteId(9);
    let rule = RouteRule { priority: Priority::High, ..RouteRule::default() };
    bench.know(urgent, rule, Some(profile(0.0, 0.0)));
    (100..300).for_each(|request| drop(bench.arrive(request, LIGHT)));
    assert_eq!(bench.arrive(400, urgent), []);
}

#[test]
fn a_burst_is_served_in_order_and_standing_overload_newest_first() {
    let mut bench = narrow(settings());
    let mut served = Vec::new();
    for pair in 1..=3000_u32 {
        bench.arrive(2 * pair, LIGHT);
        bench.arrive(2 * pair + 1, LIGHT);
        bench.now += 10;
        let now = offered(&bench.take(FIRST, u64::from(pair)));
        // Pairs are 10 ms apart.
        served.extend(now.iter().map(|&(request, _)| (request, 10 * (pair - request / 2))));
    }
    let order: Vec<_> = served.iter().map(|&(request, _)| request).take(400).collect();
    assert!(order.is_sorted());
    let settled = &served[served.len() - 300..];
    let at_once = settled.iter().filter(|&&(_, waited)| waited == 0).count();
    assert!(at_once > 75, "{at_once} of 300 at once");
    assert!(settled.iter().all(|&(_, waited)| waited <= 5_050), "{settled:?}");
}

#[test]
fn under_standing_overload_a_fifth_of_the_wait_is_let_in() {
    let mut bench = measured(settings());
    (100..160).for_each(|request| drop(bench.arrive(request, LIGHT)));
    for taken in 21..80 {
        bench.now += 100;
        bench.take(FIRST, taken);
    }
    assert_eq!(bench.dispatcher.waiting(), 1);
    let admitted = (200..300).filter(|&request| bench.arrive(request, LIGHT).is_empty()).count();
    // 100 ms each, and a fifth of the queue timeout of 10 s.
    assert_eq!((admitted, bench.dispatcher.waiting()), (20, 21));
}

#[test]
fn a_full_route_is_refused_by_its_own_wait_and_others_are_not() {
    let mut bench = Bench::new(settings(), 1);
    let limited = RouteId(9);
    let rule = RouteRule { concurrency: Some(1), ..RouteRule::default() };
    bench.know(limited, rule, Some(profile(0.0, 0.0)));
    bench.arrive(0, limited);
    for request in 1..20 {
        bench.arrive(request, limited);
        bench.now += 1000;
        bench.take(FIRST, u64::MAX);
        bench.end_light(request - 1);
    }
    let admitted = (100..150).filter(|&request| bench.arrive(request, limited).is_empty()).count();
    assert_eq!(admitted, 9);
    assert_eq!(bench.arrive(200, limited), refused(200, Refusal::RouteFull));
    assert_eq!(offered(&bench.arrive(201, LIGHT)), [(201, FIRST)]);
}
