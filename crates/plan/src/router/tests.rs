//! The router against a naive model: every template tried in order as the regular expression that Starlette makes of it.

use proptest::prelude::*;
use regex::Regex;

use super::*;
use crate::{Convertor, template::Piece};

/// Routes as methods, path and whether they are native.
fn router(routes: &[(&[&str], &str, bool)]) -> Router {
    let mut router = Router::default();
    let mut natives = 0;
    for (methods, path, native) in routes {
        let methods: Vec<String> = methods.iter().map(|method| (*method).to_owned()).collect();
        let target = if *native { Target::Native(natives) } else { Target::Opaque };
        natives += usize::from(*native);
        router.add(&methods, &Template::parse(path).unwrap(), target).unwrap();
    }
    router
}

fn find(router: &Router, method: &str, path: &str) -> (Found, Vec<String>) {
    let mut captures = Captures::new();
    let found = router.find(method, path, &mut captures);
    (found, captures.as_slice().iter().map(|capture| capture.of(path).to_owned()).collect())
}

const GET: &[&str] = &["GET"];
const POST: &[&str] = &["POST"];

#[test]
fn the_first_route_that_takes_both_is_found() {
    let router = router(&[
        (GET, "/items/{item_id:int}", true),
        (GET, "/items/{name}", true),
        (GET, "/items/special", true),
        (POST, "/items/{name}", true),
        (&[], "/any/{rest:path}", false),
        (GET, "/any/thing", true),
    ]);
    assert_eq!(find(&router, "GET", "/items/7"), (Found::Native(0), vec!["7".to_owned()]));
    assert_eq!(find(&router, "GET", "/items/special"), (Found::Native(1), vec!["special".to_owned()]));
    assert_eq!(find(&router, "POST", "/items/7"), (Found::Native(3), vec!["7".to_owned()]));
    assert_eq!(find(&router, "GET", "/any/thing").0, Found::Application(Why::Opaque(4)));
}

#[test]
fn what_no_route_takes_is_the_applications() {
    let router = router(&[(GET, "/items/{name}", true), (GET, "/", true)]);
    for (method, path) in [
        ("HEAD", "/items/a"),
        ("get", "/items/a"),
        ("GET", "/items/"),
        ("GET", "/items/a/"),
        ("GET", "/items"),
        ("GET", ""),
        ("GET", "items/a"),
        ("GET", "//"),
    ] {
        assert_eq!(find(&router, method, path).0, Found::Application(Why::NoRoute), "{method} {path}");
    }
    assert_eq!(find(&router, "GET", "/").0, Found::Native(1));
}

#[test]
fn nothing_behind_a_barrier_is_found() {
    let mut router = router(&[(GET, "/a", true)]);
    router.close();
    assert_eq!(find(&router, "GET", "/a").0, Found::Native(0));
    assert_eq!(find(&router, "GET", "/b").0, Found::Application(Why::Barrier(1)));
}

#[test]
fn unusual_paths_are_the_applications() {
    let router = router(&[(GET, "/{rest:path}", true), (POST, "/{number:int}", true)]);
    for path in ["/\n", "/a\u{7f}", "/é", "/a\0", "/\t", &format!("/{}", "1".repeat(MAX_DIGITS + 1))] {
        assert_eq!(find(&router, "GET", path).0, Found::Application(Why::Path), "{path:?}");
    }
    let long = format!("/{}", "1".repeat(MAX_DIGITS));
    assert_eq!(find(&router, "POST", &long), (Found::Native(1), vec![long[1..].to_owned()]));
    assert_eq!(find(&router, "GET", &"/12345678901a".repeat(1000)).0, Found::Native(0));
    assert_eq!(find(&router, "GET", "/ ~").0, Found::Native(0));
}

#[test]
fn paths_with_many_segments_are_found() {
    let many = "/a".repeat(40);
    let router = router(&[(GET, &many, true), (GET, "/a/{rest:path}", true), (GET, "/a/a/{rest:path}", true)]);
    assert_eq!(find(&router, "GET", &many).0, Found::Native(0));
    assert_eq!(find(&router, "GET", &"/a".repeat(41)), (Found::Native(1), vec!["a".to_owned() + &"/a".repeat(39)]));
}

/// What Starlette does, one template after the other.
struct Model {
    routes: Vec<(Vec<String>, Regex, Target)>,
}

