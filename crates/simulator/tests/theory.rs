//! The model against queueing theory: what can be solved on paper comes out of it.

use std::time::Duration;

use andon_dispatch::{RouteRule, Run, Settings};
use andon_simulator::{
    Arrivals, Load, Random, Simulation, Step, World,
    theory::{erlang_c_wait, pollaczek_khinchine_wait},
};

const MEAN: Duration = Duration::from_millis(10);

/// Mean wait in units of the mean service time, with workers that take one request at a time.
fn simulated(workers: u32, utilisation: f64, service: impl Fn(&mut Random) -> Duration + 'static) -> f64 {
    let never = Duration::from_secs(1_000_000);
    let settings = Settings {
        window: 1,
        capacity: 1,
        queue_timeout: never,
        stall_after: never,
        heavy_after: never,
        ..Settings::default()
    };
    let requests = 400_000.0;
    let rate = utilisation * f64::from(workers) / MEAN.as_secs_f64();
    let end = Duration::from_secs_f64(requests / rate);
    let rule = RouteRule { run: Some(Run::Loop), ..RouteRule::default() };
    let load =
        Load::new(0, Arrivals::Poisson(rate), move |random| vec![Step::compute(service(random))]).with_rule(rule);
    let outcomes = Simulation::run(World::new(settings, workers, end, 7), vec![load]);
    outcomes.between(end / 20, end).mean_wait().as_secs_f64() / MEAN.as_secs_f64()
}

fn assert_near(simulated: f64, theory: f64) {
    assert!((simulated / theory - 1.0).abs() < 0.1, "simulated {simulated:.3}, theory {theory:.3}");
}

#[test]
fn exponential_service_waits_as_erlang_says() {
    for (workers, utilisation) in [(1, 0.5), (1, 0.8), (2, 0.8), (4, 0.9), (16, 0.9)] {
        let wait = simulated(workers, utilisation, |random| random.exponential(MEAN));
        assert_near(wait, erlang_c_wait(workers, utilisation));
    }
}

#[test]
fn constant_and_bimodal_service_wait_as_pollaczek_and_khinchine_say() {
    assert_near(simulated(1, 0.8, |_| MEAN), pollaczek_khinchine_wait(0.8, 0.0));
    // 9 of 10 take 1 ms, one 91 ms: mean 10 ms, mean of squares 829 ms².
    let bimodal = |random: &mut Random| Duration::from_millis(if random.chance(0.1) { 91 } else { 1 });
    assert_near(simulated(1, 0.7, bimodal), pollaczek_khinchine_wait(0.7, 8.29 - 1.0));
}

#[test]
fn the_formulas_give_the_textbook_figures() {
    // M/M/1 at 0.8 waits for 4 services, M/D/1 for 2; M/M/2 at 0.8 for 1.78.
    assert_near(erlang_c_wait(1, 0.8), 4.0);
    assert_near(erlang_c_wait(2, 0.8), 1.778);
    assert_near(pollaczek_khinchine_wait(0.8, 1.0), 4.0);
    assert_near(pollaczek_khinchine_wait(0.8, 0.0), 2.0);
}
