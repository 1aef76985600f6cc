//! The description of a small application, compiled: its programs and its table of routes as they are checked in, and
//! what becomes of requests. `ANDON_WRITE=1 cargo test -p andon-plan` writes the texts anew.

#![allow(clippy::unwrap_used, reason = "a panic here is a failed test")]

use std::{fs, path::Path};

use andon_plan::{Captures, Description, Found, MAX_ROUTES, Plan, PlanError, Route, Serve, Why};

const APPLICATION: &str = include_str!("data/application.json");

fn plan() -> Plan {
    Plan::from_json(APPLICATION).unwrap()
}

/// Compares with the checked-in text of this name.
fn expect(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name);
    if std::env::var_os("ANDON_WRITE").is_some() {
        fs::write(&path, text).unwrap();
    }
    assert_eq!(fs::read_to_string(&path).unwrap(), text, "{name}");
}

#[test]
fn its_programs_are_as_they_were() {
    expect("programs.txt", &plan().listing());
}

#[test]
fn its_routes_are_told_as_a_table_and_as_json() {
    let plan = plan();
    expect("routes.txt", &plan.summary().to_string());
    expect("routes.json", &(serde_json::to_string_pretty(plan.summary()).unwrap() + "\n"));
}

#[test]
fn requests_find_their_programs() {
    let plan = plan();
    let find = |method: &str, path: &str| match plan.find(method, path, &mut Captures::new()) {
        Found::Native(number) => plan.native(number).endpoint.clone(),
        Found::Application(why) => plan.reason(why),
    };
    assert_eq!(find("GET", "/"), "main.root");
    assert_eq!(find("DELETE", "/items/7"), "main.delete_item");
    assert_eq!(find("POST", "/items/a"), "main.create_item");
    assert_eq!(find("HEAD", "/docs"), "a route of Starlette");
    assert_eq!(find("GET", "/static/a/b"), "a mounted application");
    assert_eq!(find("PUT", "/"), "a route of the unknown class `main.Odd`");
    assert_eq!(find("GET", "/late"), "a route of the unknown class `main.Odd`");
    assert_eq!(find("GET", "/ü"), "its path is unusual");
    assert_eq!(plan.objects(), 129);
}

#[test]
fn captures_are_the_parameters_of_the_path() {
    let (plan, mut captures) = (plan(), Captures::new());
    let Found::Native(number) = plan.find("POST", "/items/a b", &mut captures) else { panic!("not native") };
    assert_eq!(captures.text(0, "/items/a b"), Some("a b"));
    assert_eq!(captures.text(1, "/items/a b"), None);
    assert_eq!(&*plan.texts()[plan.native(number).path_names[0] as usize], "name");
}

fn opaque(path: &str) -> Route {
    Route { methods: Vec::new(), path: path.to_owned(), refused: None, serve: Serve::Opaque("opaque".to_owned()) }
}

#[test]
fn a_path_that_is_not_understood_is_a_barrier() {
    let routes = ["/a", "/{day:date}", "/b"].map(opaque).to_vec();
    let plan = Plan::compile(Description { routes, missed: None }).unwrap();
    let find = |path| plan.find("GET", path, &mut Captures::new());
    assert_eq!(find("/a"), Found::Application(Why::Opaque(0)));
    assert_eq!(find("/b"), Found::Application(Why::Barrier(1)));
    assert_eq!(plan.reason(Why::Barrier(1)), "the convertor `date` in its path is not known");
    assert_eq!(plan.summary().routes[2].reason.as_deref(), Some("a route before it can take any path"));
}

#[test]
fn a_route_that_cannot_be_compiled_is_the_applications() {
    let mut description: Description = serde_json::from_str(APPLICATION).unwrap();
    let Serve::Native(native) = &mut description.routes[4].serve else { panic!("not native") };
    native.root.parameters[0].aliases.clear();
    let plan = Plan::compile(description).unwrap();
    let found = plan.find("GET", "/items/7", &mut Captures::new());
    assert_eq!(found, Found::Application(Why::Opaque(4)));
    assert_eq!(plan.reason(Why::Opaque(4)), "the parameter `item_id` has no name in the request");
    // The numbers of those behind it fit.
    let Found::Native(number) = plan.find("POST", "/items/a", &mut Captures::new()) else { panic!("not native") };
    assert_eq!(plan.native(number).endpoint, "main.create_item");
}

#[test]
fn more_different_methods_than_can_be_told_apart_are_a_barrier() {
    let route = |number: usize| Route { methods: vec![format!("M{number}")], ..opaque("/") };
    let plan = Plan::compile(Description { routes: (0..70).map(route).collect(), missed: None }).unwrap();
    assert_eq!(plan.find("M62", "/", &mut Captures::new()), Found::Application(Why::Opaque(62)));
    assert_eq!(plan.find("M63", "/", &mut Captures::new()), Found::Application(Why::Barrier(63)));
}

#[test]
fn what_is_no_description_is_refused() {
    for text in ["", "{}", "[]", r#"{"routes": [], "more": 1}"#, r#"{"routes": [{"methods": [], "path": "/"}]}"#] {
        assert!(matches!(Plan::from_json(text), Err(PlanError::Json(_))), "{text}");
    }
    let routes = vec![opaque("/"); MAX_ROUTES + 1];
    assert!(matches!(Plan::compile(Description { routes, missed: None }), Err(PlanError::Routes(_))));
}

#[test]
fn dependencies_as_deep_as_a_program_may_have_them_can_be_read() {
    let mut description: Description = serde_json::from_str(APPLICATION).unwrap();
    description.routes.truncate(5);
    let Serve::Native(native) = &mut description.routes[4].serve else { panic!("not native") };
    for _ in 1..andon_plan::MAX_DEPTH {
        let inner = native.root.clone();
        native.root.dependencies = vec![inner];
    }
    let plan = Plan::from_json(&serde_json::to_string(&description).unwrap()).unwrap();
    assert!(matches!(plan.find("GET", "/items/7", &mut Captures::new()), Found::Native(_)));
}
