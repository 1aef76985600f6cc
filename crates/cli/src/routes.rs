//! `andon routes`: tells of each route of an application whether it is served natively, and why not.
//!
//! The application is imported in a process of its own, `python -m andon.native`, which answers with what its inspection
//! has found. What is printed is what the plan makes of that.

use std::{
    ffi::OsString,
    io,
    path::PathBuf,
    process::{Command as Process, Stdio},
};

use andon_config::{NativeRoutes, Settings};
use andon_plan::{Description, Plan, Summary};
use clap::{Arg, ArgAction, ArgMatches, Command, CommandFactory, ValueEnum, error::Result as ClapResult};
use serde::{Deserialize, Serialize};

use crate::{PythonInfo, failure::Failure};

/// The first argument that asks for it. No application has this name: one is given as `module:attribute`.
pub(crate) const NAME: &str = "routes";

/// Options of the server that count here as well.
const SHARED: [&str; 4] = ["target", "factory", "app_dir", "native"];

/// What is asked.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Question {
    target: String,
    factory: bool,
    app_dir: PathBuf,
    native: NativeRoutes,
    json: bool,
}

/// What `python -m andon.native` writes.
#[derive(Deserialize)]
struct Found {
    reason: Option<String>,
    #[serde(default)]
    middleware: Vec<String>,
    #[serde(default)]
    middleware_is_native: bool,
    description: Description,
}

/// What is told.
#[derive(Serialize)]
struct Answer {
    /// Why nothing of the application is native.
    reason: Option<String>,
    /// Under which middleware of the application native routes run, the outermost first.
    middleware: Vec<String>,
    /// All of it is native, too.
    middleware_is_native: bool,
    #[serde(flatten)]
    summary: Summary,
}

impl Question {
    /// Reads the arguments behind [`NAME`].
    pub(crate) fn parse(arguments: Vec<OsString>) -> ClapResult<Self> {
        command().try_get_matches_from(arguments).map(|matches| Self::of(&matches))
    }

    fn of(matches: &ArgMatches) -> Self {
        Self {
            target: matches.get_one::<String>("target").cloned().unwrap_or_default(),
            factory: matches.get_flag("factory"),
            app_dir: matches.get_one::<PathBuf>("app_dir").cloned().unwrap_or_default(),
            native: matches.get_one::<NativeRoutes>("native").copied().unwrap_or_default(),
            json: matches.get_flag("json"),
        }
    }

    /// Inspects the application and returns what is to be printed. The inspecting process has explained itself on
    /// standard error if it failed.
    pub(crate) fn answer(&self, python: &PythonInfo) -> Result<String, Failure> {
        let output = self.inspection(python).output();
        let output = output.map_err(|error| Failure::lacking("cannot start the Python interpreter", &error))?;
        if !output.status.success() {
            return Err(Failure::explained(output.status.code()));
        }
        self.told(&output.stdout).map_err(|error| Failure::lacking("the inspection cannot be understood", &error))
    }

    fn inspection(&self, python: &PythonInfo) -> Process {
        let mut process = Process::new(&python.executable);
        process.args(["-m", "andon.native", "--app-dir"]).arg(&self.app_dir);
        process.args(self.factory.then_some("--factory"));
        let mode = self.native.to_possible_value();
        process.arg("--native").args(mode.iter().map(|value| value.get_name()));
        process.arg("--").arg(&self.target);
        process.stdin(Stdio::null()).stderr(Stdio::inherit());
        process
    }

    fn told(&self, found: &[u8]) -> io::Result<String> {
        let found: Found = serde_json::from_slice(found)?;
        let plan = Plan::compile(found.description).map_err(io::Error::other)?;
        let Found { reason, middleware, middleware_is_native, .. } = found;
        let answer = Answer { reason, middleware, middleware_is_native, summary: plan.summary().clone() };
        if self.json {
            return Ok(serde_json::to_string_pretty(&answer)? + "\n");
        }
        let table = if answer.summary.routes.is_empty() { String::new() } else { answer.summary.to_string() };
        let reason = answer.reason.map(|reason| format!("nothing is served natively: {reason}\n"));
        Ok(table + &under(&answer.middleware, answer.middleware_is_native) + &reason.unwrap_or_default())
    }
}

