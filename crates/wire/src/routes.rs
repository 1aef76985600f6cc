//! The route table of an application as a payload: the worker sends it once, before it is ready.
//!
//! ```text
//!  0 count (u16), each:
//!    marks (u8)  parts of the rule that are there (u8)  run (u8)  priority (u8)  concurrency (u32)  timeout (u64, ns)
//!    pattern, template, endpoint (short texts)  count of methods (u8), each a short text
//! ```
//! Routes are in the order in which the application tries them, mounts unfolded: what is mounted comes first, then the
//! mount itself, which takes every path below it that nothing else has taken. The first route that takes path and
//! method is the one; if there is none, the first that takes the path. Patterns match the path without the root path,
//! percent-decoded.

use crate::{
    MAX_PAYLOAD, WireError,
    codec::{Reader, put_short},
    rule::Rule,
};

/// Most routes in a table; an application with more has the rest unnamed.
pub const MAX_ROUTES: usize = 1024;

/// Longest pattern, template or name in bytes. A route with a longer one is left out by the worker.
pub const MAX_TEXT: usize = 1024;

/// Most methods of one route.
pub const MAX_METHODS: usize = 32;

/// What is known of how an endpoint runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Callable {
    /// Nothing.
    #[default]
    Unknown,
    /// `def`: it runs on a thread.
    Function,
    /// `async def`: it runs on the event loop.
    Coroutine {
        /// Its code holds no `await`, `async for`, `async with` and `yield`: it cannot suspend, so it can as well be
        /// run on a thread ([`crate::Flags::THREAD`]).
        offloadable: bool,
    },
}

/// One route.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Route {
    /// Methods in upper case; empty: any.
    pub methods: Vec<String>,
    /// Regular expression in Python's syntax, groups unnamed, to be matched from the start of the path.
    pub pattern: String,
    /// The path with its parameters as the user wrote it, such as `/items/{item_id}`.
    pub template: String,
    /// `module.function`, for people; empty if there is none.
    pub endpoint: String,
    /// It is for WebSockets, and only for them.
    pub websocket: bool,
    /// It takes every path below its own: another application is mounted there.
    pub mount: bool,
    /// How its endpoint runs.
    pub callable: Callable,
    /// What the user wants.
    pub rule: Rule,
}

const WEBSOCKET: u8 = 1;
const MOUNT: u8 = 2;
const FUNCTION: u8 = 4;
const COROUTINE: u8 = 8;
const OFFLOADABLE: u8 = 16;

fn mark(condition: bool, bit: u8) -> u8 {
    if condition { bit } else { 0 }
}

/// Appends a route table; what is beyond [`MAX_ROUTES`] or one frame's payload is left out.
pub fn put_routes(out: &mut Vec<u8>, routes: &[Route]) -> Result<(), WireError> {
    let start = out.len();
    out.extend_from_slice(&[0, 0]);
    let mut count: u16 = 0;
    for route in routes.iter().take(MAX_ROUTES) {
        let before = out.len();
        route.put(out)?;
        if out.len() - start > MAX_PAYLOAD {
            out.truncate(before);
            break;
        }
        count += 1;
    }
    out[start..start + 2].copy_from_slice(&count.to_le_bytes());
    Ok(())
}

/// Reads a route table.
pub fn parse_routes(payload: &[u8]) -> Result<Vec<Route>, WireError> {
    let mut reader = Reader::new(payload);
    let count = usize::from(reader.u16()?);
    if count > MAX_ROUTES {
        return Err(WireError::Invalid("number of routes"));
    }
    (0..count).map(|_| Route::parse(&mut reader)).collect()
}

impl Route {
    /// Whether it is within the limits, so that it can be sent.
    pub fn fits(&self) -> bool {
        let texts = [&self.pattern, &self.template, &self.endpoint];
        let short = |text: &String| text.len() <= MAX_TEXT;
        texts.into_iter().all(short) && self.methods.len() <= MAX_METHODS && self.methods.iter().all(short)
    }

    fn put(&self, out: &mut Vec<u8>) -> Result<(), WireError> {
        if !self.fits() {
            return Err(WireError::Invalid("route"));
        }
        out.push(mark(self.websocket, WEBSOCKET) | mark(self.mount, MOUNT) | self.callable.marks());
        self.rule.put(out);
        put_short(out, self.pattern.as_bytes())?;
        put_short(out, self.template.as_bytes())?;
        put_short(out, self.endpoint.as_bytes())?;
        out.push(self.methods.len() as u8);
        self.methods.iter().try_for_each(|method| put_short(out, method.as_bytes()))
    }

