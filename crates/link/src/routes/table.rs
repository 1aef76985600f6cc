//! The route table of an application: patterns in the order in which the application tries them.

use std::borrow::Cow;

use andon_wire::{
    WireError,
    routes::{Callable, Route, parse_routes},
    rule::Rule,
};
use percent_encoding::percent_decode_str;
use regex::{RegexSet, RegexSetBuilder};

/// Bound on the memory of all compiled patterns, in bytes.
const PATTERNS_SIZE: usize = 32 * 1024 * 1024;

/// A compiled table.
#[derive(Debug)]
pub(super) struct Table {
    payload: Vec<u8>,
    patterns: RegexSet,
    routes: Vec<Route>,
}

/// What a request matches.
#[derive(Debug)]
pub(super) struct Found<'a> {
    pub(super) template: &'a str,
    pub(super) rule: Rule,
    pub(super) callable: Callable,
    /// It answers GET.
    pub(super) answers_get: bool,
}

impl Default for Table {
    fn default() -> Self {
        Self { payload: Vec::new(), patterns: RegexSet::empty(), routes: Vec::new() }
    }
}

impl Table {
    /// The table in `payload`, unless it is this one.
    pub(super) fn replacement(&self, payload: &[u8]) -> Result<Option<Self>, WireError> {
        if payload == self.payload {
            return Ok(None);
        }
        let mut routes = parse_routes(payload)?;
        let patterns = compiled(&routes).or_else(|_| {
            // A pattern in a dialect that only Python knows leaves its route without an identity of its own. Only here
            // is each tried by itself: the front waits meanwhile.
            routes.retain(|route| regex::Regex::new(&route.pattern).is_ok());
            compiled(&routes)
        });
        let patterns = patterns.unwrap_or_else(|error| {
            tracing::warn!("the routes of the application cannot be told apart: {error}");
            RegexSet::empty()
        });
        Ok(Some(Self { payload: payload.to_vec(), patterns, routes }))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.patterns.is_empty()
    }

    /// The first route that takes path and method; if there is none, the first that takes the path, as Starlette's
    /// router has it (it answers 405 there).
    pub(super) fn find(&self, method: &str, path: &str, websocket: bool) -> Option<Found<'_>> {
        let path = decoded(path);
        let matches = self.patterns.matches(&path);
        let of_kind = |route: &&Route| route.mount || route.websocket == websocket;
        let mut taking = matches.iter().map(|index| &self.routes[index]).filter(of_kind);
        let first = taking.next()?;
        let takes =
            |route: &Route| websocket || route.methods.is_empty() || route.methods.iter().any(|one| one == method);
        let route = if takes(first) { first } else { taking.find(|route| takes(route)).unwrap_or(first) };
        let answers_get = route.methods.iter().any(|one| one == "GET");
        Some(Found { template: &route.template, rule: route.rule, callable: route.callable, answers_get })
    }
}

fn compiled(routes: &[Route]) -> Result<RegexSet, regex::Error> {
    RegexSetBuilder::new(routes.iter().map(|route| &route.pattern)).size_limit(PATTERNS_SIZE).build()
}

fn decoded(path: &str) -> Cow<'_, str> {
    percent_decode_str(path).decode_utf8_lossy()
}

/// The method as it is told: clients can invent methods, and names must not grow without bound. `WS` is none of them:
/// it stands for WebSockets.
pub(super) fn known_method(method: &str) -> &str {
    match method {
        "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE" | "OPTIONS" | "TRACE" | "CONNECT" | "QUERY" => method,
        _ => "OTHER",
    }
}