fn under(middleware: &[String], is_native: bool) -> String {
    if middleware.is_empty() {
        return String::new();
    }
    let native = if is_native { " (native, too)" } else { "" };
    format!("native routes run under {}{native}\n", middleware.join(", "))
}

pub(crate) fn command() -> Command {
    let server = Settings::command();
    let shared = server.get_arguments().filter(|argument| SHARED.contains(&argument.get_id().as_str())).cloned();
    Command::new("andon routes")
        .no_binary_name(true)
        .about("Tell of each route of a FastAPI application whether it is served natively")
        .after_help(
            "The application is imported, but not started: its lifespan is not run, so what is made there is not seen.",
        )
        .args(shared)
        .arg(
            Arg::new("json")
                .long("json")
                .action(ArgAction::SetTrue)
                .help("Write JSON instead of a table")
                .help_heading("Other"),
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(arguments: &[&str]) -> ClapResult<Question> {
        Question::parse(arguments.iter().map(OsString::from).collect())
    }

    fn table(found: &str, json: bool) -> String {
        let question = Question { json, ..parse(&["main:app"]).unwrap() };
        question.told(found.as_bytes()).unwrap()
    }

    #[test]
    fn definitions_are_consistent_and_those_of_the_server() {
        command().debug_assert();
        assert_eq!(command().get_arguments().count(), SHARED.len() + 1);
    }

    #[test]
    fn options_of_the_application_are_understood() {
        let question =
            parse(&["main:app", "--factory", "--app-dir", "src", "--native", "unknown-ok", "--json"]).unwrap();
        let expected = Question {
            target: "main:app".to_owned(),
            factory: true,
            app_dir: "src".into(),
            native: NativeRoutes::UnknownOk,
            json: true,
        };
        assert_eq!(question, expected);
    }

    #[test]
    fn options_that_have_no_meaning_here_are_refused() {
        assert_eq!(parse(&["main:app", "--port", "80"]).unwrap_err().exit_code(), 2);
        assert_eq!(parse(&[]).unwrap_err().exit_code(), 2);
    }

    #[test]
    fn middleware_is_told_that_native_routes_run_under() {
        let found = r#"{"reason": null, "middleware": ["SessionMiddleware", "timed"], "description": {"routes": []}}"#;
        assert_eq!(table(found, false), "native routes run under SessionMiddleware, timed\n");
        let json: serde_json::Value = serde_json::from_str(&table(found, true)).unwrap();
        assert_eq!(json["middleware"][1], "timed");
        assert_eq!(json["middleware_is_native"], false);
    }

    #[test]
    fn middleware_that_is_native_is_told_so() {
        let found = r#"{"reason": null, "middleware": ["GZipMiddleware"], "middleware_is_native": true,
            "description": {"routes": []}}"#;
        assert_eq!(table(found, false), "native routes run under GZipMiddleware (native, too)\n");
        let json: serde_json::Value = serde_json::from_str(&table(found, true)).unwrap();
        assert_eq!(json["middleware_is_native"], true);
    }

    #[test]
    fn application_that_is_not_native_is_told_with_the_reason() {
        let found = r#"{"reason": "`debug` is on", "description": {"routes": [
            {"methods": ["GET"], "path": "/", "serve": {"opaque": "`debug` is on"}}]}}"#;
        let told = table(found, false);
        assert!(
            told.ends_with("0 of 1 routes are native (0 %)\nnothing is served natively: `debug` is on\n"),
            "{told}"
        );
        let json: serde_json::Value = serde_json::from_str(&table(found, true)).unwrap();
        assert_eq!(json["reason"], "`debug` is on");
        assert_eq!(json["routes"][0]["native"], false);
    }
}
