//! From arguments to [`Settings`], or to an answer that needs no server.

use std::{ffi::OsString, io::Write};

use andon_config::Settings;
use clap::{Arg, Command, CommandFactory, FromArgMatches, error::Result, value_parser};
use clap_complete::Shell;

use crate::routes;

/// What is to be done.
#[derive(Debug)]
pub(crate) enum Invocation {
    /// Serve an application.
    Serve(Box<Settings>),
    /// Tell how the routes of an application are served.
    Routes(routes::Question),
    /// Nothing more: help, version or completions were written, or a usage error. The exit code.
    Done(i32),
}

/// Everything that can be said on the command line.
pub(crate) fn command() -> Command {
    Settings::command().no_binary_name(true).arg(completions())
}

fn completions() -> Arg {
    Arg::new("completions")
        .long("completions")
        .value_name("SHELL")
        .help("Write the completions for a shell to standard output, and do nothing else")
        .value_parser(value_parser!(Shell))
        .help_heading("Other")
        .exclusive(true)
}

/// Reads the arguments (without the name of the program) and the environment. Writes what clap has to say.
pub(crate) fn parse(arguments: Vec<OsString>) -> Invocation {
    let invocation = if arguments.first().is_some_and(|argument| argument == routes::NAME) {
        routes::Question::parse(arguments.into_iter().skip(1).collect()).map(Invocation::Routes)
    } else {
        let served = |settings| Invocation::Serve(Box::new(settings));
        settings(arguments).map(|settings| settings.map_or(Invocation::Done(0), served))
    };
    match invocation {
        Ok(invocation) => invocation,
        Err(error) => {
            // A closed standard error is no reason for another exit code.
            let _ = error.print();
            Invocation::Done(error.exit_code())
        }
    }
}

fn settings(arguments: Vec<OsString>) -> Result<Option<Settings>> {
    if arguments.first().is_some_and(|argument| argument == "--completions") {
        write_completions(arguments)?;
        return Ok(None);
    }
    let matches = command().try_get_matches_from(arguments)?;
    let settings = Settings::from_arg_matches(&matches)?;
    settings.check()?;
    Ok(Some(settings))
}

/// Parsed by itself: with the other options there, those that the environment sets would be in its way.
fn write_completions(arguments: Vec<OsString>) -> Result<()> {
    let alone = Command::new("andon").no_binary_name(true).arg(completions());
    let matches = alone.try_get_matches_from(arguments)?;
    if let Some(&shell) = matches.get_one::<Shell>("completions") {
        // A reader that has read enough is no error.
        let _ = std::io::stdout().write_all(&script_of(shell));
    }
    Ok(())
}

/// The completions for a shell, also of what is asked by `andon routes`.
fn script_of(shell: Shell) -> Vec<u8> {
    let question = routes::command().name(routes::NAME).no_binary_name(false);
    let mut whole = command().disable_help_subcommand(true).subcommand(question);
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut whole, "andon", &mut script);
    script
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings_of(arguments: &[&str]) -> Result<Option<Settings>> {
        settings(arguments.iter().map(OsString::from).collect())
    }

    #[test]
    fn definitions_are_consistent() {
        command().debug_assert();
    }

    #[test]
    fn application_alone_is_enough() {
        let settings = settings_of(&["main:app"]).unwrap().unwrap();
        assert_eq!(settings.application.target, "main:app");
    }

    #[test]
    fn negated_switches_are_understood() {
        let settings = settings_of(&["main:app", "--no-access-log", "--no-server-header"]).unwrap().unwrap();
        assert!(!settings.logging.access());
        assert!(!settings.fields.server());
        assert!(settings.fields.date());
    }

    #[test]
    fn missing_application_is_a_usage_error() {
        assert_eq!(settings_of(&[]).unwrap_err().exit_code(), 2);
    }

    #[test]
    fn options_that_contradict_each_other_are_a_usage_error() {
        let error = settings_of(&["main:app", "--workers", "4", "--max-workers", "2"]).unwrap_err();
        assert_eq!(error.exit_code(), 2);
    }

    #[test]
    fn unknown_option_is_a_usage_error() {
        assert_eq!(settings_of(&["main:app", "--frobnicate"]).unwrap_err().exit_code(), 2);
    }

    #[test]
    fn help_is_no_error() {
        assert_eq!(settings_of(&["--help"]).unwrap_err().exit_code(), 0);
    }

    #[test]
    fn completions_know_the_question_for_routes() {
        let script = String::from_utf8(script_of(Shell::Bash)).unwrap();
        assert!(script.contains("andon,routes"));
        assert!(script.contains("--json"));
    }

    #[test]
    fn completions_need_no_application() {
        assert!(settings_of(&["--completions", "bash"]).unwrap().is_none());
        assert_eq!(settings_of(&["--completions", "tcsh"]).unwrap_err().exit_code(), 2);
    }
}