    fn parse(reader: &mut Reader<'_>) -> Result<Self, WireError> {
        let marks = reader.u8()?;
        let rule = Rule::parse(reader)?;
        let (pattern, template, endpoint) = (text(reader)?, text(reader)?, text(reader)?);
        let count = usize::from(reader.u8()?);
        if count > MAX_METHODS {
            return Err(WireError::Invalid("number of methods"));
        }
        let methods = (0..count).map(|_| text(reader)).collect::<Result<_, _>>()?;
        let callable = Callable::from_marks(marks);
        let (websocket, mount) = (marks & WEBSOCKET != 0, marks & MOUNT != 0);
        Ok(Self { methods, pattern, template, endpoint, websocket, mount, callable, rule })
    }
}

impl Callable {
    fn marks(self) -> u8 {
        match self {
            Callable::Unknown => 0,
            Callable::Function => FUNCTION,
            Callable::Coroutine { offloadable } => COROUTINE | mark(offloadable, OFFLOADABLE),
        }
    }

    fn from_marks(marks: u8) -> Self {
        match (marks & FUNCTION != 0, marks & COROUTINE != 0) {
            (_, true) => Callable::Coroutine { offloadable: marks & OFFLOADABLE != 0 },
            (true, false) => Callable::Function,
            (false, false) => Callable::Unknown,
        }
    }
}

fn text(reader: &mut Reader<'_>) -> Result<String, WireError> {
    let bytes = reader.short()?;
    if bytes.len() > MAX_TEXT {
        return Err(WireError::Invalid("length of a text"));
    }
    std::str::from_utf8(bytes).map(str::to_owned).map_err(|_| WireError::Invalid("text"))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;

    fn callable() -> impl Strategy<Value = Callable> {
        prop_oneof![
            Just(Callable::Unknown),
            Just(Callable::Function),
            any::<bool>().prop_map(|offloadable| Callable::Coroutine { offloadable }),
        ]
    }

    fn rule() -> impl Strategy<Value = Rule> {
        let option = prop::option::of::<std::ops::RangeInclusive<u8>>;
        (option(1..=3), any::<Option<u32>>(), any::<Option<u64>>(), option(0..=2)).prop_map(
            |(run, concurrency, timeout, priority)| Rule {
                run: run.map(|run| run.try_into().unwrap()),
                concurrency,
                timeout: timeout.map(Duration::from_nanos),
                priority: priority.map(|priority| priority.try_into().unwrap()),
            },
        )
    }

    fn route() -> impl Strategy<Value = Route> {
        let texts = (prop::collection::vec("[A-Z]{1,8}", 0..4), ".{0,40}", ".{0,40}", ".{0,40}");
        (texts, any::<(bool, bool)>(), callable(), rule()).prop_map(
            |((methods, pattern, template, endpoint), (websocket, mount), callable, rule)| Route {
                methods,
                pattern,
                template,
                endpoint,
                websocket,
                mount,
                callable,
                rule,
            },
        )
    }

    proptest! {
        #[test]
        fn a_table_is_read_as_it_was_put(routes in prop::collection::vec(route(), 0..8)) {
            let mut payload = Vec::new();
            put_routes(&mut payload, &routes).unwrap();
            prop_assert_eq!(parse_routes(&payload), Ok(routes));
        }

        #[test]
        fn a_cut_table_is_refused(routes in prop::collection::vec(route(), 1..4), cut in any::<prop::sample::Index>()) {
            let mut payload = Vec::new();
            put_routes(&mut payload, &routes).unwrap();
            prop_assert!(parse_routes(&payload[..cut.index(payload.len())]).is_err());
        }

        #[test]
        fn hostile_tables_never_panic(payload in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse_routes(&payload);
        }
    }

    #[test]
    fn a_table_is_bounded_and_an_overlong_route_does_not_fit() {
        let mut payload = Vec::new();
        put_routes(&mut payload, &vec![Route::default(); MAX_ROUTES + 1]).unwrap();
        assert_eq!(parse_routes(&payload).unwrap().len(), MAX_ROUTES);
        let wide = Route { pattern: "x".repeat(MAX_TEXT), template: "x".repeat(MAX_TEXT), ..Route::default() };
        payload.clear();
        put_routes(&mut payload, &vec![wide; MAX_ROUTES]).unwrap();
        assert!(payload.len() <= MAX_PAYLOAD);
        assert!(parse_routes(&payload).is_ok());
        let long = Route { pattern: "x".repeat(MAX_TEXT + 1), ..Route::default() };
        assert!(!long.fits());
        assert!(put_routes(&mut Vec::new(), &[long]).is_err());
    }
}
