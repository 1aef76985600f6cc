//! The plain rule, as sentences: the least busy free worker, one queue, recall from stalled workers.

#![allow(clippy::unwrap_used, reason = "a panic in a test is a failed test")]

mod support;

use andon_dispatch::{Action, Event, Reason, Refusal, RequestId, Running, Settings, Sight};
use support::*;

fn with_workers(count: u32) -> Bench {
    Bench::new(settings(), count)
}

#[test]
fn a_request_goes_to_the_least_busy_worker_and_among_equals_to_the_first() {
    let mut bench = with_workers(2);
    assert_eq!(bench.arrive(0, LIGHT), [offer(0, FIRST, Reason::LeastBusy)]);
    assert_eq!(bench.arrive(1, LIGHT), [offer(1, SECOND, Reason::LeastBusy)]);
    assert_eq!(bench.end_light(1), []);
    assert_eq!(bench.arrive(2, LIGHT), [offer(2, SECOND, Reason::LeastBusy)]);
}

#[test]
fn a_worker_that_takes_nothing_up_is_given_no_more_than_its_window() {
    let mut bench = with_workers(1);
    for request in 0..3 {
        assert_eq!(bench.arrive(request, LIGHT).len(), 1);
    }
    assert_eq!(bench.arrive(3, LIGHT), []);
    bench.now = 1;
    assert_eq!(bench.take(FIRST, 1), [offer(3, FIRST, Reason::Waited)]);
}

#[test]
fn what_a_stalled_worker_has_not_taken_up_is_recalled_once_and_goes_elsewhere() {
    let mut bench = with_workers(2);
    bench.arrive(0, LIGHT);
    assert_eq!(bench.tick_at(19), []);
    assert_eq!(bench.tick_at(20), [Action::Recall(RequestId(0), FIRST)]);
    assert_eq!(bench.recalled(0), [offer(0, SECOND, Reason::Returned)]);
    assert_eq!(bench.tick_at(30), []);
}

#[test]
fn a_stalled_worker_is_given_nothing_until_it_has_come_past_all_offers() {
    let mut bench = with_workers(1);
    bench.arrive(0, LIGHT);
    bench.arrive(1, LIGHT);
    assert_eq!(bench.tick_at(25).len(), 2);
    assert_eq!(bench.recalled(1), []);
    assert_eq!(bench.take(FIRST, 1), []);
    assert_eq!(bench.take(FIRST, 2), [offer(1, FIRST, Reason::Returned)]);
}

#[test]
fn a_stalled_worker_is_given_something_again_when_its_loop_has_turned() {
    let mut bench = with_workers(1);
    bench.arrive(0, LIGHT);
    bench.take(FIRST, 1);
    let step = Some(Running { excused: true, ..running(0, 20, 0) });
    assert_eq!(bench.see(FIRST, Sight { step, ..Sight::default() }), []);
    assert_eq!(bench.arrive(1, LIGHT), []);
    let turned = Sight { turns: 1, ..Sight::default() };
    assert_eq!(bench.see(FIRST, turned), [offer(1, FIRST, Reason::LeastBusy)]);
}

#[test]
fn a_step_that_holds_the_loop_has_everything_recalled_that_waits_behind_it() {
    let mut bench = with_workers(1);
    bench.arrive(0, LIGHT);
    bench.take(FIRST, 1);
    bench.arrive(1, LIGHT);
    bench.arrive(2, LIGHT);
    let recalls = [Action::Recall(RequestId(2), FIRST), Action::Recall(RequestId(1), FIRST)];
    assert_eq!(bench.see(FIRST, holding(0, 20)), recalls);
    assert_eq!(bench.see(FIRST, holding(0, 25)), []);
}

#[test]
fn a_recalled_request_is_placed_before_those_that_came_later() {
    let mut bench = with_workers(1);
    for request in 0..4 {
        bench.arrive(request, LIGHT);
    }
    bench.tick_at(25);
    bench.recalled(0);
    let up = bench.step(Event::WorkerReady(SECOND));
    assert_eq!(offered(&up), [(0, SECOND), (3, SECOND)]);
}

