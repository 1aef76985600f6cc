//! The supervisor with real processes: a script speaks the worker's side of the wire.

#![allow(clippy::unwrap_used, reason = "a panic here is a failed test")]

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use andon_config::{Application, Lifespan, LogLevel, LoopKind, NativeRoutes, Seconds};
use andon_link::{QueueSettings, Workers};
use andon_supervisor::{Departure, Progress, StartError, Supervisor, SupervisorSettings};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

/// Longer than any of this takes.
const LONG: Duration = Duration::from_secs(30);

/// A folder in which the workers of one test leave their records.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("andon-supervisor-{}-{number}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    /// Process id and record of each worker so far.
    fn records(&self) -> Vec<(i32, Value)> {
        let files = fs::read_dir(&self.0).unwrap().map(|entry| entry.unwrap().path());
        let records = files.filter(|path| path.extension().is_some_and(|extension| extension == "json"));
        let read = |path: PathBuf| {
            let process = path.file_stem().unwrap().to_str().unwrap().parse().unwrap();
            (process, serde_json::from_slice(&fs::read(path).unwrap()).unwrap())
        };
        records.map(read).collect()
    }

    async fn wait_for_records(&self, count: usize) -> Vec<i32> {
        let enough = async {
            while self.records().len() < count {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(LONG, enough).await.unwrap();
        self.records().into_iter().map(|(process, _)| process).collect()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn settings(target: &str, workers: u16, scratch: &Scratch) -> SupervisorSettings {
    SupervisorSettings {
        python: Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fake_worker.py"),
        workers,
        watched: None,
        application: Application {
            target: target.to_owned(),
            factory: false,
            app_dir: scratch.0.clone(),
            root_path: String::new(),
            lifespan: Lifespan::Auto,
        },
        event_loop: LoopKind::Auto,
        log_level: LogLevel::Info,
        graceful_shutdown: Seconds(Duration::from_secs(30)),
        threads: 1000,
        stall_report_after: Seconds(Duration::from_millis(100)),
        cancel_on_disconnect: false,
        native: NativeRoutes::Auto,
    }
}

fn start_with(settings: SupervisorSettings) -> Supervisor {
    Supervisor::start(settings, Workers::start(QueueSettings::default()).unwrap().workers)
}

fn start(target: &str, workers: u16, scratch: &Scratch) -> Supervisor {
    start_with(settings(target, workers, scratch))
}

async fn serving(supervisor: &mut Supervisor) {
    let progress = tokio::time::timeout(LONG, supervisor.progress()).await.unwrap();
    assert!(matches!(progress, Progress::Serving), "{progress:?}");
}

async fn ended(supervisor: &mut Supervisor) -> Result<(), StartError> {
    tokio::time::timeout(LONG, supervisor.ended()).await.unwrap()
}

fn exists(process: i32) -> bool {
    Path::new(&format!("/proc/{process}")).exists()
}

fn kill(process: i32) {
    kill_process(Pid::from_raw(process).unwrap(), Signal::KILL).unwrap();
}

#[tokio::test]
async fn workers_are_started_and_end_when_they_are_told_to() {
    let scratch = Scratch::new();
    let mut supervisor = start("ready", 2, &scratch);
    serving(&mut supervisor).await;
    let processes = scratch.wait_for_records(2).await;
    assert!(processes.iter().all(|&process| exists(process)));
    supervisor.commands().stop(Duration::from_secs(10));
    ended(&mut supervisor).await.unwrap();
    assert!(!processes.iter().any(|&process| exists(process)));
}

#[tokio::test]
async fn worker_gets_its_own_descriptors_and_no_others() {
    let scratch = Scratch::new();
    let mut supervisor = start("ready", 3, &scratch);
    serving(&mut supervisor).await;
    for (_, record) in scratch.records() {
        assert_eq!(record["arguments"], serde_json::json!(["-m", "andon.worker"]));
        assert!(record["memory_size"].as_u64().unwrap() > 4096);
        let sockets: BTreeSet<String> = serde_json::from_value(record["sockets"].clone()).unwrap();
        assert_eq!(sockets, BTreeSet::from([record["wire"].to_string()]));
    }
    supervisor.commands().stop_now();
    ended(&mut supervisor).await.unwrap();
}

#[tokio::test]
async fn application_that_cannot_be_loaded_ends_the_start() {
    let scratch = Scratch::new();
    let error = ended(&mut start("fail-load", 3, &scratch)).await.unwrap_err();
    assert!(matches!(error, StartError::Load { text } if text.contains("nothing")));
}

#[tokio::test]
async fn failed_startup_ends_the_start() {
    let scratch = Scratch::new();
    let error = ended(&mut start("fail-startup", 1, &scratch)).await.unwrap_err();
    assert!(matches!(error, StartError::Startup { text } if text.contains("database")));
}

#[tokio::test]
async fn process_that_dies_without_a_word_ends_the_start() {
    let scratch = Scratch::new();
    let error = ended(&mut start("die", 1, &scratch)).await.unwrap_err();
    assert!(matches!(error, StartError::Died { seat: 1, how: Departure::Exited(7) }), "{error}");
}

#[tokio::test]
async fn interpreter_that_does_not_exist_ends_the_start() {
    let scratch = Scratch::new();
    let settings = SupervisorSettings { python: "/nonexistent/python".into(), ..settings("ready", 2, &scratch) };
    let error = ended(&mut start_with(settings)).await.unwrap_err();
    assert!(matches!(error, StartError::Spawn { .. }), "{error}");
}

#[tokio::test]
async fn killed_worker_is_replaced() {
    let scratch = Scratch::new();
    let mut supervisor = start("ready", 1, &scratch);
    serving(&mut supervisor).await;
    let first = scratch.wait_for_records(1).await;
    kill(first[0]);
    let both = scratch.wait_for_records(2).await;
    assert!(!exists(first[0]));
    assert!(both.iter().any(|&process| exists(process)));
    supervisor.commands().stop(LONG);
    ended(&mut supervisor).await.unwrap();
}

#[tokio::test]
async fn child_of_a_dead_worker_that_holds_its_wire_does_not_keep_it_from_being_replaced() {
    let scratch = Scratch::new();
    let mut supervisor = start("bequeath", 1, &scratch);
    serving(&mut supervisor).await;
    kill(scratch.wait_for_records(1).await[0]);
    scratch.wait_for_records(2).await;
    supervisor.commands().stop_now();
    ended(&mut supervisor).await.unwrap();
}

#[tokio::test]
async fn stop_now_kills_workers_that_do_not_listen() {
    let scratch = Scratch::new();
    let mut supervisor = start("stubborn", 2, &scratch);
    serving(&mut supervisor).await;
    let processes = scratch.wait_for_records(2).await;
    supervisor.commands().stop_now();
    ended(&mut supervisor).await.unwrap();
    assert!(!processes.iter().any(|&process| exists(process)));
}

#[tokio::test]
async fn reload_replaces_every_worker() {
    let scratch = Scratch::new();
    let mut supervisor = start("ready", 2, &scratch);
    serving(&mut supervisor).await;
    let old = scratch.wait_for_records(2).await;
    supervisor.commands().reload();
    let all = scratch.wait_for_records(4).await;
    let old_are_gone = async {
        while old.iter().any(|&process| exists(process)) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(LONG, old_are_gone).await.unwrap();
    assert_eq!(all.iter().filter(|&&process| exists(process)).count(), 2);
    supervisor.commands().stop(LONG);
    ended(&mut supervisor).await.unwrap();
}

#[tokio::test]
async fn number_of_processes_follows_what_is_wanted() {
    let scratch = Scratch::new();
    let mut supervisor = start("ready", 1, &scratch);
    serving(&mut supervisor).await;
    supervisor.commands().resize(3);
    let processes = scratch.wait_for_records(3).await;
    supervisor.commands().resize(1);
    let one_is_left = async {
        while processes.iter().filter(|&&process| exists(process)).count() > 1 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(LONG, one_is_left).await.unwrap();
    supervisor.commands().stop(LONG);
    ended(&mut supervisor).await.unwrap();
    assert_eq!(scratch.records().len(), 3);
}

#[tokio::test]
async fn code_that_is_mended_under_reload_serves() {
    let scratch = Scratch::new();
    let watched = Some(vec![scratch.0.clone()]);
    let mut supervisor = start_with(SupervisorSettings { watched, ..settings("mend", 1, &scratch) });
    scratch.wait_for_records(1).await;
    fs::write(scratch.0.join("mended.py"), "").unwrap();
    serving(&mut supervisor).await;
    supervisor.commands().stop(LONG);
    ended(&mut supervisor).await.unwrap();
}
