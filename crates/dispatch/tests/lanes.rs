//! What is learned of routes, and where their calls may go.

#![allow(clippy::unwrap_used, reason = "a panic in a test is a failed test")]

mod support;

use andon_dispatch::{
    Action, Class, Executor, Lane, Priority, Reason, RequestId, RouteId, RouteRule, Run, Settings, Sight, Usage,
};
use support::*;

fn wide() -> Settings {
    Settings { window: 16, capacity: 1000, ..Settings::default() }
}

/// Holds the loop for so many milliseconds.
fn held(count: u64) -> Usage {
    Usage { loop_longest: milliseconds(count), loop_total: milliseconds(count), ..Usage::default() }
}

#[test]
fn a_new_route_leaves_the_last_worker_free() {
    let mut bench = Bench::new(wide(), 3);
    assert_eq!(bench.arrive(0, NEW), [offer(0, THIRD, Reason::NewRoute)]);
    assert_eq!(bench.arrive(1, NEW), [offer(1, SECOND, Reason::NewRoute)]);
    assert_eq!(bench.arrive(2, NEW), []);
    assert_eq!(offered(&bench.arrive(3, LIGHT)), [(3, FIRST)]);
    assert_eq!(bench.dispatcher.lane_of(NEW), Lane::Heavy);
}

#[test]
fn one_new_call_at_a_time_may_take_the_last_worker() {
    let mut bench = Bench::new(wide(), 2);
    bench.arrive(0, BLOCKS);
    bench.take(SECOND, 1);
    assert_eq!(offered(&bench.arrive(1, NEW)), [(1, FIRST)]);
    assert_eq!(bench.arrive(2, NEW), []);
    assert_eq!(offered(&bench.end_light(1)), [(2, FIRST)]);
}

#[test]
fn a_new_route_does_not_wait_for_a_burst_of_another() {
    let mut bench = Bench::new(wide(), 2);
    bench.arrive(0, NEW);
    assert_eq!(bench.arrive(1, NEW), []);
    assert_eq!(offered(&bench.arrive(2, RouteId(9))), [(2, FIRST)]);
    assert_eq!(offered(&bench.end_light(2)), []);
    assert_eq!(offered(&bench.arrive(3, RouteId(9))), [(3, FIRST)]);
}

#[test]
fn a_single_worker_takes_the_calls_of_new_routes_as_they_come() {
    let mut bench = Bench::new(wide(), 1);
    for request in 0..4 {
        assert_eq!(offered(&bench.arrive(request, NEW)), [(request, FIRST)]);
    }
}

#[test]
fn a_new_route_is_known_when_its_first_call_has_ended() {
    let mut bench = Bench::new(wide(), 2);
    bench.arrive(0, NEW);
    assert_eq!(bench.arrive(1, NEW), []);
    assert_eq!(offered(&bench.end_light(0)), [(1, FIRST)]);
    assert_eq!(bench.dispatcher.class_of(NEW), Class::Light);
    assert_eq!(bench.dispatcher.lane_of(NEW), Lane::Normal);
}

#[test]
fn a_new_route_that_gives_its_loop_back_is_let_in_one_per_worker_and_soon_everywhere() {
    let mut bench = Bench::new(wide(), 2);
    bench.arrive(0, NEW);
    for request in 1..4 {
        bench.arrive(request, NEW);
    }
    bench.take(SECOND, 1);
    bench.now = 5;
    assert_eq!(bench.see(SECOND, Sight::default()), []);
    bench.now = 10;
    assert_eq!(offered(&bench.see(SECOND, Sight::default())), [(1, FIRST)]);
    assert_eq!(bench.dispatcher.class_of(NEW), Class::Trial);
    bench.now = 60;
    assert_eq!(offered(&bench.see(SECOND, Sight::default())).len(), 2);
    assert_eq!(bench.dispatcher.class_of(NEW), Class::Light);
}

#[test]
fn a_running_step_of_20_ms_makes_its_route_heavy_now() {
    let mut bench = Bench::new(wide(), 3);
    bench.arrive(0, LIGHT);
    bench.take(FIRST, 1);
    bench.see(FIRST, holding(0, 19));
    assert_eq!(bench.dispatcher.lane_of(LIGHT), Lane::Normal);
    bench.see(FIRST, holding(0, 20));
    assert_eq!(bench.dispatcher.class_of(LIGHT), Class::HoldsLoop);
    assert_eq!(bench.arrive(1, LIGHT), [offer(1, THIRD, Reason::HoldsLoop)]);
    assert_eq!(bench.arrive(2, LIGHT), []);
}

