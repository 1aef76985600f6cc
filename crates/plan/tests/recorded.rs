//! Paths, query strings, cookies and content types against what CPython, Starlette and FastAPI make of them
//! (`tests/data/record.py` has recorded it).

#![allow(clippy::unwrap_used, reason = "a panic here is a failed test")]

use std::{borrow::Cow, collections::BTreeMap};

use andon_plan::{BodyKind, Captures, Description, Found, Plan, Route, Serve, Why, body_kind, cookies, query};

type Pairs = Vec<(String, String)>;

fn latin1(text: &str) -> Vec<u8> {
    text.chars().map(|character| u8::try_from(character).unwrap()).collect()
}

fn owned<'a>(pairs: impl Iterator<Item = (Cow<'a, str>, Cow<'a, str>)>) -> Pairs {
    pairs.map(|(name, value)| (name.into_owned(), value.into_owned())).collect()
}

#[test]
fn paths_match_templates_as_with_starlette() {
    let rows: Vec<(String, String, Option<Vec<String>>)> =
        serde_json::from_str(include_str!("data/paths.json")).unwrap();
    let mut undecided = 0;
    for (template, path, expected) in rows {
        let route =
            Route { methods: Vec::new(), path: template.clone(), refused: None, serve: Serve::Opaque(String::new()) };
        let plan = Plan::compile(Description { routes: vec![route], missed: None }).unwrap();
        let mut captures = Captures::new();
        let found = plan.find("GET", &path, &mut captures);
        if found == Found::Application(Why::Path) {
            undecided += 1;
            continue;
        }
        let texts = captures.as_slice().iter().map(|capture| capture.of(&path).to_owned()).collect();
        let texts = (found == Found::Application(Why::Opaque(0))).then_some(texts);
        assert_eq!(texts, expected, "{template:?} {path:?}");
    }
    // Templates of several `:path` parameters that take too many steps.
    assert!(undecided < 10, "{undecided}");
}

#[test]
fn query_strings_are_parsed_as_cpython_does() {
    let rows: Vec<(String, Pairs)> = serde_json::from_str(include_str!("data/queries.json")).unwrap();
    for (text, expected) in rows {
        assert_eq!(owned(query::pairs(&latin1(&text))), expected, "{text:?}");
    }
}

#[test]
fn cookies_are_parsed_as_starlette_does() {
    let rows: Vec<(String, Pairs)> = serde_json::from_str(include_str!("data/cookies.json")).unwrap();
    for (text, expected) in rows {
        let found: BTreeMap<String, String> = owned(cookies::pairs(&latin1(&text))).into_iter().collect();
        assert_eq!(found, expected.into_iter().collect(), "{text:?}");
    }
}

#[test]
fn content_types_are_taken_for_json_as_fastapi_does() {
    let rows: Vec<(String, bool)> = serde_json::from_str(include_str!("data/content_types.json")).unwrap();
    for (text, is_json) in rows {
        let expected = if is_json { BodyKind::Json } else { BodyKind::Bytes };
        for strict in [true, false] {
            assert_eq!(body_kind(Some(text.as_bytes()), strict), expected, "{text:?}");
        }
    }
}

#[test]
fn without_a_content_type_strictness_decides_and_an_odd_one_is_left_to_python() {
    for absent in [None, Some(&b""[..])] {
        assert_eq!(body_kind(absent, true), BodyKind::Bytes);
        assert_eq!(body_kind(absent, false), BodyKind::Json);
    }
    for odd in [&b"application/json\xa0"[..], b"application/\xe9+json", b"application/json\n", b"\0", b"\x7f"] {
        assert_eq!(body_kind(Some(odd), true), BodyKind::Unsure);
    }
}
