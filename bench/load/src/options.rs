//! The command line, with the bounds of everything that could make a run large or endless.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};

use crate::target::Target;

const MAX_SECONDS: f64 = 3600.0;
const MAX_RATE: f64 = 100_000.0;
const MAX_CONNECTIONS: i64 = 60_000;
/// Latencies are kept one by one, so this bounds memory (80 MB) as well as time.
pub const MAX_REQUESTS: u64 = 10_000_000;

/// Load client of Andon's bench. Sends to loopback addresses only; prints JSON.
#[derive(Debug, Parser)]
pub struct Options {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Send requests at a constant rate, whatever the server does; latency counts from when a request was due.
    Rate(RateOptions),
    /// Echo messages over WebSocket connections, each sending the next one when the last has come back.
    Websocket(WebsocketOptions),
    /// Open connections, do one request on each, and hold them until standard input ends.
    Idle(IdleOptions),
}

#[derive(Args, Clone, Debug)]
pub struct RateOptions {
    /// For example http://127.0.0.1:8000/path
    pub target: Target,
    /// Requests per second.
    #[arg(long, value_parser = rate)]
    pub rate: f64,
    /// Seconds during which requests become due.
    #[arg(long, value_parser = seconds)]
    pub duration: Duration,
    /// Stop after so many requests, even before the duration is over.
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=MAX_REQUESTS))]
    pub requests: Option<u64>,
    /// Number of kept-alive connections.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=MAX_CONNECTIONS))]
    pub connections: u32,
    /// Open a new connection for each request; --connections then bounds how many are open at once.
    #[arg(long)]
    pub new_connections: bool,
    /// Do one request on each kept-alive connection, one after the other, before the clock starts.
    #[arg(long, conflicts_with = "new_connections")]
    pub prime: bool,
    /// Seconds after a request was due at which it counts as hung.
    #[arg(long, default_value = "30", value_parser = seconds)]
    pub timeout: Duration,
    #[arg(long, default_value = "GET", value_parser = ["GET", "POST", "PUT", "PATCH", "DELETE"])]
    pub method: String,
    /// A header line, `name: value`; may be given several times.
    #[arg(long = "header", value_parser = header)]
    pub headers: Vec<String>,
    /// File with the body of each request.
    #[arg(long)]
    pub body_file: Option<PathBuf>,
    /// Count answers by the value of this response header.
    #[arg(long)]
    pub count_header: Option<String>,
    /// Count answers by the value of this top-level field of a JSON body.
    #[arg(long)]
    pub count_json: Option<String>,
    /// Report latencies by due time too, in intervals of so many seconds.
    #[arg(long, value_parser = seconds)]
    pub interval: Option<Duration>,
}

#[derive(Args, Clone, Debug)]
pub struct WebsocketOptions {
    /// For example ws://127.0.0.1:8000/path
    pub target: Target,
    #[arg(long, default_value_t = 32, value_parser = clap::value_parser!(u32).range(1..=MAX_CONNECTIONS))]
    pub connections: u32,
    /// Bytes in each message.
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..=1 << 20))]
    pub size: u32,
    /// Seconds for which messages are sent.
    #[arg(long, value_parser = seconds)]
    pub duration: Duration,
    /// Seconds without an echo, or without a handshake, that count as a failure.
    #[arg(long, default_value = "10", value_parser = seconds)]
    pub timeout: Duration,
}

#[derive(Args, Clone, Debug)]
pub struct IdleOptions {
    /// The request that is done once on each connection, for example http://127.0.0.1:8000/path
    pub target: Target,
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=MAX_CONNECTIONS))]
    pub connections: u32,
    /// How many connections are opened at the same time.
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..=1024))]
    pub opening: u32,
    /// Seconds in which one connection has to be opened and answered.
    #[arg(long, default_value = "30", value_parser = seconds)]
    pub timeout: Duration,
    /// Seconds after which the connections are closed even if standard input is still open.
    #[arg(long, default_value = "300", value_parser = seconds)]
    pub hold_at_most: Duration,
}

fn seconds(text: &str) -> Result<Duration, String> {
    bounded(text, MAX_SECONDS).map(Duration::from_secs_f64)
}

fn rate(text: &str) -> Result<f64, String> {
    bounded(text, MAX_RATE)
}

fn bounded(text: &str, maximum: f64) -> Result<f64, String> {
    let value: f64 = text.parse().map_err(|_| format!("`{text}` is not a number"))?;
    if value > 0.0 && value <= maximum { Ok(value) } else { Err(format!("must be above 0 and at most {maximum}")) }
}

fn header(line: &str) -> Result<String, String> {
    let clean = !line.bytes().any(|byte| byte.is_ascii_control());
    if clean && line.contains(": ") { Ok(line.to_owned()) } else { Err("must look like `name: value`".to_owned()) }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Options::command().debug_assert();
    }

    #[test]
    fn endless_and_empty_runs_are_refused() {
        for text in ["0", "-1", "3601", "inf", "NaN", "x"] {
            assert!(seconds(text).is_err(), "{text}");
        }
        assert_eq!(seconds("0.25"), Ok(Duration::from_millis(250)));
    }

    #[test]
    fn a_header_is_one_line() {
        assert!(header("a: b").is_ok());
        assert!(header("a: b\r\nc: d").is_err());
        assert!(header("a").is_err());
    }
}
