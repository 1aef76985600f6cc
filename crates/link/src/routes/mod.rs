//! Route identity: which route a request is for, as a small number that dispatch can keep a profile under.
//!
//! For an application that sent its route table it is the template of the matching route; for others the method and
//! the shape of the path. Numbers are bounded, and never change their meaning while the server runs, also over reloads
//! that bring another table.
//!
//! This is a name, not the application's own routing: what it gets wrong costs a profile, never an answer.

mod rules;
mod shape;
mod table;

use std::{collections::HashMap, sync::Arc, time::Duration};

use andon_dispatch::{Event, RouteId, RouteRule, SavedProfile};
use andon_wire::{WireError, routes::Callable, rule::Rule};

use self::table::Table;
use crate::QueueSettings;

/// Most routes that are told apart; requests of all others share one.
const MOST_ROUTES: usize = 4096;

/// Longest path whose route is kept for the next request.
const LONGEST_KEPT_PATH: usize = 128;

/// Paths whose routes are kept; beyond that all are forgotten at once.
const MOST_KEPT_PATHS: usize = 4096;

/// What is told of a route.
#[derive(Debug)]
struct Named {
    name: Arc<str>,
    timeout: Option<Duration>,
    /// Dispatch was told of it since the table was taken over.
    described: bool,
}

/// All routes that were seen.
#[derive(Debug)]
pub(crate) struct Routes {
    table: Table,
    named: Vec<Named>,
    ids: HashMap<Arc<str>, RouteId>,
    /// By method and path.
    kept: HashMap<Box<str>, HashMap<Box<str>, RouteId>>,
    kept_paths: usize,
    rules: HashMap<String, Rule>,
    profiles: HashMap<String, SavedProfile>,
}

impl Routes {
    pub(crate) fn new(settings: &QueueSettings) -> Self {
        Self {
            table: Table::default(),
            named: Vec::new(),
            ids: HashMap::new(),
            kept: HashMap::new(),
            kept_paths: 0,
            rules: settings.rules.iter().cloned().collect(),
            profiles: settings.profiles.iter().cloned().collect(),
        }
    }

    /// Takes over the table that a worker has sent. What dispatch must be told of routes whose rule may have changed
    /// comes with their next request.
    pub(crate) fn install(&mut self, payload: &[u8]) -> Result<(), WireError> {
        if let Some(table) = self.table.replacement(payload)? {
            self.table = table;
            self.forget_kept();
            self.named.iter_mut().for_each(|named| named.described = false);
        }
        Ok(())
    }

    /// The route of a request, if its path was asked for before.
    pub(crate) fn known(&self, method: &str, path: &str) -> Option<RouteId> {
        self.kept.get(method)?.get(path).copied()
    }

    /// The route of a request, and what dispatch must be told of it first.
    pub(crate) fn find(&mut self, method: &str, path: &str, websocket: bool) -> (RouteId, Option<Event>) {
        let told = if websocket { "WS" } else { table::known_method(method) };
        // A method that a client has invented is not told, so it shares no entry with those that are.
        let kept = websocket || told == method;
        if kept && let Some(route) = self.known(told, path) {
            return (route, None);
        }
        let found = self.table.find(method, path, websocket);
        let name = match &found {
            // HEAD is GET without the body (RFC 9110 section 9.3.2): the same code, and the same rule.
            Some(found) if told == "HEAD" && found.answers_get => format!("GET {}", found.template),
            Some(found) => format!("{told} {}", found.template),
            None if self.table.is_empty() => shape::of(told, path),
            None => format!("{told} (no route)"),
        };
        let own = found.map(|found| (found.rule, found.callable)).unwrap_or_default();
        let route = self.number(&name);
        let news = (!self.named[route.0 as usize].described).then(|| self.describe(route, own));
        if kept {
            self.keep(told, path, route);
        }
        (route, news)
    }

    pub(crate) fn name(&self, route: RouteId) -> Arc<str> {
        self.named.get(route.0 as usize).map_or_else(|| "(unknown)".into(), |named| Arc::clone(&named.name))
    }

