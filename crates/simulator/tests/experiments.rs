//! The experiments that motivate Andon, on model workers: a blocked worker, the "async lock", the GIL, a coroutine
//! overtaken, forty threads.

#![allow(clippy::unwrap_used, reason = "a panic in a test is a failed test")]

use std::time::Duration;

use andon_dispatch::{Action, Elastic, RouteRule, Settings, replay};
use andon_simulator::{Arrivals, Load, Outcomes, Simulation, Step, World};

const SLOW: u32 = 1;
const FAST: u32 = 2;

fn milliseconds(count: u64) -> Duration {
    Duration::from_millis(count)
}

fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

fn run(settings: Settings, workers: u32, end: Duration, loads: Vec<Load>) -> Outcomes {
    Simulation::run(World::new(settings, workers, end, 1), loads)
}

/// Answers at once, nothing known of it at first.
fn fast(rate: f64) -> Load {
    Load::new(FAST, Arrivals::Steady(rate), |_| vec![Step::compute(Duration::from_micros(500))])
}

fn at(times: Vec<Duration>, steps: Vec<Step>) -> Load {
    Load::new(SLOW, Arrivals::At(times), move |_| steps.clone())
}

fn assert_unharmed(outcomes: &Outcomes) {
    let fast = outcomes.of(FAST);
    assert!(fast.count() > 100);
    assert_eq!(fast.refused().count(), 0);
    assert!(fast.latency(0.99) < milliseconds(25), "p99 {:?}", fast.latency(0.99));
    assert!(fast.latency(1.0) < milliseconds(50), "longest {:?}", fast.latency(1.0));
}

#[test]
fn a_blocked_worker_holds_up_nobody_else() {
    for step in [Step::block(seconds(10)), Step::compute(seconds(10))] {
        let loads = vec![fast(200.0), at(vec![milliseconds(1500)], vec![step])];
        assert_unharmed(&run(Settings::default(), 2, seconds(12), loads));
    }
}

#[test]
fn four_calls_at_once_that_block_leave_a_worker_to_the_others() {
    let loads = vec![fast(200.0), at(vec![milliseconds(1500); 4], vec![Step::block(seconds(10))])];
    let outcomes = run(Settings::default(), 2, seconds(60), loads);
    assert_unharmed(&outcomes);
    let slow = outcomes.of(SLOW);
    assert_eq!(slow.answered().count(), 4);
    assert_eq!(slow.latency(1.0), seconds(40));
}

#[test]
fn a_route_that_blocks_again_and_again_holds_up_nobody_else() {
    for known in [false, true] {
        let blocks = Load::new(SLOW, Arrivals::Closed(1), |_| vec![Step::block(seconds(2))]);
        let loads = vec![fast(200.0).known_light(), if known { blocks.known_to_block() } else { blocks }];
        assert_unharmed(&run(Settings::default(), 2, seconds(30), loads));
    }
}

#[test]
fn a_saturated_async_lock_leaves_the_fast_route_alone() {
    let locks = Load::new(SLOW, Arrivals::Closed(200), |_| vec![Step::block(milliseconds(50))]);
    let outcomes = run(Settings::default(), 8, seconds(20), vec![fast(100.0), locks]);
    assert_unharmed(&outcomes);
    // Seven workers, 20 calls a second each.
    let rate = outcomes.of(SLOW).answered().count() as f64 / 20.0;
    assert!(rate > 0.95 * 140.0, "{rate} a second");
}

#[test]
fn an_async_lock_that_is_offloaded_is_as_fast_as_a_def() {
    for length in [50, 300] {
        let end = seconds(20);
        let rule = RouteRule { offloadable: true, ..RouteRule::default() };
        let locks = Load::new(SLOW, Arrivals::Closed(200), move |_| vec![Step::block(milliseconds(length))]);
        let settings = Settings { offload: true, ..Settings::default() };
        let offloaded = run(settings, 8, end, vec![locks.with_rule(rule)]).answered().count();
        let waits = Load::new(SLOW, Arrivals::Closed(200), move |_| vec![Step::Wait(milliseconds(length))]);
        let threads = run(Settings::default(), 8, end, vec![waits]).answered().count();
        assert!(offloaded as f64 >= 0.9 * threads as f64, "{offloaded} of {threads}");
    }
}

