//! The plan of an application: a router and the programs of its native routes. Compiled once after start-up, and anew
//! whenever the application has changed.
//!
//! What cannot be compiled makes its route the application's, with a reason, never an error: only a description that is
//! no description at all, or beyond all bounds, is refused as a whole.

use crate::{
    Body, BodyLimit, Caller, Captures, Description, Found, Miss, Missed, Native, Object, Program, RequestPath,
    Response, Route, RouteSummary, ScopeObjects, Serve, Summary, Text, Why,
    flatten::{Unfit, flatten},
    missed::Misses,
    objects::greatest_object,
    router::{Router, Target},
    template::Template,
    texts::Texts,
};

/// Most routes of one application.
pub const MAX_ROUTES: usize = 10_000;

/// Why there is no plan.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// It is not a description, or nested too deep.
    #[error("the description of the application cannot be read: {0}")]
    Json(#[from] serde_json::Error),
    /// More than [`MAX_ROUTES`].
    #[error("the application has {0} routes, more than {MAX_ROUTES}")]
    Routes(usize),
}

/// A compiled application.
#[derive(Debug)]
pub struct Plan {
    router: Router,
    misses: Misses,
    natives: Box<[NativeRoute]>,
    texts: Box<[Box<str>]>,
    objects: usize,
    summary: Summary,
}

/// A route that the plan serves.
#[derive(Debug, Clone, PartialEq)]
pub struct NativeRoute {
    /// Its number among all routes; of one for requests that no route takes, their number.
    pub route: usize,
    /// Its template.
    pub path: String,
    /// `module.function`, for people.
    pub endpoint: String,
    /// How much of the framework it needs.
    pub tier: u8,
    /// Whose code calls the endpoint.
    pub caller: Caller,
    /// Names of the path's parameters, in the order of the captures.
    pub path_names: Box<[Text]>,
    /// The body that is read first.
    pub body: Option<Body>,
    /// Limits of its size, from the outside in; the last one counts.
    pub limits: Box<[BodyLimit]>,
    /// What is done.
    pub program: Program,
    /// What becomes of the result.
    pub response: Response,
    /// What user code finds in the scope.
    pub scope: ScopeObjects,
    /// What must be as it was when it is taken.
    pub guards: Option<Object>,
}

impl Plan {
    /// From the JSON text of a [`Description`].
    pub fn from_json(text: &str) -> Result<Self, PlanError> {
        Self::compile(serde_json::from_str(text)?)
    }

    /// From a description.
    pub fn compile(description: Description) -> Result<Self, PlanError> {
        if description.routes.len() > MAX_ROUTES {
            return Err(PlanError::Routes(description.routes.len()));
        }
        let mut compiling = Compiling::default();
        for route in description.routes {
            compiling.add(route);
        }
        if let Some(missed) = &description.missed {
            compiling.misses(missed);
        }
        Ok(compiling.finish())
    }

    /// Which route takes this method and path. The path is percent-decoded and without the root path; of a native route,
    /// where the parameters are in it is in `captures`.
    pub fn find(&self, method: &str, path: &str, captures: &mut Captures) -> Found {
        self.router.find(method, path, captures)
    }

    /// What becomes of a request of which [`Plan::find`] says that no route takes it.
    /// `captures` as in [`Plan::find`].
    pub fn missed(&self, path: &RequestPath<'_>, captures: &mut Captures) -> Miss {
        self.misses.miss(&self.router, path, captures)
    }

    /// What must be as it was for [`Plan::missed`] to be true.
    pub fn missed_guards(&self) -> Option<Object> {
        self.misses.guards()
    }

    /// The different values of `Allow`, by the numbers that [`Plan::missed`] gives.
    pub fn allows(&self) -> &[Box<str>] {
        self.misses.allows()
    }

    /// The native route of a number that [`Plan::find`] has given.
    pub fn native(&self, number: usize) -> &NativeRoute {
        &self.natives[number]
    }

    /// All native routes by their numbers.
    pub fn natives(&self) -> &[NativeRoute] {
        &self.natives
    }

    /// All keywords and aliases by their numbers.
    pub fn texts(&self) -> &[Box<str>] {
        &self.texts
    }

    /// How many objects the table that travels with the description must have at least.
    pub fn objects(&self) -> usize {
        self.objects
    }