    pub(crate) fn timeout(&self, route: RouteId) -> Option<Duration> {
        self.named.get(route.0 as usize)?.timeout
    }

    fn number(&mut self, name: &str) -> RouteId {
        if let Some(&route) = self.ids.get(name) {
            return route;
        }
        if self.named.len() == MOST_ROUTES {
            return RouteId(MOST_ROUTES as u32 - 1);
        }
        let last = self.named.len() == MOST_ROUTES - 1;
        let name: Arc<str> = if last { "(other)".into() } else { name.into() };
        let route = RouteId(self.named.len() as u32);
        self.named.push(Named { name: Arc::clone(&name), timeout: None, described: false });
        self.ids.insert(name, route);
        route
    }

    fn describe(&mut self, route: RouteId, (own, callable): (Rule, Callable)) -> Event {
        let named = &mut self.named[route.0 as usize];
        let rule = rules::merged(own, self.rules.get(&*named.name).copied());
        named.timeout = rule.timeout;
        named.described = true;
        let offloadable = callable == Callable::Coroutine { offloadable: true };
        let rule = RouteRule { offloadable, ..rules::for_dispatch(rule) };
        Event::RouteKnown { route, rule, profile: self.profiles.remove(&*named.name) }
    }

    fn keep(&mut self, method: &str, path: &str, route: RouteId) {
        if path.len() > LONGEST_KEPT_PATH {
            return;
        }
        if self.kept_paths >= MOST_KEPT_PATHS {
            self.forget_kept();
        }
        let paths = self.kept.entry(method.into()).or_default();
        if paths.insert(path.into(), route).is_none() {
            self.kept_paths += 1;
        }
    }

    fn forget_kept(&mut self) {
        self.kept.clear();
        self.kept_paths = 0;
    }
}

#[cfg(test)]
mod tests {
    use andon_wire::routes::{Route, put_routes};

    use super::*;

    fn route(methods: &[&str], pattern: &str, template: &str) -> Route {
        Route {
            methods: methods.iter().map(|&method| method.to_owned()).collect(),
            pattern: pattern.to_owned(),
            template: template.to_owned(),
            ..Route::default()
        }
    }

    fn install(routes: &mut Routes, table: &[Route]) {
        let mut payload = Vec::new();
        put_routes(&mut payload, table).unwrap();
        routes.install(&payload).unwrap();
    }

    fn name(routes: &mut Routes, method: &str, path: &str) -> String {
        let (route, _) = routes.find(method, path, false);
        routes.name(route).to_string()
    }

    fn desk() -> Routes {
        let mut routes = Routes::new(&QueueSettings::default());
        install(
            &mut routes,
            &[
                route(&["GET"], "^/items/me$", "/items/me"),
                route(&["GET", "HEAD"], "^/items/([^/]+)$", "/items/{item_id}"),
                route(&["POST"], "^/items/([^/]+)$", "/items/{item_id}"),
                Route { mount: true, ..route(&[], "^/static/(.*)$", "/static") },
                Route { websocket: true, ..route(&[], "^/live$", "/live") },
            ],
        );
        routes
    }

    #[test]
    fn the_first_route_that_takes_path_and_method_names_the_request() {
        let mut routes = desk();
        assert_eq!(name(&mut routes, "GET", "/items/me"), "GET /items/me");
        assert_eq!(name(&mut routes, "GET", "/items/7"), "GET /items/{item_id}");
        assert_eq!(name(&mut routes, "HEAD", "/items/7"), "GET /items/{item_id}");
        assert_eq!(name(&mut routes, "POST", "/items/me"), "POST /items/{item_id}");
        assert_eq!(name(&mut routes, "DELETE", "/items/me"), "DELETE /items/me");
        assert_eq!(name(&mut routes, "GET", "/static/a/b.css"), "GET /static");
        assert_eq!(name(&mut routes, "GET", "/nothing"), "GET (no route)");
        assert_eq!(name(&mut routes, "SPAM", "/nothing"), "OTHER (no route)");
        assert_eq!(name(&mut routes, "GET", "/live"), "GET (no route)");
        let (live, _) = routes.find("GET", "/live", true);
        assert_eq!(&*routes.name(live), "WS /live");
    }

