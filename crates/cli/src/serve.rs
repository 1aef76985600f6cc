//! The life of the server: bind, start, serve, drain, stop.
//!
//! ```text
//!   starting --- workers ready ---> serving --- SIGTERM, SIGINT ---> draining --- requests ended ---> stopping
//!       '------------ SIGTERM, SIGINT ------------------------------------------------------------------^ |
//!   a second SIGTERM or SIGINT at any time: all workers are killed                                        v end
//! ```
//! The socket listens from the first moment on, so clients that come before the workers are ready wait in the
//! kernel's backlog instead of being refused.

use std::{
    ops::RangeInclusive,
    pin::pin,
    sync::Arc,
    time::{Duration, Instant},
};

use andon_config::{RouteRules, Settings};
use andon_front::{Front, FrontSettings, Listener};
use andon_link::{Started, Workers};
use andon_observe::AccessLog;
use andon_supervisor::{Commands, Progress, Supervisor, SupervisorSettings, worker_range};
use tokio::sync::oneshot;

use crate::{
    PythonInfo, background, descriptors,
    failure::Failure,
    profiles::ProfileFile,
    queue,
    signals::{Order, Signals},
};

/// Tasks that the front runs before it looks for new events of its sockets. Short, so that polling for a lone answer
/// (`--busy-poll`) sees it at once; with many connections the difference was not measurable.
const EVENT_INTERVAL: u32 = 16;

/// Serves until a signal ends it.
pub(crate) fn serve(settings: &Settings, python: PythonInfo) -> Result<(), Failure> {
    descriptors::open_standard_streams().map_err(|error| Failure::lacking("cannot open the null device", &error))?;
    descriptors::raise_limit();
    let (started, profiles) = start_queue(settings)?;
    let workers = Arc::clone(&started.workers);
    let listener = andon_front::bind(&settings.binding)?;
    let format = settings.logging.format;
    let (access_log, writer) = match settings.logging.access().then(|| AccessLog::stdout(format)).transpose() {
        Ok(log) => log.unzip(),
        Err(error) => return Err(Failure::lacking("cannot start the access log's thread", &error)),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().event_interval(EVENT_INTERVAL).build();
    let runtime = runtime.map_err(|error| Failure::lacking("cannot start the event loop of the front", &error))?;
    let front = FrontSettings::new(settings, access_log);
    let outcome = runtime.block_on(async {
        if let Some(file) = profiles.clone() {
            tokio::spawn(background::save_profiles(file, Arc::clone(&workers)));
        }
        Server::start(settings, front, started, python)?.run(listener).await
    });
    // Connections that were given up record their last lines when the runtime drops them.
    drop(runtime);
    drop(writer);
    workers.flush_trace();
    if let Some(file) = profiles {
        file.save(workers.profiles());
    }
    outcome
}

/// The queue without a worker yet, and the file in which what it learns is kept.
fn start_queue(settings: &Settings) -> Result<(Started, Option<Arc<ProfileFile>>), Failure> {
    let rules = RouteRules::read(&settings.dispatch, &settings.application.app_dir)?;
    let profiles = settings.dispatch.state_dir.as_deref().map(ProfileFile::open).transpose();
    let profiles = profiles.map_err(|error| Failure::lacking("cannot use the directory of --state-dir", &error))?;
    let learned = profiles.as_ref().map(ProfileFile::earlier).unwrap_or_default();
    let queue = queue::settings(settings, &worker_range(settings), rules, learned);
    let started = Workers::start(queue);
    let started = started.map_err(|error| Failure::lacking("cannot write the file of --dispatch-trace", &error))?;
    Ok((started, profiles.map(Arc::new)))
}

struct Server<'a> {
    settings: &'a Settings,
    front: Front,
    signals: Signals,
    supervisor: Supervisor,
    commands: Commands,
}

