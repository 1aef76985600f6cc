//! The reference page of all options, made from their definitions.

use std::fmt::Write;

use clap::Arg;

use crate::command::command;

const HEAD: &str = "\
# Options

<!-- Made from the options' definitions by `make options`. Do not edit. -->

Each option can be given on the command line or as an environment variable; the command line wins. Durations are in
seconds and may have a fraction. `andon --help` says the same in the terminal, and `andon --completions bash` (or
`zsh`, `fish`) writes completions for a shell.
";

/// The page `docs/options.md`, as Markdown.
pub fn options_reference() -> String {
    let command = command();
    let mut headings: Vec<&str> = Vec::new();
    for argument in command.get_arguments().filter(|argument| is_shown(argument)) {
        if !headings.contains(&heading(argument)) {
            headings.push(heading(argument));
        }
    }
    let mut page = HEAD.to_owned();
    for name in headings {
        page += &format!("\n## {name}\n\n| option | environment | default | meaning |\n|---|---|---|---|\n");
        let rows = command.get_arguments().filter(|argument| is_shown(argument) && heading(argument) == name);
        rows.for_each(|argument| page += &row(argument));
    }
    page
}

fn is_shown(argument: &Arg) -> bool {
    !argument.is_hide_set()
}

fn heading(argument: &Arg) -> &str {
    argument.get_help_heading().unwrap_or("Other")
}

fn row(argument: &Arg) -> String {
    let environment = argument.get_env().map(|name| code(&name.to_string_lossy())).unwrap_or_default();
    let defaults = argument.get_default_values().iter();
    let default = defaults.map(|value| value.to_string_lossy()).collect::<Vec<_>>().join(",");
    let default = if default.is_empty() { default } else { code(&default) };
    format!("| {} | {environment} | {default} | {} |\n", spelling(argument), meaning(argument))
}

/// `-w`, `--workers N` or, for what is given by its place, `APP`.
fn spelling(argument: &Arg) -> String {
    let value = match argument.get_value_names() {
        Some([name, ..]) if argument.get_action().takes_values() => name.as_str(),
        _ => "",
    };
    let Some(long) = argument.get_long() else {
        return code(value);
    };
    let long = code(format!("--{long} {value}").trim_end());
    argument.get_short().map_or(long.clone(), |short| format!("`-{short}`, {long}"))
}

fn meaning(argument: &Arg) -> String {
    let mut meaning = argument.get_help().map(ToString::to_string).unwrap_or_default().replace('|', "\\|");
    let values: Vec<_> = argument.get_possible_values();
    let is_switch = values.iter().all(|value| matches!(value.get_name(), "true" | "false"));
    if !values.is_empty() && !is_switch {
        let names: Vec<String> = values.iter().map(|value| code(value.get_name())).collect();
        // Writing to a string cannot fail.
        let _ = write!(meaning, ". One of {}", names.join(", "));
    }
    meaning
}

fn code(text: &str) -> String {
    format!("`{text}`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn page_in_the_documentation_is_up_to_date() {
        let page = include_str!("../../../docs/options.md");
        assert!(page == options_reference(), "docs/options.md differs from the options: run `make options`");
    }

    #[test]
    fn every_option_has_an_environment_variable_and_a_meaning() {
        for argument in command().get_arguments().filter(|argument| is_shown(argument)) {
            assert!(argument.get_help().is_some(), "{}", argument.get_id());
            assert!(argument.get_env().is_some() || argument.is_exclusive_set(), "{}", argument.get_id());
        }
    }
}
