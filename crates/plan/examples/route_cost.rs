//! What finding the last of many routes and gathering query parameters costs, in nanoseconds.
//!
//! `cargo run --release -p andon-plan --example route_cost`

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use andon_plan::{Captures, Description, Found, Gathered, Plan, PlanError, Route, Serve, query};

const APPLICATION: &str = include_str!("../tests/data/application.json");
const ROUNDS: u32 = 200_000;

/// Templates and a path that each takes; `#` is the number of the route.
const KINDS: [(&str, &str, &str); 6] = [
    ("literal", "/api/v1/resource#", "/api/v1/resource#"),
    ("one parameter", "/api/v1/resource#/{id:int}", "/api/v1/resource#/12345"),
    ("two parameters", "/api/v1/resource#/{id}/parts/{part}", "/api/v1/resource#/12345/parts/67890"),
    ("rest", "/static#/{path:path}", "/static#/css/theme/dark.css"),
    ("part of a segment", "/api/v1/resource#/{name}.{extension}", "/api/v1/resource#/report.txt"),
    ("parameters only", "/{a}/{b}/{c#}", "/a/b/c"),
];

fn main() -> Result<(), PlanError> {
    for (what, template, path) in KINDS {
        for routes in [1, 50, 500] {
            let plan = plan(template, routes)?;
            let path = path.replace('#', &(routes - 1).to_string());
            println!("{what:18} last of {routes:3}: {:4} ns", find(&plan, &path).as_nanos());
        }
    }
    let plan = Plan::from_json(APPLICATION)?;
    for text in ["", "q=abc", "skip=0&limit=10&q=some-thing", "q=a%20b+c&tag=%C3%A9&tag=x&other=1"] {
        println!("query `{text}`: {} ns", gather(&plan, text.as_bytes()).as_nanos());
    }
    Ok(())
}

fn plan(template: &str, routes: usize) -> Result<Plan, PlanError> {
    let serve = || Serve::Opaque(String::new());
    let route = |number: usize| Route {
        methods: vec!["GET".to_owned()],
        path: template.replace('#', &number.to_string()),
        refused: None,
        serve: serve(),
    };
    Plan::compile(Description { routes: (0..routes).map(route).collect(), missed: None })
}

fn find(plan: &Plan, path: &str) -> Duration {
    let mut captures = Captures::new();
    best(|| {
        black_box(plan.find(black_box("GET"), black_box(path), &mut captures));
    })
}

/// Gathers for the route of the application that has query parameters.
fn gather(plan: &Plan, text: &[u8]) -> Duration {
    let mut gathered = Gathered::new();
    let Found::Native(number) = plan.find("GET", "/items/1", &mut Captures::new()) else { return Duration::MAX };
    let names = &plan.native(number).program.query;
    best(|| {
        gathered.clear();
        query::gather(black_box(text), names, &mut gathered);
        black_box(&gathered);
    })
}

/// The shortest of some runs, for one round.
fn best(mut round: impl FnMut()) -> Duration {
    let mut run = || {
        let began = Instant::now();
        (0..ROUNDS).for_each(|_| round());
        began.elapsed() / ROUNDS
    };
    (0..7).map(|_| run()).min().unwrap_or_default()
}
