//! How many workers are wanted.

#![allow(clippy::unwrap_used, reason = "a panic in a test is a failed test")]

mod support;

use andon_dispatch::{Action, Elastic, Event, Settings, Usage, WorkerId};
use support::*;

fn two_to_four() -> Bench {
    let elastic = Elastic { min_workers: 2, max_workers: 4, ..Elastic::default() };
    Bench::new(Settings { elastic: Some(elastic), ..settings() }, 2)
}

#[test]
fn one_more_worker_is_wanted_when_heavy_work_has_waited_and_only_one_at_a_time() {
    let mut bench = two_to_four();
    for request in 0..4 {
        bench.arrive(request, BLOCKS);
    }
    bench.take(SECOND, 1);
    assert_eq!(bench.tick_at(99), []);
    assert_eq!(bench.tick_at(100), [Action::Resize(3)]);
    assert_eq!(bench.tick_at(500), []);
    assert_eq!(offered(&bench.step(Event::WorkerReady(THIRD))), [(1, THIRD)]);
    bench.take(THIRD, 1);
    assert_eq!(bench.tick_at(501), [Action::Resize(4)]);
    assert_eq!(offered(&bench.step(Event::WorkerReady(WorkerId(3)))), [(2, WorkerId(3))]);
    bench.take(WorkerId(3), 1);
    assert_eq!(bench.tick_at(900), []);
}

#[test]
fn one_worker_less_is_wanted_when_two_were_to_spare_for_a_while() {
    let mut bench = two_to_four();
    bench.arrive(0, BLOCKS);
    bench.arrive(1, BLOCKS);
    bench.take(SECOND, 1);
    bench.tick_at(100);
    bench.step(Event::WorkerReady(THIRD));
    bench.take(THIRD, 1);
    bench.tick_at(110);
    bench.end_light(0);
    bench.end_light(1);
    assert_eq!(bench.dispatcher.next_deadline(), Some(milliseconds(60_110)));
    assert_eq!(bench.tick_at(60_109), []);
    assert_eq!(bench.tick_at(60_110), [Action::Resize(2)]);
    assert_eq!(bench.dispatcher.next_deadline(), None);
}

#[test]
fn no_worker_goes_while_heavy_work_waits_beside_those_that_are_kept_free_of_it() {
    let mut bench = two_to_four();
    bench.step(Event::WorkerReady(THIRD));
    bench.now = 100_000;
    // Normal work that wants two workers for itself.
    for request in 0..200 {
        let (_, worker) = offered(&bench.arrive(request, LIGHT))[0];
        bench.take(worker, u64::MAX);
        bench.now += 10;
        let usage = Usage { loop_longest: milliseconds(1), loop_total: milliseconds(18), ..Usage::default() };
        bench.end(request, usage);
    }
    assert_eq!(offered(&bench.arrive(300, BLOCKS)), [(300, THIRD)]);
    bench.take(THIRD, u64::MAX);
    assert_eq!(bench.arrive(301, BLOCKS), []);
    let waited = bench.now + 100;
    assert_eq!(bench.tick_at(waited), [Action::Resize(3)]);
    assert_eq!(bench.tick_at(waited + 5), [Action::Resize(4)], "the third is up");
    assert_eq!(bench.tick_at(waited + 10), []);
}

#[test]
fn a_route_that_waits_for_its_own_bound_wants_no_worker() {
    let mut bench = two_to_four();
    let rule = andon_dispatch::RouteRule { concurrency: Some(1), ..Default::default() };
    bench.know(LIGHT, rule, None);
    bench.arrive(0, LIGHT);
    bench.take(FIRST, 1);
    bench.arrive(1, LIGHT);
    assert_eq!(bench.tick_at(1000), []);
}