#[test]
fn computing_calls_are_spread_evenly_and_run_one_at_a_time() {
    let loads = vec![fast(50.0), at(vec![seconds(1); 8], vec![Step::Compute(milliseconds(450))])];
    let outcomes = run(Settings::default(), 2, seconds(10), loads);
    assert_unharmed(&outcomes);
    let slow = outcomes.of(SLOW);
    assert_eq!(slow.per_worker(2), [4, 4]);
    assert!(slow.mean_latency() < milliseconds(1125).mul_f64(1.15), "mean {:?}", slow.mean_latency());
}

#[test]
fn computing_coroutines_keep_to_one_of_two_workers_in_order() {
    let times = (0..8).map(|number| seconds(1) + Duration::from_micros(number)).collect();
    let loads = vec![fast(50.0), at(times, vec![Step::compute(milliseconds(450))])];
    let outcomes = run(Settings::default(), 2, seconds(10), loads);
    assert_unharmed(&outcomes);
    let slow = outcomes.of(SLOW);
    let mut counts = slow.per_worker(2);
    counts.sort_unstable();
    assert_eq!(counts, [0, 8]);
    assert!(slow.list.is_sorted_by_key(|outcome| outcome.arrived));
}

#[test]
fn computing_coroutines_fill_two_of_three_elastic_workers() {
    let elastic = Elastic { min_workers: 2, max_workers: 3, ..Elastic::default() };
    let settings = Settings { elastic: Some(elastic), ..Settings::default() };
    // The first burst brings the third worker up.
    let times = [vec![seconds(1); 8], vec![seconds(10); 8]].concat();
    let loads = vec![fast(50.0), at(times, vec![Step::compute(milliseconds(450))])];
    let outcomes = run(settings, 2, seconds(20), loads);
    assert_unharmed(&outcomes);
    let second = outcomes.of(SLOW).between(seconds(10), seconds(11));
    let mut counts = second.per_worker(3);
    counts.sort_unstable();
    assert_eq!(counts, [0, 4, 4]);
    assert!(second.mean_latency() < milliseconds(1125).mul_f64(1.15), "mean {:?}", second.mean_latency());
}

#[test]
fn a_coroutine_is_not_overtaken_by_one_that_blocks() {
    let first = at(vec![Duration::ZERO], vec![Step::Suspend(seconds(10)), Step::block(seconds(10))]);
    let second = Load::new(3, Arrivals::At(vec![seconds(5)]), |_| vec![Step::block(seconds(10))]);
    let outcomes = run(Settings::default(), 2, seconds(60), vec![first, second]);
    assert_eq!(outcomes.of(SLOW).latency(1.0), seconds(20));
    assert_eq!(outcomes.of(3).latency(1.0), seconds(10));
}

#[test]
fn a_hundred_calls_that_wait_on_threads_wait_together() {
    let loads = vec![at(vec![Duration::ZERO; 100], vec![Step::Wait(seconds(1))])];
    let outcomes = run(Settings::default(), 2, seconds(10), loads);
    assert_eq!(outcomes.count(), 100);
    assert!(outcomes.latency(1.0) < milliseconds(1500), "longest {:?}", outcomes.latency(1.0));
}

#[test]
fn a_new_route_does_not_wait_for_as_long_as_all_other_workers_are_held() {
    let blocks = at(vec![Duration::ZERO; 3], vec![Step::block(seconds(30))]).known_to_block();
    let other = Load::new(3, Arrivals::Steady(100.0), |_| vec![Step::compute(milliseconds(1))]);
    let outcomes = run(Settings::default(), 2, seconds(40), vec![fast(100.0).known_light(), blocks, other]);
    assert_unharmed(&outcomes);
    assert!(outcomes.of(3).latency(1.0) < milliseconds(120), "{:?}", outcomes.of(3).latency(1.0));
}

#[test]
fn a_recorded_run_of_ten_thousand_requests_is_predicted_by_the_rule() {
    let locks = Load::new(SLOW, Arrivals::Poisson(20.0), |_| vec![Step::block(milliseconds(50))]);
    let computes = Load::new(3, Arrivals::Poisson(5.0), |_| vec![Step::Compute(milliseconds(100))]);
    let world = World::new(Settings::default(), 3, seconds(20), 5);
    let records = Simulation::record(world, vec![fast(500.0), locks, computes]);
    let offers = records.iter().flat_map(|record| &record.actions);
    assert!(offers.filter(|action| matches!(action, Action::Offer { .. })).count() > 10_000);
    assert!(replay(Settings::default(), records).is_ok());
}
