//! What becomes of a request that no route takes: 404, 405, a redirect, or what the application makes of it.
//!
//! The order is that of `fastapi.routing.APIRouter.app`: the first route that takes the path answers 405 where none takes
//! the method as well; then a slash more or less is tried; then it is not found.

use crate::{Captures, Object, RequestPath, Why, router::Router};

/// What becomes of such a request. Each but the last is served by the native route of a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Miss {
    /// It raises `HTTPException(404)`.
    NotFound(usize),
    /// It raises `HTTPException(405)` with an `Allow` ([`crate::Plan::allows`]).
    NotAllowed {
        /// The number of the `Allow`.
        allow: usize,
        /// The number of the native route.
        native: usize,
    },
    /// It redirects.
    Redirect(usize),
    /// The application answers.
    Application(Why),
}

/// What an application's routes do with requests that none of them takes.
#[derive(Debug, Default)]
pub(crate) struct Misses {
    /// `None`: the application answers all of them.
    known: Option<Known>,
    /// By the number of the route; `None`: the application answers.
    routes: Vec<Option<Miss>>,
    /// Each only once.
    allows: Vec<Box<str>>,
}

/// What the router does.
#[derive(Debug)]
struct Known {
    not_found: Miss,
    /// `None`: it tries no slashes.
    redirect: Option<Miss>,
    guards: Option<Object>,
}

impl Misses {
    /// Adds the next route: the value of `Allow`, and the native route that answers with it.
    pub(crate) fn add(&mut self, refused: Option<(&str, usize)>) {
        let refused = refused.map(|(allow, native)| Miss::NotAllowed { allow: self.number(allow), native });
        self.routes.push(refused);
    }

    fn number(&mut self, allow: &str) -> usize {
        self.allows.iter().position(|known| **known == *allow).unwrap_or_else(|| {
            self.allows.push(allow.into());
            self.allows.len() - 1
        })
    }

    /// What the router does is known: the native routes for what is not found, and for what is redirected.
    pub(crate) fn know(&mut self, not_found: Option<usize>, redirect: Option<Option<usize>>, guards: Option<Object>) {
        let by = |native: Option<usize>, miss: fn(usize) -> Miss| native.map_or(Miss::Application(Why::NoRoute), miss);
        let redirect = redirect.map(|redirect| by(redirect, Miss::Redirect));
        self.known = Some(Known { not_found: by(not_found, Miss::NotFound), redirect, guards });
    }

    pub(crate) fn guards(&self) -> Option<Object> {
        self.known.as_ref().and_then(|known| known.guards)
    }

    pub(crate) fn allows(&self) -> &[Box<str>] {
        &self.allows
    }

    /// For a request of which the router says that no route takes it.
    pub(crate) fn miss(&self, router: &Router, path: &RequestPath<'_>, captures: &mut Captures) -> Miss {
        self.found(router, path, captures).unwrap_or_else(Miss::Application)
    }

    fn found(&self, router: &Router, path: &RequestPath<'_>, captures: &mut Captures) -> Result<Miss, Why> {
        let known = self.known.as_ref().ok_or(Why::NoRoute)?;
        if let Some(route) = router.first_of_path(path.routed(), captures)? {
            return self.routes[route].ok_or(Why::Opaque(route));
        }
        let redirected = path.redirected().zip(known.redirect);
        let found = redirected.map(|(path, redirect)| Ok(router.first_of_path(&path, captures)?.map(|_| redirect)));
        captures.clear();
        Ok(found.transpose()?.flatten().unwrap_or(known.not_found))
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        Caller, Captures, Description, Found, Miss, Missed, Native, Plan, Refused, RequestPath, Response, Route,
        ScopeObjects, Serve, Why, testing::dependant,
    };

    fn native(endpoint: &str) -> Native {
        Native {
            tier: 1,
            endpoint: endpoint.to_owned(),
            caller: Caller::Router,
            root: dependant(0),
            body: None,
            limits: Vec::new(),
            response: Response { status_code: None, field: None, class: 0, default_class: false, stream: None },
            scope: ScopeObjects { app: 0, router: 0, route: None, endpoint: None, fastapi: None },
            guards: None,
        }
    }

