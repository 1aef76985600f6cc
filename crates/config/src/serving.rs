//! What is served, where, by how many workers, and what is told about it.

use std::path::PathBuf;

use clap::{ArgAction, Args, CommandFactory, Parser, ValueEnum, error::ErrorKind};
use serde::Serialize;

use crate::{DispatchOptions, Limits, QueueOptions, RequestOptions, Timeouts, WebSocketOptions, WorkerOptions};

/// Everything that `andon` can be told.
#[derive(Debug, Clone, Parser)]
#[command(
    name = "andon",
    version,
    about = "Serve a FastAPI or any other ASGI application",
    long_about = "Serve a FastAPI or any other ASGI application: one Rust front that owns every connection, and \
                  Python workers that are each given only what they can start now.",
    after_help = "Every option can be set as an environment variable: --limit-request-body as \
                  ANDON_LIMIT_REQUEST_BODY. The command line wins.\n\n`andon routes APP` tells of each route of a \
                  FastAPI application whether it is served natively, and why not."
)]
pub struct Settings {
    /// What is served.
    #[command(flatten)]
    pub application: Application,
    /// Where it listens.
    #[command(flatten)]
    pub binding: Binding,

    /// The processes that run the application.
    #[command(flatten)]
    pub workers: WorkerOptions,
    /// Which of them gets a request.
    #[command(flatten)]
    pub dispatch: DispatchOptions,
    /// Requests for which none is free.
    #[command(flatten)]
    pub queue: QueueOptions,
    /// What holds for every request.
    #[command(flatten)]
    pub requests: RequestOptions,

    /// When code changes.
    #[command(flatten)]
    pub reload: Reload,
    /// What is written about it.
    #[command(flatten)]
    pub logging: Logging,
    /// Response header fields of the server's own.
    #[command(flatten)]
    pub fields: ResponseFields,
    /// Bounds on time.
    #[command(flatten)]
    pub timeouts: Timeouts,
    /// Bounds on size and number.
    #[command(flatten)]
    pub limits: Limits,
    /// WebSockets.
    #[command(flatten)]
    pub websocket: WebSocketOptions,
}

impl Settings {
    /// Refuses options that contradict each other, as clap does with what is wrong by itself.
    pub fn check(&self) -> Result<(), clap::Error> {
        match (self.workers.least, self.workers.most) {
            (Some(least), Some(most)) if most < least => {
                let text = format!("--max-workers {most} is less than --workers {least}");
                Err(Settings::command().error(ErrorKind::ValueValidation, text))
            }
            _ => Ok(()),
        }
    }
}

/// The application and how to find it.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Application")]
pub struct Application {
    /// The application as `module:attribute`, such as `main:app`
    #[arg(env = "ANDON_APP", value_name = "APP")]
    pub target: String,

    /// The attribute is a callable without arguments that returns the application
    #[arg(long, env = "ANDON_FACTORY", action = ArgAction::SetTrue)]
    pub factory: bool,

    /// Directory in which the module is looked for first
    #[arg(long, env = "ANDON_APP_DIR", value_name = "DIRECTORY", default_value = ".")]
    pub app_dir: PathBuf,

    /// Path under which a proxy makes the application reachable (`root_path` of the scope)
    #[arg(long, env = "ANDON_ROOT_PATH", value_name = "PATH", default_value = "")]
    pub root_path: String,

    /// Whether the application's lifespan is run; `auto` goes on without it where the application has none
    #[arg(long, env = "ANDON_LIFESPAN", value_enum, default_value_t)]
    pub lifespan: Lifespan,
}

/// Where the front listens.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Binding")]
pub struct Binding {
    /// Address to listen on
    #[arg(long, env = "ANDON_HOST", value_name = "ADDRESS", default_value = "127.0.0.1")]
    pub host: String,

    /// TCP port to listen on; 0 takes a free one
    #[arg(long, short = 'p', env = "ANDON_PORT", default_value_t = 8000)]
    pub port: u16,

    /// Connections that the kernel keeps while they wait to be accepted
    #[arg(long, env = "ANDON_BACKLOG", value_name = "CONNECTIONS", default_value_t = 2048, value_parser = clap::value_parser!(u32).range(1..=65_535))]
    pub backlog: u32,
}

/// Starting anew when files change, for development.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Development")]
pub struct Reload {
    /// Start the workers anew when a Python file changes
    #[arg(long = "reload", env = "ANDON_RELOAD", action = ArgAction::SetTrue)]
    pub enabled: bool,

    /// Directory to watch, with all below it; may be given more than once. By default the one of --app-dir
    #[arg(long = "reload-dir", env = "ANDON_RELOAD_DIR", value_name = "DIRECTORY", value_delimiter = ',')]
    pub directories: Vec<PathBuf>,
}

/// Logs.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Logging")]
pub struct Logging {
    /// Least severe messages to write to standard error
    #[arg(long = "log-level", env = "ANDON_LOG_LEVEL", value_enum, default_value_t, value_name = "LEVEL")]
    pub level: LogLevel,

    /// How messages and the access log are written: lines for people, or an object of JSON in each line
    #[arg(long = "log-format", env = "ANDON_LOG_FORMAT", value_enum, default_value_t, value_name = "FORMAT")]
    pub format: LogFormat,

    /// Write a line for each answer to standard output (`--no-access-log`: do not)
    #[arg(long = "access-log", env = "ANDON_ACCESS_LOG", default_value_t = true, num_args = 0..=1, default_missing_value = "true", action = ArgAction::Set, value_name = "BOOL", overrides_with = "no_access_log")]
    access_log: bool,

    #[arg(long = "no-access-log", hide = true, overrides_with = "access_log")]
    no_access_log: bool,
}

impl Logging {
    /// Whether a line is written for each answer.
    pub fn access(&self) -> bool {
        self.access_log && !self.no_access_log
    }
}

/// Header fields that the front adds to answers which do not have them.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Answers")]
pub struct ResponseFields {
    /// Send `Server: andon` (`--no-server-header`: do not)
    #[arg(long = "server-header", env = "ANDON_SERVER_HEADER", default_value_t = true, num_args = 0..=1, default_missing_value = "true", action = ArgAction::Set, value_name = "BOOL", overrides_with = "no_server_header")]
    server_header: bool,

    #[arg(long = "no-server-header", hide = true, overrides_with = "server_header")]
    no_server_header: bool,

    /// Send `Date` (`--no-date-header`: do not)
    #[arg(long = "date-header", env = "ANDON_DATE_HEADER", default_value_t = true, num_args = 0..=1, default_missing_value = "true", action = ArgAction::Set, value_name = "BOOL", overrides_with = "no_date_header")]
    date_header: bool,

    #[arg(long = "no-date-header", hide = true, overrides_with = "date_header")]
    no_date_header: bool,
}

impl ResponseFields {
    /// Whether `Server` is sent.
    pub fn server(&self) -> bool {
        self.server_header && !self.no_server_header
    }

    /// Whether `Date` is sent.
    pub fn date(&self) -> bool {
        self.date_header && !self.no_date_header
    }
}

/// Whether the lifespan protocol is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Lifespan {
    /// Run it; an application that raises on it has none.
    #[default]
    Auto,
    /// Run it; an exception is a failed start.
    On,
    /// Do not run it.
    Off,
}

/// Severity of log messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LogLevel {
    /// Only what ends the server.
    Critical,
    /// What failed.
    Error,
    /// What may become a failure.
    Warning,
    /// What an operator wants to know.
    #[default]
    Info,
    /// What a developer of the application wants to know.
    Debug,
    /// Everything.
    Trace,
}

/// How logs are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// For programs.
    Json,
}