#[test]
fn a_step_that_is_not_the_routes_fault_stalls_the_worker_but_leaves_the_route_alone() {
    let mut bench = Bench::new(wide(), 2);
    bench.arrive(0, LIGHT);
    bench.take(FIRST, 1);
    let mut step = running(0, 50, 0);
    step.excused = true;
    bench.see(FIRST, Sight { step: Some(step), ..Sight::default() });
    assert_eq!(bench.dispatcher.class_of(LIGHT), Class::Light);
    assert_eq!(offered(&bench.arrive(1, LIGHT)), [(1, SECOND)]);
}

#[test]
fn what_was_seen_holding_is_taken_back_when_its_worker_excuses_it() {
    let mut bench = Bench::new(wide(), 2);
    bench.arrive(0, LIGHT);
    bench.take(FIRST, 1);
    bench.see(FIRST, holding(0, 20));
    bench.end(0, Usage { excused: true, ..held(30) });
    assert_eq!(bench.dispatcher.class_of(LIGHT), Class::Light);
}

#[test]
fn a_route_that_holds_its_loop_never_gets_the_last_worker() {
    let mut bench = Bench::new(wide(), 2);
    assert_eq!(bench.arrive(0, BLOCKS), [offer(0, SECOND, Reason::HoldsLoop)]);
    assert_eq!(bench.arrive(1, BLOCKS), []);
    assert_eq!(offered(&bench.arrive(2, LIGHT)), [(2, FIRST)]);
    bench.now = 50;
    assert_eq!(offered(&bench.end(0, held(50))), [(1, SECOND)]);
}

#[test]
fn as_many_workers_are_kept_free_of_what_holds_loops_as_the_other_work_needs() {
    let mut bench = Bench::new(wide(), 4);
    // For two seconds, normal work keeps two event loops busy for most of their time.
    for request in 0..200 {
        let (_, worker) = offered(&bench.arrive(request, LIGHT))[0];
        bench.take(worker, u64::MAX);
        bench.now += 10;
        let usage = Usage { loop_longest: milliseconds(1), loop_total: milliseconds(18), ..Usage::default() };
        bench.end(request, usage);
    }
    let placed = (300..310).filter(|&request| !bench.arrive(request, BLOCKS).is_empty()).count();
    assert_eq!(placed, 2);
}

#[test]
fn calls_that_hold_their_loop_for_a_part_of_their_time_share_a_worker() {
    let mut bench = Bench::new(wide(), 2);
    for request in 0..2 {
        bench.arrive(request, BLOCKS);
        bench.now += 100;
        bench.end(request, held(25));
    }
    let placed = (2..8).filter(|&request| !bench.arrive(request, BLOCKS).is_empty()).count();
    assert_eq!(placed, 4);
}

#[test]
fn normal_work_keeps_off_workers_with_heavy_work() {
    let mut bench = Bench::new(wide(), 3);
    bench.arrive(0, BLOCKS);
    bench.arrive(1, COMPUTES);
    assert_eq!(bench.dispatcher.busy(FIRST), 1);
    for request in 2..5 {
        assert_eq!(offered(&bench.arrive(request, LIGHT)), [(request, SECOND)]);
    }
}

#[test]
fn normal_work_keeps_off_a_worker_that_heavy_work_has_just_left() {
    let mut bench = Bench::new(wide(), 2);
    bench.arrive(0, BLOCKS);
    bench.now = 50;
    bench.end(0, held(50));
    assert_eq!(offered(&bench.arrive(1, LIGHT)), [(1, FIRST)]);
    assert_eq!(offered(&bench.arrive(2, LIGHT)), [(2, FIRST)]);
    bench.now = 2000;
    assert_eq!(offered(&bench.arrive(3, LIGHT)), [(3, SECOND)]);
}

#[test]
fn a_route_that_computes_on_threads_runs_on_every_worker_one_at_a_time() {
    let mut bench = Bench::new(wide(), 2);
    assert_eq!(bench.arrive(0, COMPUTES), [offer(0, FIRST, Reason::Computes)]);
    assert_eq!(bench.arrive(1, COMPUTES), [offer(1, SECOND, Reason::Computes)]);
    assert_eq!(bench.arrive(2, COMPUTES), []);
    assert_eq!(bench.arrive(3, COMPUTES), []);
    let computed = Usage { thread_total: milliseconds(450), thread_processor: milliseconds(440), ..Usage::default() };
    bench.now = 450;
    assert_eq!(offered(&bench.end(1, computed)), [(2, SECOND)]);
}