    fn route(method: &str, path: &str, allow: Option<&str>) -> Route {
        let methods = if method.is_empty() { Vec::new() } else { vec![method.to_owned()] };
        let refused = allow.map(|allow| Box::new(Refused { allow: allow.to_owned(), native: native(path) }));
        Route { methods, path: path.to_owned(), refused, serve: Serve::Opaque("known".to_owned()) }
    }

    fn plan(routes: Vec<Route>, redirect_slashes: bool) -> Plan {
        let redirect = redirect_slashes.then(|| native("redirect"));
        let missed = Missed { not_found: native("not found"), redirect, guards: None };
        Plan::compile(Description { routes, missed: Some(missed) }).unwrap()
    }

    fn miss(plan: &Plan, method: &str, whole: &str, captures: &mut Captures) -> Miss {
        let path = RequestPath { whole, root_path: "/api" };
        match plan.find(method, path.routed(), captures) {
            Found::Application(Why::NoRoute) => plan.missed(&path, captures),
            Found::Application(why) => Miss::Application(why),
            Found::Native(_) => unreachable!("there are none"),
        }
    }

    /// What answers: the name that `native` was given, and `Allow`; or why the application does.
    fn missed<'a>(plan: &'a Plan, method: &str, whole: &str) -> Result<(&'a str, Option<&'a str>), Why> {
        let (native, allow) = match miss(plan, method, whole, &mut Captures::new()) {
            Miss::NotFound(native) | Miss::Redirect(native) => (native, None),
            Miss::NotAllowed { allow, native } => (native, Some(&*plan.allows()[allow])),
            Miss::Application(why) => return Err(why),
        };
        Ok((&plan.native(native).endpoint, allow))
    }

    #[test]
    fn what_is_not_there_is_not_found() {
        let plan = plan(vec![route("GET", "/items/{item_id:int}", Some("GET"))], true);
        for path in ["/", "/items", "/items/a", "/items/1/2", "/api/items/a/", "//items/1"] {
            assert_eq!(missed(&plan, "GET", path), Ok(("not found", None)), "{path}");
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
        assert_eq!(missed(&plan, "DELETE", "/items/1"), Ok(("/items/{item_id:int}", Some("GET"))));
        assert_eq!(missed(&plan, "GET", "/items/a"), Ok(("/items/{item_id}", Some("PUT"))));
        assert_eq!(missed(&plan, "GET", "/api/other"), Ok(("/other", Some("PUT"))));
        assert_eq!(missed(&plan, "GET", "/a-b"), Err(Why::Opaque(2)));
    }

    #[test]
    fn parameters_are_those_of_the_route_that_answers() {
        let plan = plan(vec![route("GET", "/a/{name}/", Some("GET"))], true);
        let mut captures = Captures::new();
        miss(&plan, "PUT", "/a/bc/", &mut captures);
        assert_eq!(captures.as_slice()[0].of("/a/bc/"), "bc");
        miss(&plan, "PUT", "/a/bc", &mut captures);
        assert_eq!(captures.as_slice(), []);
    }

    #[test]
    fn a_path_that_is_there_with_a_slash_more_or_less_is_redirected() {
        let routes = || vec![route("GET", "/with/", Some("GET")), route("", "/mount/{path:path}", None)];
        for path in ["/with", "/mount", "/api/with", "/api/mount"] {
            assert_eq!(missed(&plan(routes(), true), "POST", path), Ok(("redirect", None)), "{path}");
            assert_eq!(missed(&plan(routes(), false), "POST", path), Ok(("not found", None)), "{path}");
        }
    }

    #[test]
    fn what_is_not_known_is_the_applications() {
        let mut routes = vec![route("GET", "/a", Some("GET"))];
        let silent = Plan::compile(Description { routes: routes.clone(), missed: None }).unwrap();
        assert_eq!(missed(&silent, "GET", "/b"), Err(Why::NoRoute));
        assert_eq!(missed(&silent, "POST", "/a"), Err(Why::NoRoute));
        assert_eq!(missed(&plan(routes.clone(), true), "GET", "/\n"), Err(Why::Path));
        routes.push(Route { serve: Serve::Barrier("unknown".to_owned()), ..route("", "", None) });
        assert_eq!(missed(&plan(routes, true), "GET", "/b"), Err(Why::Barrier(1)));
    }
}
