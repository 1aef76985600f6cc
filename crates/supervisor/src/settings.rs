//! What the supervisor has to know, and what it tells each worker.

use std::{
    ops::RangeInclusive,
    os::fd::RawFd,
    path::{Path, PathBuf},
};

use andon_config::{Application, Lifespan, LogLevel, LoopKind, NativeRoutes, Seconds, Settings};
use serde::Serialize;

use crate::processors;

/// What is to be run, and by how many.
#[derive(Debug, Clone)]
pub struct SupervisorSettings {
    /// The Python interpreter; it is started as `<python> -m andon.worker`.
    pub python: PathBuf,
    /// Worker processes to start with, at least one.
    pub workers: u16,
    /// Directories to watch for changes of Python files; `None` without `--reload`.
    pub watched: Option<Vec<PathBuf>>,
    /// The application and how to find it.
    pub application: Application,
    /// Which event loop the workers run.
    pub event_loop: LoopKind,
    /// The least severe messages that the workers log.
    pub log_level: LogLevel,
    /// How long exchanges of a retired worker may take to end.
    pub graceful_shutdown: Seconds,
    /// Threads of a worker for blocking calls.
    pub threads: u32,
    /// How long an event loop must be held for the worker to tell why.
    pub stall_report_after: Seconds,
    /// Whether the task of a request whose client has gone is cancelled.
    pub cancel_on_disconnect: bool,
    /// Whether the workers serve routes natively.
    pub native: NativeRoutes,
}

impl SupervisorSettings {
    /// As the options say. The number of workers at the start is the smallest of [`worker_range`].
    pub fn new(python: PathBuf, options: &Settings) -> Self {
        Self {
            python,
            workers: *worker_range(options).start(),
            watched: watched_directories(options),
            application: options.application.clone(),
            event_loop: options.workers.event_loop,
            log_level: options.logging.level,
            graceful_shutdown: options.timeouts.graceful_shutdown,
            threads: options.workers.threads,
            stall_report_after: options.dispatch.stall_report_after,
            cancel_on_disconnect: options.requests.cancel_on_disconnect,
            native: options.workers.native,
        }
    }

    /// What worker `number` is told.
    pub(crate) fn describe(&self, number: u32, wire: RawFd, memory: RawFd) -> WorkerDescription<'_> {
        WorkerDescription {
            wire,
            memory,
            number,
            target: &self.application.target,
            factory: self.application.factory,
            app_dir: &self.application.app_dir,
            root_path: &self.application.root_path,
            lifespan: self.application.lifespan,
            event_loop: self.event_loop,
            log_level: self.log_level,
            graceful_shutdown: self.graceful_shutdown.0.as_secs_f64(),
            threads: self.threads,
            stall_report: self.stall_report_after.0.as_secs_f64(),
            cancel_on_disconnect: self.cancel_on_disconnect,
            native: self.native,
        }
    }
}

/// The smallest and the largest number of workers that the options ask for. Processors are those granted to this
/// process: its affinity and the quota of its cgroup are counted.
pub fn worker_range(options: &Settings) -> RangeInclusive<u16> {
    options.workers.range(processors::granted())
}

fn watched_directories(options: &Settings) -> Option<Vec<PathBuf>> {
    let reload = &options.reload;
    reload.enabled.then(|| match reload.directories.as_slice() {
        [] => vec![options.application.app_dir.clone()],
        directories => directories.to_vec(),
    })
}

/// The value of `ANDON_WORKER` in a worker's environment, as JSON.
#[derive(Debug, Serialize)]
pub(crate) struct WorkerDescription<'a> {
    /// Descriptor of the worker's end of its socket.
    wire: RawFd,
    /// Descriptor of its shared memory.
    memory: RawFd,
    number: u32,
    target: &'a str,
    factory: bool,
    app_dir: &'a Path,
    root_path: &'a str,
    lifespan: Lifespan,
    #[serde(rename = "loop")]
    event_loop: LoopKind,
    log_level: LogLevel,
    /// In seconds.
    graceful_shutdown: f64,
    threads: u32,
    /// In seconds.
    stall_report: f64,
    cancel_on_disconnect: bool,
    native: NativeRoutes,
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn worker_is_told_everything_as_json() {
        let settings = SupervisorSettings {
            python: "python3".into(),
            workers: 1,
            watched: None,
            application: Application {
                target: "main:app".to_owned(),
                factory: false,
                app_dir: ".".into(),
                root_path: String::new(),
                lifespan: Lifespan::Auto,
            },
            event_loop: LoopKind::Auto,
            log_level: LogLevel::Info,
            graceful_shutdown: Seconds(Duration::from_secs(30)),
            threads: 1000,
            stall_report_after: Seconds(Duration::from_millis(100)),
            cancel_on_disconnect: false,
            native: NativeRoutes::UnknownOk,
        };
        let told = serde_json::to_value(settings.describe(1, 3, 4)).unwrap();
        let expected = serde_json::json!({
            "wire": 3, "memory": 4, "number": 1, "target": "main:app", "factory": false, "app_dir": ".",
            "root_path": "", "lifespan": "auto", "loop": "auto", "log_level": "info", "graceful_shutdown": 30.0,
            "threads": 1000, "stall_report": 0.1, "cancel_on_disconnect": false, "native": "unknown-ok",
        });
        assert_eq!(told, expected);
    }
}