#[test]
fn twenty_milliseconds_of_processor_time_on_a_thread_make_a_route_heavy_now() {
    let mut bench = Bench::new(wide(), 2);
    bench.arrive(0, LIGHT);
    bench.take(FIRST, 1);
    bench.see(FIRST, Sight { threads: Some(running(0, 100, 20)), ..Sight::default() });
    assert_eq!(bench.dispatcher.class_of(LIGHT), Class::Light);
    bench.see(FIRST, Sight { threads: Some(running(0, 30, 20)), ..Sight::default() });
    assert_eq!(bench.dispatcher.class_of(LIGHT), Class::Computes);
    assert_eq!(offered(&bench.arrive(1, LIGHT)), [(1, SECOND)]);
    assert_eq!(bench.arrive(2, LIGHT), []);
}

#[test]
fn a_route_that_waits_on_threads_is_not_limited() {
    let mut bench = Bench::new(wide(), 2);
    bench.arrive(0, NEW);
    bench.now = 100;
    bench.end(0, Usage { thread_total: milliseconds(100), ..Usage::default() });
    assert_eq!(bench.dispatcher.class_of(NEW), Class::WaitsOnThread);
    assert!((1..10).all(|request| !bench.arrive(request, NEW).is_empty()));
}

#[test]
fn calls_that_wait_on_threads_are_given_to_a_worker_up_to_its_threads() {
    let mut bench = Bench::new(Settings { threads: 2, ..wide() }, 1);
    let waits = Usage { thread_total: milliseconds(100), ..Usage::default() };
    bench.arrive(0, NEW);
    bench.end(0, waits);
    assert_eq!(offered(&bench.arrive(1, NEW)), [(1, FIRST)]);
    assert_eq!(offered(&bench.arrive(2, NEW)), [(2, FIRST)]);
    assert_eq!(bench.arrive(3, NEW), []);
    assert!(!bench.arrive(4, LIGHT).is_empty(), "others do not wait behind them");
    assert_eq!(offered(&bench.end(1, waits)), [(3, FIRST)]);
}

/// A look at the first worker every 5 ms.
fn look_until(bench: &mut Bench, end: u64) {
    while bench.now < end {
        bench.now += 5;
        bench.see(FIRST, Sight { turns: bench.now, ..Sight::default() });
    }
}

#[test]
fn a_long_call_that_held_its_loop_once_does_not_count_as_holding_it_for_ever() {
    let mut bench = Bench::new(wide(), 2);
    assert_eq!(offered(&bench.arrive(0, LIGHT)), [(0, FIRST)]);
    bench.take(FIRST, 1);
    bench.now = 25;
    bench.see(FIRST, Sight { step: Some(running(0, 25, 0)), ..Sight::default() });
    assert_eq!(bench.dispatcher.class_of(LIGHT), Class::HoldsLoop);
    assert_eq!(offered(&bench.arrive(1, COMPUTES)), [(1, SECOND)], "the first is held");
    look_until(&mut bench, 20_000);
    assert_eq!(offered(&bench.arrive(2, COMPUTES)), [(2, FIRST)], "it has not been for long");
    let more = (3..13).filter(|&request| !bench.arrive(request, LIGHT).is_empty()).count();
    assert_eq!(more, 10, "and more of the same may come");
}

#[test]
fn of_brief_work_on_threads_a_worker_has_in_hand_what_keeps_it_busy() {
    let mut bench = Bench::new(Settings { window: 64, capacity: 1000, ..settings() }, 1);
    let brief = Usage { thread_total: milliseconds(5), thread_processor: milliseconds(5), ..Usage::default() };
    bench.arrive(0, NEW);
    bench.end(0, brief);
    assert_eq!(bench.dispatcher.class_of(NEW), Class::ComputesBriefly);
    assert_eq!(bench.dispatcher.lane_of(NEW), Lane::Normal);
    let placed = (1..20).filter(|&request| !bench.arrive(request, NEW).is_empty()).count();
    assert_eq!(placed, 5, "25 ms of work");
    assert_eq!(offered(&bench.end(1, brief)), [(6, FIRST)]);
    assert!(!bench.arrive(20, LIGHT).is_empty(), "others do not wait behind it");
}