impl Model {
    fn find(&self, method: &str, path: &str) -> (Found, Vec<String>) {
        for (number, (methods, regex, target)) in self.routes.iter().enumerate() {
            let takes = methods.is_empty() || methods.iter().any(|name| name == method);
            let Some(found) = regex.captures(path).filter(|_| takes) else { continue };
            let groups = found.iter().skip(1).flatten().map(|group| group.as_str().to_owned()).collect();
            return match target {
                Target::Native(native) => (Found::Native(*native), groups),
                Target::Opaque => (Found::Application(Why::Opaque(number)), groups),
            };
        }
        (Found::Application(Why::NoRoute), Vec::new())
    }
}

fn regex(template: &Template) -> Regex {
    let mut expression = "^".to_owned();
    for piece in &template.pieces {
        expression += &match piece {
            Piece::Literal(text) => regex::escape(text),
            Piece::Parameter(convertor) => format!("({})", expression_of(*convertor)),
        };
    }
    Regex::new(&(expression + "$")).unwrap()
}

fn expression_of(convertor: Convertor) -> &'static str {
    match convertor {
        Convertor::Str => "[^/]+",
        Convertor::Path => ".*",
        Convertor::Int => "[0-9]+",
        // A group that does not count among the others.
        Convertor::Float => r"[0-9]+(?:\.[0-9]+)?",
        Convertor::Uuid => "[0-9a-fA-F]{8}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{12}",
    }
}

/// A template; `#` becomes a name of its own for each parameter.
fn template() -> impl Strategy<Value = String> {
    let segment = prop_oneof![
        8 => prop::sample::select(vec!["a", "items", "1", ""]),
        8 => prop::sample::select(vec!["{#}", "{#:int}", "{#:float}", "{#:uuid}", "{#:path}"]),
        4 => prop::sample::select(vec!["a{#}", "{#}-{#}", "{#:int}{#}", "{#:float}.{#:int}", "x{#:path}", "{#:path}{#:uuid}"]),
    ];
    prop::collection::vec(segment, 1..4).prop_map(|segments| {
        let mut names = 0;
        let text: String = segments.iter().flat_map(|segment| ["/", segment]).collect();
        text.split('#').fold(String::new(), |text, part| {
            names += 1;
            if text.is_empty() { part.to_owned() } else { format!("{text}n{names}{part}") }
        })
    })
}

fn path() -> impl Strategy<Value = String> {
    let segment = prop::sample::select(vec![
        "a",
        "items",
        "1",
        "",
        "17",
        "1.5",
        "1.5.2",
        ".5",
        "ab",
        "a-b-c",
        "x",
        "0123456789abcdef0123456789ABCDEF",
        "01234567-89ab-cdef-0123-456789abcdef",
        " ",
        "a.b",
    ]);
    let segments = prop::collection::vec(segment, 0..5);
    segments.prop_map(|segments| segments.iter().flat_map(|segment| ["/", segment]).collect())
}

fn methods() -> impl Strategy<Value = Vec<String>> {
    let method = prop::sample::select(vec!["GET".to_owned(), "POST".to_owned(), "DELETE".to_owned()]);
    prop::collection::vec(method, 0..3)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn the_router_finds_what_the_ordered_trial_finds(
        routes in prop::collection::vec((methods(), template(), any::<bool>()), 1..20),
        paths in prop::collection::vec(path(), 1..20),
    ) {
        let (mut router, mut model) = (Router::default(), Model { routes: Vec::new() });
        for (number, (methods, path, native)) in routes.into_iter().enumerate() {
            let template = Template::parse(&path).unwrap();
            let target = if native { Target::Native(number) } else { Target::Opaque };
            router.add(&methods, &template, target).unwrap();
            model.routes.push((methods, regex(&template), target));
        }
        for path in &paths {
            for method in ["GET", "POST", "PATCH"] {
                prop_assert_eq!(find(&router, method, path), model.find(method, path), "{} {}", method, path);
            }
        }
    }

    #[test]
    fn one_template_matches_like_its_expression(path in "/[a1./-]{0,12}", template in "/([a1./-]{0,2}\\{#(:int|:float|:path)?\\}){1,4}[a1./-]{0,2}") {
        let named = template.split('#').enumerate().map(|(number, part)| {
            if number == 0 { part.to_owned() } else { format!("n{number}{part}") }
        });
        let template = Template::parse(&named.collect::<String>()).unwrap();
        let mut router = Router::default();
        router.add(&[], &template, Target::Native(0)).unwrap();
        let model = Model { routes: vec![(Vec::new(), regex(&template), Target::Native(0))] };
        prop_assert_eq!(find(&router, "GET", &path), model.find("GET", &path));
    }

    #[test]
    fn no_path_panics(path in any::<String>(), template in template()) {
        let mut router = Router::default();
        router.add(&[], &Template::parse(&template).unwrap(), Target::Native(0)).unwrap();
        find(&router, "GET", &path);
        find(&router, "GET", &format!("/{path}"));
    }
}
