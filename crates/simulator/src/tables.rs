//! The tables of `docs/dispatch.md`: one function each, which runs the model and writes Markdown.

use std::time::Duration;

use andon_dispatch::{RouteRule, Run, Settings};

use crate::{Arrivals, Load, Outcomes, Random, Simulation, Step, Work, World, theory::erlang_c_wait};

const SHORT: u32 = 1;
const LONG: u32 = 2;
const SEED: u64 = 11;
/// Of a light request.
const LIGHT: Duration = Duration::from_millis(1);
/// From the front to a worker when both are busy: each writes at the end of its turn.
const WIRE: Duration = Duration::from_micros(100);

/// All tables: title and text.
pub fn all() -> Vec<(&'static str, String)> {
    vec![
        ("Is the model right?", theory()),
        ("What do the lanes cost and bring? Bimodal load, 1 ms and 1 s", bimodal()),
        ("And with a heavy tail?", heavy_tailed()),
        ("After how long has a worker stalled?", stall_after()),
        ("How many offers at once?", window()),
        ("What does overload do?", overload()),
    ]
}

fn seconds(count: f64) -> Duration {
    Duration::from_secs_f64(count)
}

fn table(head: &[&str], rows: &[Vec<String>]) -> String {
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let heads: Vec<_> = head.iter().map(|&cell| cell.to_owned()).collect();
    let rule = format!("|{}\n", "---|".repeat(head.len()));
    line(&heads) + &rule + &rows.iter().map(|row| line(row)).collect::<String>()
}

/// In milliseconds, with as many digits as matter.
fn shown(time: Duration) -> String {
    let count = time.as_secs_f64() * 1000.0;
    if count < 9.95 { format!("{count:.1}") } else { format!("{count:.0}") }
}

fn as_one_lane(load: Load) -> Load {
    load.with_rule(RouteRule { run: Some(Run::Loop), ..RouteRule::default() })
}

fn theory() -> String {
    let never = Duration::from_secs(1_000_000);
    let mut rows = Vec::new();
    for (workers, utilisation) in [(1, 0.5), (1, 0.9), (4, 0.9), (16, 0.9), (64, 0.95)] {
        let settings = Settings {
            window: 1,
            capacity: 1,
            queue_timeout: never,
            stall_after: never,
            heavy_after: never,
            ..Settings::default()
        };
        let rate = utilisation * f64::from(workers) / LIGHT.as_secs_f64();
        let end = seconds(1_000_000.0 / rate);
        let load = Load::new(SHORT, Arrivals::Poisson(rate), |random| vec![Step::compute(random.exponential(LIGHT))]);
        let outcomes = Simulation::run(World::new(settings, workers, end, SEED), vec![as_one_lane(load)]);
        let wait = outcomes.between(end / 20, end).mean_wait().as_secs_f64() / LIGHT.as_secs_f64();
        let theory = erlang_c_wait(workers, utilisation);
        rows.push(vec![workers.to_string(), utilisation.to_string(), format!("{theory:.3}"), format!("{wait:.3}")]);
    }
    table(&["workers", "utilisation", "mean wait, Erlang C", "simulated"], &rows)
}

/// Short and long requests on so many workers. The long ones make nine tenths of the load.
fn mixed(workers: u32, utilisation: f64, lanes: bool, long: impl Fn(&mut Random) -> Work + 'static) -> Outcomes {
    let load = utilisation * f64::from(workers);
    let short = Load::new(SHORT, Arrivals::Poisson(0.1 * load / LIGHT.as_secs_f64()), |_| vec![Step::compute(LIGHT)]);
    let long = Load::new(LONG, Arrivals::Poisson(0.9 * load), long);
    let mut loads = vec![short.known_light(), long.known_to_block()];
    if !lanes {
        loads = loads.into_iter().map(as_one_lane).collect();
    }
    let end = seconds(f64::clamp(40_000.0 / load, 60.0, 600.0));
    Simulation::run(World::new(Settings::default(), workers, end, SEED), loads).between(end / 10, end)
}

fn compare(long: impl Fn(&mut Random) -> Work + Copy + 'static) -> String {
    let mut rows = Vec::new();
    for workers in [1, 2, 4, 16, 64] {
        for utilisation in [0.5, 0.8, 0.95] {
            let [one, lanes] = [false, true].map(|lanes| mixed(workers, utilisation, lanes, long));
            let p99 = |outcomes: &Outcomes, route| shown(outcomes.of(route).answered().latency(0.99));
            let share = |outcomes: &Outcomes| {
                let long = outcomes.of(LONG);
                format!("{:.0}", 100.0 * long.refused().count() as f64 / long.count().max(1) as f64)
            };
            let (short, long) = ([p99(&one, SHORT), p99(&lanes, SHORT)], [p99(&one, LONG), p99(&lanes, LONG)]);
            let cells = [vec![workers.to_string(), utilisation.to_string()], short.to_vec(), long.to_vec()];
            rows.push([cells.concat(), vec![share(&one), share(&lanes)]].concat());
        }
    }
    let head = ["workers", "utilisation", "short p99, one lane", "two lanes", "long p99, one lane", "two lanes"];
    table(&[&head[..], &["long refused %, one lane", "two lanes"]].concat(), &rows)
}