#[test]
fn a_number_used_again_is_not_recalled_for_an_offer_of_its_former_bearer() {
    let mut bench = with_workers(2);
    bench.arrive(0, LIGHT);
    bench.step(Event::Ended(RequestId(0)));
    bench.now = 15;
    bench.arrive(1, LIGHT);
    assert_eq!(bench.arrive(0, LIGHT), [offer(0, SECOND, Reason::LeastBusy)]);
    assert_eq!(bench.tick_at(21), [Action::Recall(RequestId(1), FIRST)]);
}

#[test]
fn a_worker_that_says_again_that_it_is_ready_keeps_what_it_has() {
    let mut bench = with_workers(1);
    bench.arrive(0, LIGHT);
    assert_eq!(bench.step(Event::WorkerReady(FIRST)), []);
    assert_eq!(bench.dispatcher.busy(FIRST), 1);
    assert_eq!(bench.end_light(0), []);
    assert_eq!(bench.dispatcher.busy(FIRST), 0);
}

#[test]
fn without_a_worker_a_request_is_refused_at_once() {
    let mut bench = with_workers(1);
    bench.step(Event::WorkerGone(FIRST));
    assert_eq!(bench.arrive(0, LIGHT), [Action::Refuse(RequestId(0), Refusal::NoWorker)]);
    assert_eq!(bench.dispatcher.live(), 0);
}

#[test]
fn what_waits_is_refused_when_the_last_worker_goes() {
    let mut bench = with_workers(1);
    for request in 0..4 {
        bench.arrive(request, LIGHT);
    }
    assert_eq!(bench.step(Event::WorkerGone(FIRST)), [Action::Refuse(RequestId(3), Refusal::NoWorker)]);
    assert_eq!(bench.recalled(0), [Action::Refuse(RequestId(0), Refusal::NoWorker)]);
}

#[test]
fn a_retired_worker_is_given_nothing_and_keeps_what_it_has() {
    let mut bench = with_workers(2);
    bench.arrive(0, LIGHT);
    bench.step(Event::WorkerRetired(FIRST));
    assert_eq!(bench.dispatcher.busy(FIRST), 1);
    for request in 1..4 {
        assert_eq!(offered(&bench.arrive(request, LIGHT)), [(request, SECOND)]);
    }
}

#[test]
fn one_request_more_than_the_limit_is_refused() {
    let mut bench = Bench::new(Settings { concurrency: Some(2), ..settings() }, 2);
    bench.arrive(0, LIGHT);
    bench.arrive(1, LIGHT);
    assert_eq!(bench.arrive(2, LIGHT), [Action::Refuse(RequestId(2), Refusal::Overloaded)]);
    bench.end_light(0);
    assert_eq!(offered(&bench.arrive(2, LIGHT)), [(2, FIRST)]);
}

#[test]
fn a_count_that_a_worker_cannot_have_reached_is_clamped() {
    let mut bench = with_workers(1);
    bench.arrive(0, LIGHT);
    bench.take(FIRST, u64::MAX);
    bench.arrive(1, LIGHT);
    assert_eq!(bench.tick_at(20), [Action::Recall(RequestId(1), FIRST)]);
}

#[test]
fn a_worker_that_takes_up_less_than_it_is_given_is_given_less() {
    let mut bench = Bench::new(Settings { window: 8, capacity: 1000, ..settings() }, 1);
    (0..8).for_each(|request| drop(bench.arrive(request, LIGHT)));
    bench.now = 19;
    bench.take(FIRST, 1);
    assert_eq!(bench.tick_at(20).len(), 7);
    (1..8).for_each(|request| drop(bench.recalled(request)));
    bench.take(FIRST, 7);
    assert_eq!(offered(&bench.take(FIRST, 8)).len(), 4);
}

#[test]
fn looks_are_needed_while_something_runs() {
    let mut bench = with_workers(1);
    assert!(!bench.dispatcher.needs_ticks());
    bench.arrive(0, LIGHT);
    bench.take(FIRST, 1);
    assert!(bench.dispatcher.needs_ticks());
    bench.end_light(0);
    assert!(!bench.dispatcher.needs_ticks());
}
