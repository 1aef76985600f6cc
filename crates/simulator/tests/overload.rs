//! Twice and ten times what the workers can do: what is admitted is answered in time, what is not is told at once.

use std::time::Duration;

use andon_dispatch::Settings;
use andon_simulator::{Arrivals, Load, Outcomes, Simulation, Step, World};

const END: Duration = Duration::from_secs(120);

fn run(workers: u32, rate: f64, work: &[Step]) -> Outcomes {
    let work = work.to_vec();
    let load = Load::new(1, Arrivals::Poisson(rate), move |_| work.clone());
    Simulation::run(World::new(Settings::default(), workers, END, 3), vec![load])
}

/// `capacity` in requests a second, `service` of one of them.
fn assert_stands(workers: u32, capacity: f64, work: &[Step], service: Duration, timeout: Duration) {
    for times in [2.0, 10.0] {
        let outcomes = run(workers, capacity * times, work);
        let (answered, refused) = (outcomes.answered(), outcomes.refused());
        let goodput = answered.count() as f64 / END.as_secs_f64();
        assert!(goodput > 0.9 * capacity, "{times} times: {goodput} a second of {capacity}");
        assert!(answered.latency(0.99) < timeout + service, "{times} times: p99 {:?}", answered.latency(0.99));
        assert!(refused.count() > 100);
        let late = refused.latency(0.99);
        assert!(late < Duration::from_millis(20), "{times} times: refused after {late:?}");
        let settled = answered.between(END / 2, END);
        assert!(settled.latency(0.5) < timeout / 10 + service, "{times} times: p50 {:?}", settled.latency(0.5));
    }
}

#[test]
fn light_work() {
    let service = Duration::from_millis(2);
    assert_stands(2, 1000.0, &[Step::compute(service)], service, Duration::from_secs(10));
}

#[test]
fn work_that_holds_event_loops() {
    let service = Duration::from_millis(50);
    assert_stands(4, 60.0, &[Step::block(service)], service, Duration::from_secs(60));
}

#[test]
fn work_that_computes_on_threads() {
    let service = Duration::from_millis(50);
    assert_stands(2, 40.0, &[Step::Compute(service)], service, Duration::from_secs(60));
}

#[test]
fn work_that_computes_on_threads_for_a_short_time() {
    let service = Duration::from_millis(5);
    assert_stands(2, 400.0, &[Step::Compute(service)], service, Duration::from_secs(10));
}

#[test]
fn clients_that_wait_for_their_answers_are_never_refused_on_a_saturated_server() {
    let light = (2, 256, Step::compute(Duration::from_millis(3)));
    let blocks = (8, 200, Step::block(Duration::from_millis(50)));
    let computes = (2, 100, Step::Compute(Duration::from_millis(100)));
    for (workers, clients, step) in [light, blocks, computes] {
        let load = Load::new(1, Arrivals::Closed(clients), move |_| vec![step]);
        let outcomes = Simulation::run(World::new(Settings::default(), workers, END, 3), vec![load]);
        assert_eq!(outcomes.refused().count(), 0);
        let settled = outcomes.between(END / 2, END);
        assert!(settled.latency(0.99) < settled.mean_latency() * 2, "{step:?}: p99 {:?}", settled.latency(0.99));
    }
}