fn bimodal() -> String {
    compare(|_| vec![Step::block(seconds(1.0))])
}

fn heavy_tailed() -> String {
    compare(|random| vec![Step::block(random.heavy_tailed(seconds(1.0)))])
}

fn stall_after() -> String {
    let mut rows = Vec::new();
    for threshold in [5, 10, 20, 50, 100] {
        let time = Duration::from_millis(threshold);
        let settings = Settings { stall_after: time, heavy_after: time, ..Settings::default() };
        // One in a thousand of the light requests takes 15 ms: a garbage collection, or a starved machine.
        let light = |random: &mut Random| {
            let pause = random.chance(0.001);
            vec![Step::compute(if pause { Duration::from_millis(15) } else { LIGHT })]
        };
        let fast = Load::new(SHORT, Arrivals::Poisson(800.0), light).known_light();
        let long = |_: &mut Random| vec![Step::block(seconds(1.0))];
        let slow = Load::new(LONG, Arrivals::At((1..100).map(|at| seconds(f64::from(at) * 3.0)).collect()), long);
        let calm = Load::new(SHORT, Arrivals::Poisson(800.0), light).known_light();
        let end = seconds(300.0);
        let with = Simulation::run(World::new(settings.clone(), 2, end, SEED), vec![fast, as_one_lane(slow)]);
        let without = Simulation::run(World::new(settings, 2, end, SEED), vec![calm]);
        let [p99, longest] = [0.99, 1.0].map(|share| shown(with.of(SHORT).latency(share)));
        rows.push(vec![threshold.to_string(), p99, longest, without.recalls.to_string()]);
    }
    table(&["stalled after ms", "p99 of a fast route ms", "longest ms", "offers recalled without a stall"], &rows)
}

fn window() -> String {
    let mut rows = Vec::new();
    for window in [1, 2, 4, 8, 16, 64] {
        let mut cells = vec![window.to_string()];
        for service in [Duration::from_micros(15), Duration::from_millis(3)] {
            let settings = Settings { window, ..Settings::default() };
            let clients = Load::new(SHORT, Arrivals::Closed(256), move |_| vec![Step::compute(service)]).known_light();
            let end = service * 100_000;
            let world = World { wire: WIRE, ..World::new(settings, 2, end, SEED) };
            let outcomes = Simulation::run(world, vec![clients]);
            let outcomes = outcomes.answered();
            let used = outcomes.count() as f64 * service.as_secs_f64() / (2.0 * end.as_secs_f64());
            let recalls = outcomes.recalls as f64 / outcomes.count() as f64;
            cells.extend([format!("{:.0}", 100.0 * used), format!("{recalls:.3}")]);
        }
        rows.push(cells);
    }
    table(
        &["window", "15 us: workers used %", "recalls per request", "3 ms: workers used %", "recalls per request"],
        &rows,
    )
}

fn overload() -> String {
    let mut rows = Vec::new();
    let light = (2, 1000.0, Step::compute(Duration::from_millis(2)), "light, 2 ms, 2 workers");
    let holds = (4, 60.0, Step::block(Duration::from_millis(50)), "holds the loop 50 ms, 4 workers");
    let computes = (2, 40.0, Step::Compute(Duration::from_millis(50)), "computes 50 ms, 2 workers");
    for (workers, capacity, step, name) in [light, holds, computes] {
        for times in [0.9, 2.0, 10.0] {
            let end = seconds(120.0);
            let load = Load::new(SHORT, Arrivals::Poisson(capacity * times), move |_| vec![step]);
            let outcomes = Simulation::run(World::new(Settings::default(), workers, end, SEED), vec![load]);
            let (answered, refused) = (outcomes.answered(), outcomes.refused());
            let goodput = format!("{:.0}", 100.0 * answered.count() as f64 / end.as_secs_f64() / capacity);
            let settled = answered.between(end / 2, end);
            let times_shown =
                [answered.latency(0.99), settled.latency(0.5), settled.latency(0.99), refused.latency(0.99)];
            let cells = vec![name.to_owned(), times.to_string(), goodput];
            rows.push([cells, times_shown.map(shown).to_vec()].concat());
        }
    }
    let head = ["work", "times capacity", "goodput %", "p99 ms", "2nd minute: p50 ms", "p99 ms"];
    table(&[&head[..], &["refused: p99 ms"]].concat(), &rows)
}
