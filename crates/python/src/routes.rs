//! The route table as Python gives it (`python/andon/routes.py`), made ready for the wire.

use std::time::Duration;

use andon_wire::{
    routes::{Callable, Route},
    rule::{Priority, Rule, Run},
};
use pyo3::{exceptions::PyValueError, prelude::*};

/// A route as Python has it: an object with these attributes.
#[derive(FromPyObject)]
pub(crate) struct RouteDescription {
    methods: Vec<String>,
    pattern: String,
    template: String,
    endpoint: String,
    websocket: bool,
    mount: bool,
    /// `function`, `coroutine`, `offloadable`, or `unknown`.
    kind: String,
    rule: Option<RuleDescription>,
}

/// What `andon.route(...)` has left on an endpoint.
#[derive(FromPyObject)]
struct RuleDescription {
    run: Option<String>,
    concurrency: Option<u32>,
    /// In seconds.
    timeout: Option<f64>,
    priority: Option<String>,
}

/// The route as the wire has it.
pub(crate) fn route(description: RouteDescription) -> PyResult<Route> {
    let RouteDescription { methods, pattern, template, endpoint, websocket, mount, kind, rule: described } =
        description;
    let callable = match kind.as_str() {
        "function" => Callable::Function,
        "coroutine" => Callable::Coroutine { offloadable: false },
        "offloadable" => Callable::Coroutine { offloadable: true },
        _ => Callable::Unknown,
    };
    let rule = described.map(rule).transpose()?.unwrap_or_default();
    Ok(Route { methods, pattern, template, endpoint, websocket, mount, callable, rule })
}

fn rule(description: RuleDescription) -> PyResult<Rule> {
    let unknown = |what: &str, value: &str| PyValueError::new_err(format!("unknown {what} `{value}` of a route"));
    let run = |text: String| match text.as_str() {
        "loop" => Ok(Run::Loop),
        "thread" => Ok(Run::Thread),
        "heavy" => Ok(Run::Heavy),
        other => Err(unknown("run", other)),
    };
    let priority = |text: String| match text.as_str() {
        "low" => Ok(Priority::Low),
        "normal" => Ok(Priority::Normal),
        "high" => Ok(Priority::High),
        other => Err(unknown("priority", other)),
    };
    let timeout = |seconds: f64| Duration::try_from_secs_f64(seconds);
    let timeout = description.timeout.map(timeout).transpose();
    Ok(Rule {
        run: description.run.map(run).transpose()?,
        concurrency: description.concurrency,
        timeout: timeout.map_err(|error| PyValueError::new_err(error.to_string()))?,
        priority: description.priority.map(priority).transpose()?,
    })
}
