//! An application's routes for people: what `andon routes` prints, as a table or as JSON.

use std::fmt;

use serde::Serialize;

use crate::{CallKind, Route, Serve};

/// All routes in their order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// One each.
    pub routes: Vec<RouteSummary>,
}

/// One route.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RouteSummary {
    /// Empty: every method.
    pub methods: Vec<String>,
    /// Its template; empty where nothing is known of it.
    pub path: String,
    /// The plan serves it, not the application.
    pub native: bool,
    /// Where its endpoint runs; `None` if that is not known.
    pub runs: Option<Runs>,
    /// How much of the framework it needs.
    pub tier: Option<u8>,
    /// `module.function`.
    pub endpoint: Option<String>,
    /// Why it is not native.
    pub reason: Option<String>,
}

/// Where an endpoint runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Runs {
    /// On the event loop.
    Loop,
    /// On a thread.
    Thread,
}

impl RouteSummary {
    /// What is told of a route as it is served.
    pub(crate) fn new(route: &Route) -> Self {
        let mut summary = Self {
            methods: route.methods.clone(),
            path: route.path.clone(),
            native: false,
            runs: None,
            tier: None,
            endpoint: None,
            reason: None,
        };
        match &route.serve {
            Serve::Native(native) => {
                summary.native = true;
                summary.runs = Some(Runs::of(native.root.kind));
                summary.tier = Some(native.tier);
                summary.endpoint = Some(native.endpoint.clone());
            }
            Serve::Opaque(reason) | Serve::Barrier(reason) => summary.reason = Some(reason.clone()),
        }
        summary
    }

    fn columns(&self) -> [String; COLUMNS] {
        let methods = if self.methods.is_empty() { "*".to_owned() } else { self.methods.join(",") };
        let path = if self.path.is_empty() { "?" } else { &self.path };
        let runs = self.runs.map_or("-", Runs::as_str);
        let tier = self.tier.map_or_else(|| "-".to_owned(), |tier| tier.to_string());
        let last = self.endpoint.as_deref().or(self.reason.as_deref()).unwrap_or_default();
        [methods, path.to_owned(), self.serves().to_owned(), runs.to_owned(), tier, last.to_owned()]
    }

    fn serves(&self) -> &'static str {
        if self.native { "native" } else { "ASGI" }
    }
}

impl Runs {
    fn of(kind: CallKind) -> Self {
        match kind {
            CallKind::Coroutine | CallKind::AsyncGenerator => Runs::Loop,
            CallKind::Function | CallKind::Generator => Runs::Thread,
        }
    }

    fn as_str(self) -> &'static str {
        match self {
            Runs::Loop => "loop",
            Runs::Thread => "thread",
        }
    }
}

impl Summary {
    /// How many are native.
    pub fn natives(&self) -> usize {
        self.routes.iter().filter(|route| route.native).count()
    }
}

const COLUMNS: usize = 6;
const HEADINGS: [&str; COLUMNS] = ["methods", "path", "served", "runs", "tier", "endpoint or reason"];

impl fmt::Display for Summary {
    /// A heading, one line for each route, and how many of them are native.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rows = vec![HEADINGS.map(str::to_owned)];
        rows.extend(self.routes.iter().map(RouteSummary::columns));
        let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default();
        let widths: Vec<usize> = (0..COLUMNS - 1).map(width).collect();
        for row in &rows {
            for (cell, width) in row.iter().zip(&widths) {
                write!(formatter, "{cell:width$}  ")?;
            }
            writeln!(formatter, "{}", row[COLUMNS - 1])?;
        }
        let (natives, all) = (self.natives(), self.routes.len());
        let percent = (natives * 100).checked_div(all).unwrap_or_default();
        writeln!(formatter, "{natives} of {all} routes are native ({percent} %)")
    }
}
