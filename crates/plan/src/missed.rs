//! What becomes of a request that no route takes: 404, 405, or what the application makes of it.
//!
//! The order is that of `fastapi.routing.APIRouter.app`: the first route that takes the path answers 405 where none takes
//! the method as well; then a slash more or less is tried; then it is not found.

use crate::{Missed, Object, RequestPath, Why, router::Router};

/// What becomes of such a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Miss {
    /// `HTTPException(404)`.
    NotFound,
    /// `HTTPException(405)` with the `Allow` of this number ([`crate::Plan::allows`]).
    NotAllowed(usize),
    /// The application answers.
    Application(Why),
}

/// What an application's routes answer with 405.
#[derive(Debug, Default)]
pub(crate) struct Misses {
    /// `None`: the application answers all of them.
    missed: Option<Missed>,
    /// By the number of the route, the number of its `Allow`.
    routes: Vec<Option<usize>>,
    /// Each only once.
    allows: Vec<Box<str>>,
}

impl Misses {
    pub(crate) fn new(missed: Option<Missed>) -> Self {
        Self { missed, ..Self::default() }
    }

    /// Adds the next route.
    pub(crate) fn add(&mut self, allow: Option<&str>) {
        let number = allow.map(|allow| self.number(allow));
        self.routes.push(number);
    }

    fn number(&mut self, allow: &str) -> usize {
        self.allows.iter().position(|known| **known == *allow).unwrap_or_else(|| {
            self.allows.push(allow.into());
            self.allows.len() - 1
        })
    }

    pub(crate) fn guards(&self) -> Option<Object> {
        self.missed.and_then(|missed| missed.guards)
    }

    pub(crate) fn allows(&self) -> &[Box<str>] {
        &self.allows
    }

    /// For a request of which the router says that no route takes it.
    pub(crate) fn miss(&self, router: &Router, path: &RequestPath<'_>) -> Miss {
        self.found(router, path).unwrap_or_else(Miss::Application)
    }

    fn found(&self, router: &Router, path: &RequestPath<'_>) -> Result<Miss, Why> {
        let missed = self.missed.ok_or(Why::NoRoute)?;
        if let Some(route) = router.first_of_path(path.routed())? {
            return self.routes[route].map(Miss::NotAllowed).ok_or(Why::Opaque(route));
        }
        let redirected = path.redirected().filter(|_| missed.redirect_slashes);
        match redirected.map(|redirected| router.first_of_path(&redirected)).transpose()?.flatten() {
            Some(_) => Err(Why::Redirect),
            None => Ok(Miss::NotFound),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::{Description, Found, Miss, Missed, Plan, RequestPath, Route, Serve, Why};

    fn route(method: &str, path: &str, allow: Option<&str>) -> Route {
        let methods = if method.is_empty() { Vec::new() } else { vec![method.to_owned()] };
        Route {
            methods,
            path: path.to_owned(),
            allow: allow.map(str::to_owned),
            serve: Serve::Opaque("known".to_owned()),
        }
    }

    fn plan(routes: Vec<Route>, redirect_slashes: bool) -> Plan {
        Plan::compile(Description { routes, missed: Some(Missed { redirect_slashes, guards: None }) }).unwrap()
    }

    fn missed(plan: &Plan, method: &str, whole: &str) -> Miss {
        let path = RequestPath { whole, root_path: "/api" };
        match plan.find(method, path.routed(), &mut crate::Captures::new()) {
            Found::Application(Why::NoRoute) => plan.missed(&path),
            Found::Application(why) => Miss::Application(why),
            Found::Native(_) => unreachable!("there are none"),
        }
    }

    #[test]
    fn what_is_not_there_is_not_found() {
        let plan = plan(vec![route("GET", "/items/{item_id:int}", Some("GET"))], true);
        for path in ["/", "/items", "/items/a", "/items/1/2", "/api/items/a/", "//items/1"] {
            assert_eq!(missed(&plan, "GET", path), Miss::NotFound, "{path}");
        }
    }

    #[test]
    fn the_first_route_of_a_path_says_what_is_allowed() {
        let plan = plan(
            vec![
                route("GET", "/items/{item_id:int}", Some("GET")),
                route("PUT", "/items/{item_id}", Some("PUT")),
                route("POST", "/{a}-{b}", None),
                route("PUT", "/other", Some("PUT")),
            ],
            true,
        );
        assert_eq!(plan.allows(), [Box::from("GET"), Box::from("PUT")]);
        assert_eq!(missed(&plan, "DELETE", "/items/1"), Miss::NotAllowed(0));
        assert_eq!(missed(&plan, "GET", "/items/a"), Miss::NotAllowed(1));
        assert_eq!(missed(&plan, "GET", "/api/other"), Miss::NotAllowed(1));
        assert_eq!(missed(&plan, "GET", "/a-b"), Miss::Application(Why::Opaque(2)));
    }

    #[test]
    fn a_path_that_is_there_with_a_slash_more_or_less_is_redirected() {
        let routes = || vec![route("GET", "/with/", Some("GET")), route("", "/mount/{path:path}", None)];
        for path in ["/with", "/mount", "/api/with", "/api/mount"] {
            assert_eq!(missed(&plan(routes(), true), "POST", path), Miss::Application(Why::Redirect), "{path}");
            assert_eq!(missed(&plan(routes(), false), "POST", path), Miss::NotFound, "{path}");
        }
    }

    #[test]
    fn what_is_not_known_is_the_applications() {
        let mut routes = vec![route("GET", "/a", Some("GET"))];
        let silent = Plan::compile(Description { routes: routes.clone(), missed: None }).unwrap();
        assert_eq!(missed(&silent, "GET", "/b"), Miss::Application(Why::NoRoute));
        assert_eq!(missed(&silent, "POST", "/a"), Miss::Application(Why::NoRoute));
        assert_eq!(missed(&plan(routes.clone(), true), "GET", "/\n"), Miss::Application(Why::Path));
        routes.push(Route { serve: Serve::Barrier("unknown".to_owned()), ..route("", "", None) });
        assert_eq!(missed(&plan(routes, true), "GET", "/b"), Miss::Application(Why::Barrier(1)));
    }
}