impl<'a> Server<'a> {
    fn start(
        settings: &'a Settings,
        front: FrontSettings,
        Started { workers, stalls }: Started,
        python: PythonInfo,
    ) -> Result<Self, Failure> {
        let signals = Signals::listen().map_err(|error| Failure::lacking("cannot listen to signals", &error))?;
        tokio::spawn(background::log_stalls(stalls, settings.logging.format));
        let watched = Arc::clone(&workers);
        tokio::spawn(async move { watched.watch().await });
        if let Some(longest) = settings.workers.busy_poll.limit() {
            let polled = Arc::clone(&workers);
            tokio::spawn(async move { polled.busy_poll(longest).await });
        }

        let supervision = SupervisorSettings::new(python.executable, settings);
        let supervisor = Supervisor::start(supervision, Arc::clone(&workers));
        let commands = supervisor.commands();
        tokio::spawn(background::resize(Arc::clone(&workers), supervisor.commands()));
        Ok(Self { settings, front: Front::new(workers, front), signals, supervisor, commands })
    }

    async fn run(mut self, listener: Listener) -> Result<(), Failure> {
        if !self.until_ready().await? {
            return self.stop(Duration::ZERO).await;
        }
        let workers = in_words(worker_range(self.settings));
        tracing::info!("listening on http://{} with {workers}", listener.address);
        let left = self.until_drained(listener).await?;
        self.stop(left).await
    }

    /// Whether the workers became ready; not so if a signal came before.
    async fn until_ready(&mut self) -> Result<bool, Failure> {
        loop {
            tokio::select! {
                progress = self.supervisor.progress() => {
                    let Progress::Ended(outcome) = progress else {
                        return Ok(true);
                    };
                    let target = &self.settings.application.target;
                    return outcome.map(|()| false).map_err(|error| Failure::not_started(target, &error));
                }
                order = self.signals.next() => match order {
                    Order::Reload => self.commands.reload(),
                    Order::Stop(_) => return Ok(false),
                },
            }
        }
    }

    /// Serves until a signal comes and the requests under way have ended; returns what is left of the graceful time.
    async fn until_drained(&mut self, listener: Listener) -> Result<Duration, Failure> {
        let (drain, draining) = oneshot::channel::<()>();
        let mut drain = Some(drain);
        let mut began = Instant::now();
        let graceful = self.settings.timeouts.graceful_shutdown.0;
        let mut serving = pin!(self.front.serve(listener.socket, async { draining.await.unwrap_or_default() }));
        loop {
            let order = tokio::select! {
                served = &mut serving => {
                    let served = served.map_err(|error| Failure::lacking("cannot serve the socket", &error))?;
                    if served.cut > 0 {
                        tracing::warn!("{} connections were cut: the graceful time was over", served.cut);
                    }
                    return Ok(graceful.saturating_sub(began.elapsed()));
                }
                order = self.signals.next() => order,
            };
            match (order, drain.take()) {
                (Order::Reload, kept) => {
                    drain = kept;
                    if drain.is_some() {
                        self.commands.reload();
                    }
                }
                (Order::Stop(_), Some(drain)) => {
                    tracing::info!("stopping; requests under way have {} s to end", graceful.as_secs_f64());
                    began = Instant::now();
                    // The front holds the other end until it has drained.
                    let _ = drain.send(());
                }
                (Order::Stop(signal), None) => {
                    return Err(interrupt(&mut self.supervisor, &self.commands, signal).await);
                }
            }
        }
    }

    /// Ends the workers; their lifespan shutdowns may take `within`.
    async fn stop(mut self, within: Duration) -> Result<(), Failure> {
        self.commands.stop(within);
        loop {
            tokio::select! {
                // It was told to end: how the start would have gone is of no interest any more.
                _ = self.supervisor.ended() => {
                    tracing::info!("stopped");
                    return Ok(());
                }
                order = self.signals.next() => if let Order::Stop(signal) = order {
                    return Err(interrupt(&mut self.supervisor, &self.commands, signal).await);
                },
            }
        }
    }
}

fn in_words(workers: RangeInclusive<u16>) -> String {
    match workers.into_inner() {
        (1, 1) => "1 worker".to_owned(),
        (least, most) if least == most => format!("{least} workers"),
        (least, most) => format!("{least} to {most} workers"),
    }
}

/// A second signal: kills the workers.
async fn interrupt(supervisor: &mut Supervisor, commands: &Commands, signal: i32) -> Failure {
    tracing::warn!("a second signal: all workers are killed");
    commands.stop_now();
    let _ = supervisor.ended().await;
    Failure::interrupted(signal)
}