#[test]
fn a_route_that_gets_better_is_released() {
    let mut bench = Bench::new(wide(), 2);
    let mut calls = 0;
    while bench.dispatcher.class_of(BLOCKS) == Class::HoldsLoop {
        let (_, worker) = offered(&bench.arrive(0, BLOCKS))[0];
        bench.take(worker, u64::MAX);
        bench.end_light(0);
        calls += 1;
        assert!(calls < 100);
    }
    assert_eq!(bench.dispatcher.class_of(BLOCKS), Class::Light);
}

#[test]
fn a_route_that_was_heavy_long_ago_is_tried_again_as_if_new() {
    let mut bench = Bench::new(wide(), 2);
    bench.now = 3 * 600 * 1000;
    assert_eq!(bench.arrive(0, BLOCKS), [offer(0, SECOND, Reason::NewRoute)]);
}

#[test]
fn the_first_call_in_a_worker_counts_less_for_it_may_have_imported_modules() {
    let mut bench = Bench::new(wide(), 2);
    bench.arrive(0, LIGHT);
    bench.end(0, Usage { first: true, ..held(300) });
    assert_eq!(bench.dispatcher.class_of(LIGHT), Class::HoldsLoop);
    for request in 1..8 {
        bench.arrive(request, LIGHT);
        bench.end_light(request);
    }
    assert_eq!(bench.dispatcher.class_of(LIGHT), Class::Light);
}

#[test]
fn a_route_that_may_be_offloaded_runs_on_threads_once_it_was_seen_to_block() {
    let mut bench = Bench::new(Settings { offload: true, ..wide() }, 2);
    bench.know(NEW, RouteRule { offloadable: true, ..RouteRule::default() }, None);
    bench.arrive(0, NEW);
    bench.take(SECOND, 1);
    bench.see(SECOND, holding(0, 20));
    let on_thread = |request, worker| Action::Offer {
        request: RequestId(request),
        worker,
        executor: Executor::Thread,
        reason: Reason::Offloaded,
    };
    for request in 1..5 {
        assert_eq!(bench.arrive(request, NEW), [on_thread(request, FIRST)]);
    }
}

#[test]
fn the_operators_rule_overrides_what_is_learned() {
    let mut bench = Bench::new(wide(), 2);
    bench.know(BLOCKS, RouteRule { run: Some(Run::Loop), ..RouteRule::default() }, None);
    bench.know(LIGHT, RouteRule { run: Some(Run::Heavy), ..RouteRule::default() }, None);
    bench.know(NEW, RouteRule { run: Some(Run::Thread), ..RouteRule::default() }, None);
    assert_eq!(bench.arrive(0, BLOCKS), [offer(0, FIRST, Reason::Rule)]);
    assert_eq!(bench.arrive(1, LIGHT), [offer(1, SECOND, Reason::Rule)]);
    assert_eq!(bench.arrive(2, LIGHT), []);
    let thread = bench.arrive(3, NEW);
    assert!(matches!(thread[..], [Action::Offer { executor: Executor::Thread, reason: Reason::Rule, .. }]));
}

#[test]
fn a_route_with_a_bound_of_its_own_waits_without_holding_up_others() {
    let mut bench = Bench::new(wide(), 2);
    let rule = RouteRule { concurrency: Some(1), ..RouteRule::default() };
    bench.know(LIGHT, rule, None);
    let other = andon_dispatch::RouteId(9);
    bench.know(other, RouteRule::default(), Some(profile(0.0, 0.0)));
    assert_eq!(offered(&bench.arrive(0, LIGHT)), [(0, FIRST)]);
    assert_eq!(bench.arrive(1, LIGHT), []);
    assert_eq!(offered(&bench.arrive(2, other)), [(2, SECOND)]);
    assert_eq!(offered(&bench.end_light(0)), [(1, FIRST)]);
}

#[test]
fn of_those_that_wait_the_one_of_higher_priority_goes_first() {
    let mut bench = Bench::new(Settings { window: 1, ..settings() }, 1);
    let [high, low] = [Priority::High, Priority::Low].map(|priority| RouteRule { priority, ..RouteRule::default() });
    let [urgent, idle] = [andon_dispatch::RouteId(8), andon_dispatch::RouteId(9)];
    bench.know(urgent, high, Some(profile(0.0, 0.0)));
    bench.know(idle, low, Some(profile(0.0, 0.0)));
    bench.arrive(0, LIGHT);
    bench.arrive(1, idle);
    bench.arrive(2, LIGHT);
    bench.arrive(3, urgent);
    for (total, next) in [(1, 3), (2, 2), (3, 1)] {
        assert_eq!(offered(&bench.take(FIRST, total)), [(next, FIRST)]);
    }
}
