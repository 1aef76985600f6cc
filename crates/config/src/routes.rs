//! What is to be done with single routes: the table `[tool.andon.routes]` of a TOML file.
//!
//! ```toml
//! [tool.andon.routes]
//! "GET /reports" = { run = "heavy", concurrency = 4, timeout = 30, priority = "low" }
//! "WS /live" = { run = "loop" }
//! ```
//! A pattern is a method and the path of a route as the application declares it; WebSockets have the method `WS`. The
//! rest of the file belongs to others, but whatever is below `tool.andon` must be understood.

use std::{
    fmt, fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

use serde::Deserialize;
use toml::{Table, Value};

use crate::{DispatchOptions, Seconds};

/// What a user says of routes, in the order of the file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RouteRules(pub Vec<(String, RouteRule)>);

/// What a user says of a route.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RouteRule {
    /// Where its calls run, whatever was learned of them.
    pub run: Option<RouteRun>,
    /// How many of its calls may run at once, over all workers.
    #[serde(default, deserialize_with = "concurrency")]
    pub concurrency: Option<u32>,
    /// How long a call may take, waiting included. In the file in seconds.
    #[serde(default, deserialize_with = "timeout")]
    pub timeout: Option<Duration>,
    /// Whether its calls go before or after others that wait.
    pub priority: Option<RoutePriority>,
}

/// Where calls of a route run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RouteRun {
    /// On the event loop, beside others.
    Loop,
    /// On a thread.
    Thread,
    /// Apart from others, as code that holds its event loop.
    Heavy,
}

/// Who goes first among those that wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RoutePriority {
    /// After all others.
    Low,
    /// As most.
    Normal,
    /// Before all others.
    High,
}

/// What a pattern can begin with.
const METHODS: [&str; 10] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "QUERY", "WS"];

/// What is wrong with a file of rules.
#[derive(Debug)]
pub struct RulesError {
    file: PathBuf,
    /// The key in question, with those above it; empty if it is the file as a whole.
    key: String,
    problem: String,
    hint: &'static str,
}

const FILE_HINT: &str =
    "--config names the file; without it pyproject.toml beside the application is read if it is there";
const KEY_HINT: &str =
    "only the table `[tool.andon.routes]` is known; everything else is an option of the command line";
const PATTERN_HINT: &str = "a pattern is a method and a path, such as \"GET /reports/{year}\"; WebSockets have WS";
const RULE_HINT: &str =
    "a rule is such as { run = \"loop\" | \"thread\" | \"heavy\", concurrency = 4, timeout = 30, priority = \"low\" }";

impl fmt::Display for RulesError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "`{}`", self.file.display())?;
        if !self.key.is_empty() {
            write!(formatter, ", {}", self.key)?;
        }
        write!(formatter, ": {}\n\nhint: {}", self.problem.trim_end(), self.hint)
    }
}

impl std::error::Error for RulesError {}

impl RouteRules {
    /// Reads the file that the options name, or else `pyproject.toml` in the application's directory, if it is there.
    pub fn read(options: &DispatchOptions, app_dir: &Path) -> Result<Self, RulesError> {
        let file = options.rules_file.clone().unwrap_or_else(|| app_dir.join("pyproject.toml"));
        match fs::read_to_string(&file) {
            Ok(text) => Self::parse(&text, &file),
            Err(error) if error.kind() == io::ErrorKind::NotFound && options.rules_file.is_none() => {
                Ok(Self::default())
            }
            Err(error) => Err(RulesError {
                file,
                key: String::new(),
                problem: format!("cannot be read: {error}"),
                hint: FILE_HINT,
            }),
        }
    }

    fn parse(text: &str, file: &Path) -> Result<Self, RulesError> {
        let wrong = |(key, problem, hint)| RulesError { file: file.to_owned(), key, problem, hint };
        let table: Table = text.parse().map_err(|error| {
            let problem = format!("is no TOML: {error}");
            wrong((String::new(), problem, "keys with spaces or slashes are put in quotes"))
        })?;
        let Some(routes) = our_routes(&table).map_err(wrong)? else {
            return Ok(Self::default());
        };
        let rules = routes.iter().map(|(pattern, value)| Ok((pattern.clone(), parse_rule(pattern, value)?)));
        rules.collect::<Result<_, _>>().map(Self).map_err(wrong)
    }
}

