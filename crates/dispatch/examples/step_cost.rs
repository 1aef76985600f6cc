//! What the plain path costs: a light known route, a free worker, nothing waiting. Prints nanoseconds for each request,
//! which is four steps: arrived, taken, measured, ended.
//!
//! `cargo run --release -p andon-dispatch --example step_cost`

use std::time::{Duration, Instant};

use andon_dispatch::{
    Arrival, Dispatcher, Event, RequestId, RouteId, RouteRule, SavedProfile, Settings, Usage, WorkerId,
};

const REQUESTS: u32 = 2_000_000;
/// Requests in flight at once.
const TOGETHER: u32 = 32;

fn main() {
    for workers in [1, 2, 8, 64] {
        let best = (0..5).map(|_| run(workers)).min().unwrap_or_default();
        println!("{workers:2} workers: {} ns per request", best.as_nanos() / u128::from(REQUESTS));
    }
}

fn run(workers: u32) -> Duration {
    let mut dispatcher = Dispatcher::new(Settings::default());
    let mut actions = Vec::with_capacity(16);
    let route = RouteId(0);
    let profile = Some(SavedProfile { calls: 100, ..SavedProfile::default() });
    dispatcher.step(Duration::ZERO, Event::RouteKnown { route, rule: RouteRule::default(), profile }, &mut actions);
    for worker in 0..workers {
        dispatcher.step(Duration::ZERO, Event::WorkerReady(WorkerId(worker)), &mut actions);
    }
    let usage = Usage { loop_longest: Duration::from_micros(50), ..Usage::default() };
    let began = Instant::now();
    for number in 0..REQUESTS {
        let now = Duration::from_micros(10 * u64::from(number));
        let request = RequestId(number % TOGETHER);
        if number >= TOGETHER {
            dispatcher.step(now, Event::Taken { worker: WorkerId(number % workers), total: u64::MAX }, &mut actions);
            dispatcher.step(now, Event::Measured { request, usage }, &mut actions);
            dispatcher.step(now, Event::Ended(request), &mut actions);
        }
        dispatcher.step(now, Event::Arrived(Arrival { request, route, bytes: 100, deadline: None }), &mut actions);
        actions.clear();
    }
    began.elapsed()
}