    /// All routes, for people.
    pub fn summary(&self) -> &Summary {
        &self.summary
    }

    /// Why a request is the application's: the reason of its route, if it has one.
    pub fn reason(&self, why: Why) -> String {
        match why {
            Why::Opaque(route) | Why::Barrier(route) => {
                self.summary.routes.get(route).and_then(|route| route.reason.clone()).unwrap_or_else(|| why.to_string())
            }
            Why::NoRoute | Why::Path => why.to_string(),
        }
    }
}

/// A plan while it is being made.
#[derive(Default)]
struct Compiling {
    router: Router,
    misses: Misses,
    natives: Vec<NativeRoute>,
    texts: Texts,
    objects: usize,
    summary: Summary,
    /// A route was a barrier: those behind it are only told to people.
    closed: bool,
}

impl Compiling {
    fn add(&mut self, mut route: Route) {
        if self.closed {
            if let Serve::Native(_) | Serve::Opaque(_) = route.serve {
                route.serve = Serve::Opaque("a route before it can take any path".to_owned());
            }
        } else if let Err(reason) = self.compile(&mut route) {
            self.router.close();
            self.closed = true;
            route.serve = Serve::Barrier(reason);
        }
        self.summary.routes.push(RouteSummary::new(&route));
    }

    /// Adds what is understood of a route; an error if that is not even what it matches.
    fn compile(&mut self, route: &mut Route) -> Result<(), String> {
        if let Serve::Barrier(reason) = &route.serve {
            return Err(reason.clone());
        }
        let template = Template::parse(&route.path).map_err(|error| error.to_string())?;
        let native = self.native(route, &template);
        let target = native.as_ref().map_or(Target::Opaque, |_| Target::Native(self.natives.len()));
        self.router.add(&route.methods, &template, target).map_err(|error| error.to_string())?;
        self.natives.extend(native);
        let refused = route.refused.as_ref().and_then(|refused| {
            self.add_native(&refused.native, (&route.path, &template)).map(|native| (&*refused.allow, native))
        });
        self.misses.add(refused);
        Ok(())
    }

    /// A native route compiled; one that cannot be becomes opaque.
    fn native(&mut self, route: &mut Route, template: &Template) -> Option<NativeRoute> {
        let Serve::Native(native) = &route.serve else { return None };
        let compiled = self.compiled(native, (&route.path, template));
        compiled.map_err(|unfit| route.serve = Serve::Opaque(unfit.to_string())).ok()
    }

    /// What becomes of requests that no route takes.
    fn misses(&mut self, missed: &Missed) {
        let anywhere = Template { pieces: Vec::new(), parameters: Vec::new() };
        let not_found = self.add_native(&missed.not_found, ("", &anywhere));
        let redirect = missed.redirect.as_ref().map(|redirect| self.add_native(redirect, ("", &anywhere)));
        if let Some(guards) = missed.guards {
            self.objects = self.objects.max(guards as usize + 1);
        }
        self.misses.know(not_found, redirect, missed.guards);
    }

    /// The number of what is compiled; `None`: it cannot be.
    fn add_native(&mut self, native: &Native, path: (&str, &Template)) -> Option<usize> {
        let compiled = self.compiled(native, path).ok()?;
        self.natives.push(compiled);
        Some(self.natives.len() - 1)
    }

    fn compiled(&mut self, native: &Native, (path, template): (&str, &Template)) -> Result<NativeRoute, Unfit> {
        let names: Vec<&str> = template.parameters.iter().map(|(name, _)| name.as_str()).collect();
        let program = flatten(&native.root, &names, &mut self.texts)?;
        self.objects = self.objects.max(greatest_object(native) as usize + 1);
        Ok(NativeRoute {
            route: self.summary.routes.len(),
            path: path.to_owned(),
            endpoint: native.endpoint.clone(),
            tier: native.tier,
            caller: native.caller,
            path_names: names.iter().map(|name| self.texts.number(name)).collect(),
            body: native.body,
            limits: native.limits.clone().into(),
            program,
            response: native.response.clone(),
            scope: native.scope.clone(),
            guards: native.guards,
        })
    }

    fn finish(self) -> Plan {
        Plan {
            router: self.router,
            misses: self.misses,
            natives: self.natives.into(),
            texts: self.texts.finish(),
            objects: self.objects,
            summary: self.summary,
        }
    }
}