/// Key, what is wrong with it, and what to do.
type Problem = (String, String, &'static str);

fn our_routes(table: &Table) -> Result<Option<&Table>, Problem> {
    let must_be_table = |key: &str, hint| (key.to_owned(), "must be a table".to_owned(), hint);
    let Some(ours) = table.get("tool").and_then(|tool| tool.get("andon")) else {
        return Ok(None);
    };
    let ours = ours.as_table().ok_or_else(|| must_be_table("`tool.andon`", KEY_HINT))?;
    if let Some(key) = ours.keys().find(|key| *key != "routes") {
        return Err((format!("`tool.andon.{key}`"), "is not known".to_owned(), KEY_HINT));
    }
    let Some(routes) = ours.get("routes") else {
        return Ok(None);
    };
    routes.as_table().map(Some).ok_or_else(|| must_be_table("`[tool.andon.routes]`", RULE_HINT))
}

fn parse_rule(pattern: &str, value: &Value) -> Result<RouteRule, Problem> {
    let key = || format!("`[tool.andon.routes]` \"{pattern}\"");
    check_pattern(pattern).map_err(|problem| (key(), problem.to_owned(), PATTERN_HINT))?;
    RouteRule::deserialize(value.clone()).map_err(|error| (key(), error.message().to_owned(), RULE_HINT))
}

fn check_pattern(pattern: &str) -> Result<(), &'static str> {
    let (method, path) = pattern.split_once(' ').ok_or("it has no method before its path")?;
    if !METHODS.contains(&method) {
        return Err("its method is not known");
    }
    if !path.starts_with('/') || path.contains(char::is_whitespace) {
        return Err("its path does not begin with a slash, or has a space in it");
    }
    Ok(())
}

fn concurrency<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<u32>, D::Error> {
    match u32::deserialize(deserializer)? {
        0 => Err(serde::de::Error::custom("a concurrency of 0 would let no request run")),
        number => Ok(Some(number)),
    }
}

fn timeout<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    let seconds = f64::deserialize(deserializer)?;
    let Seconds(timeout) = Seconds::positive(seconds).map_err(serde::de::Error::custom)?;
    Ok(Some(timeout))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<RouteRules, String> {
        RouteRules::parse(text, Path::new("pyproject.toml")).map_err(|error| error.to_string())
    }

    fn problem(rule: &str) -> String {
        parse(&format!("[tool.andon.routes]\n{rule}\n")).unwrap_err()
    }

    #[test]
    fn rules_are_read_in_the_order_of_the_file() {
        let text = "[project]\nname = \"x\"\n[tool.other]\na = 1\n[tool.andon.routes]\n\
                    \"POST /z\" = { run = \"heavy\", concurrency = 4, timeout = 30, priority = \"low\" }\n\
                    \"WS /a/{b}\" = { timeout = 0.5 }\n";
        let heavy = RouteRule {
            run: Some(RouteRun::Heavy),
            concurrency: Some(4),
            timeout: Some(Duration::from_secs(30)),
            priority: Some(RoutePriority::Low),
        };
        let short = RouteRule { timeout: Some(Duration::from_millis(500)), ..RouteRule::default() };
        let expected = vec![("POST /z".to_owned(), heavy), ("WS /a/{b}".to_owned(), short)];
        assert_eq!(parse(text), Ok(RouteRules(expected)));
    }

    #[test]
    fn file_without_our_table_has_no_rules() {
        assert_eq!(parse("[project]\nname = \"x\"\n"), Ok(RouteRules::default()));
        assert_eq!(parse("[tool.andon]\n"), Ok(RouteRules::default()));
    }

    #[test]
    fn mistake_is_told_with_file_key_and_hint() {
        let told = problem("\"GET /reports\" = { runs = \"heavy\" }");
        assert!(
            told.starts_with("`pyproject.toml`, `[tool.andon.routes]` \"GET /reports\": unknown field `runs`"),
            "{told}"
        );
        assert!(told.contains("\n\nhint: a rule is such as"), "{told}");
    }

    #[test]
    fn values_that_cannot_be_right_are_refused() {
        for rule in [
            "\"GET /a\" = { run = \"process\" }",
            "\"GET /a\" = { concurrency = 0 }",
            "\"GET /a\" = { concurrency = -1 }",
            "\"GET /a\" = { timeout = 0 }",
            "\"GET /a\" = { timeout = \"30\" }",
            "\"GET /a\" = { priority = 3 }",
            "\"GET /a\" = \"heavy\"",
            "\"GET a\" = {}",
            "\"/a\" = {}",
            "\"WEBSOCKET /a\" = {}",
            "\"GET  /a\" = {}",
            "\"GET\" = {}",
        ] {
            assert!(problem(rule).contains("hint: "), "{rule}");
        }
    }

    #[test]
    fn whole_seconds_need_no_fraction() {
        let rules = parse("[tool.andon.routes]\n\"GET /a\" = { timeout = 2 }\n").unwrap();
        assert_eq!(rules.0[0].1.timeout, Some(Duration::from_secs(2)));
    }

    #[test]
    fn other_keys_of_ours_are_refused() {
        assert!(parse("[tool.andon]\nworkers = 2\n").unwrap_err().contains("`tool.andon.workers`: is not known"));
        assert!(parse("[tool]\nandon = 2\n").is_err());
        assert!(parse("[tool.andon]\nroutes = 2\n").is_err());
    }

    #[test]
    fn file_that_is_no_toml_is_refused_with_the_line() {
        let told = parse("[tool.andon.routes]\nGET /a = {}\n").unwrap_err();
        assert!(told.contains("line 2"), "{told}");
    }
}