    #[test]
    fn a_request_with_the_method_ws_is_no_websocket() {
        let mut routes = desk();
        assert_eq!(name(&mut routes, "WS", "/live"), "OTHER (no route)");
        let (live, _) = routes.find("GET", "/live", true);
        assert_eq!(&*routes.name(live), "WS /live");
    }

    #[test]
    fn a_pattern_that_only_python_knows_leaves_the_others_their_names() {
        let mut routes = Routes::new(&QueueSettings::default());
        let table = [route(&["GET"], "^/a(?=b)", "/a"), route(&["GET"], "^/items$", "/items")];
        install(&mut routes, &table);
        assert_eq!(name(&mut routes, "GET", "/items"), "GET /items");
        assert_eq!(name(&mut routes, "GET", "/ab"), "GET (no route)");
    }

    #[test]
    fn paths_are_matched_percent_decoded() {
        let mut routes = desk();
        assert_eq!(name(&mut routes, "GET", "/items%2Fme"), "GET /items/me");
        assert_eq!(name(&mut routes, "GET", "/items/%F0%9F%92%A1"), "GET /items/{item_id}");
        assert_eq!(name(&mut routes, "GET", "/items/%ff%"), "GET /items/{item_id}");
    }

    #[test]
    fn the_same_route_keeps_its_number_over_another_table() {
        let mut routes = desk();
        let (before, news) = routes.find("GET", "/items/7", false);
        assert!(news.is_some());
        assert!(routes.find("GET", "/items/8", false).1.is_none());
        install(&mut routes, &[route(&["GET"], "^/items/([^/]+)$", "/items/{item_id}")]);
        let (after, news) = routes.find("GET", "/items/7", false);
        assert_eq!(before, after);
        assert!(news.is_some(), "its rule may be another one");
    }

    #[test]
    fn without_a_table_the_shape_of_the_path_is_the_route() {
        let mut routes = Routes::new(&QueueSettings::default());
        assert_eq!(name(&mut routes, "GET", "/users/12/posts"), "GET /users/{}/posts");
        assert_eq!(name(&mut routes, "GET", "/users/13/posts"), "GET /users/{}/posts");
    }

    #[test]
    fn the_number_of_routes_is_bounded() {
        let mut routes = Routes::new(&QueueSettings::default());
        for number in 0..2 * MOST_ROUTES {
            let word: String = number.to_string().bytes().map(|digit| char::from(digit - b'0' + b'a')).collect();
            let (route, _) = routes.find("GET", &format!("/{word}"), false);
            assert!((route.0 as usize) < MOST_ROUTES);
        }
        assert_eq!(name(&mut routes, "GET", "/one-more"), "(other)");
    }

    #[test]
    fn rules_of_the_operator_win_over_those_of_the_code() {
        let rule = Rule { concurrency: Some(4), timeout: Some(Duration::from_secs(30)), ..Rule::default() };
        let settings = QueueSettings { rules: vec![("GET /slow".to_owned(), rule)], ..QueueSettings::default() };
        let mut routes = Routes::new(&settings);
        let own = Rule { concurrency: Some(1), priority: Some(andon_wire::rule::Priority::Low), ..Rule::default() };
        install(&mut routes, &[Route { rule: own, ..route(&["GET"], "^/slow$", "/slow") }]);
        let (id, news) = routes.find("GET", "/slow", false);
        assert_eq!(routes.timeout(id), Some(Duration::from_secs(30)));
        let Some(Event::RouteKnown { rule, .. }) = news else { panic!("dispatch is not told") };
        assert_eq!((rule.concurrency, rule.priority), (Some(4), andon_dispatch::Priority::Low));
    }
}
