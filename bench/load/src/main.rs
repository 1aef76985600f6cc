//! `andon-load`: the load client of Andon's bench.
//!
//! `bench/client.py` runs it and reads the JSON that it prints on standard output. It has three subcommands: `rate`
//! (open loop at a constant rate), `websocket` (closed echo loops) and `idle` (connections that only stay open).
//! Whatever it is asked, it talks to loopback addresses only and stops by itself: every count and every duration has
//! an upper bound that is checked before the first connection is opened.

mod connection;
mod fault;
mod http;
mod idle;
mod latency;
mod options;
mod rate;
mod schedule;
mod tally;
mod target;
mod websocket;

use std::process::ExitCode;

use clap::Parser;
use options::{Command, Options};

fn main() -> ExitCode {
    match run(Options::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("andon-load: {message}");
            ExitCode::FAILURE
        }
    }
}

/// One thread runs all connections, so that the client takes at most one processor from the server it measures.
fn run(command: Command) -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| format!("cannot start the runtime: {error}"))?;
    let result = runtime.block_on(async {
        match command {
            Command::Rate(options) => print_json(&rate::run(options).await?),
            Command::Websocket(options) => print_json(&websocket::run(options).await),
            Command::Idle(options) => idle::run(options).await,
        }
    });
    // A thread that still waits for standard input must not keep the process alive past its bound.
    runtime.shutdown_background();
    result
}

/// Prints one JSON document on one line.
pub(crate) fn print_json<T: serde::Serialize>(report: &T) -> Result<(), String> {
    let text = serde_json::to_string(report).map_err(|error| error.to_string())?;
    println!("{text}");
    Ok(())
}
