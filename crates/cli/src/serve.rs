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
    pin::pin,
    sync::Arc,
    time::{Duration, Instant},
};

use andon_config::Settings;
use andon_front::{Front, FrontSettings, Listener};
use andon_link::{QueueLimits, Workers};
use andon_observe::AccessLog;
use andon_supervisor::{Commands, Progress, Supervisor, SupervisorSettings};
use tokio::sync::oneshot;

use crate::{
    PythonInfo, descriptors,
    failure::Failure,
    signals::{Order, Signals},
};

/// Tasks that the front runs before it looks for new events of its sockets. Short, so that polling for a lone answer
/// (`--busy-poll`) sees it at once; with many connections the difference was not measurable.
const EVENT_INTERVAL: u32 = 16;

/// Serves until a signal ends it.
pub(crate) fn serve(settings: &Settings, python: PythonInfo) -> Result<(), Failure> {
    descriptors::open_standard_streams().map_err(|error| Failure::lacking("cannot open the null device", &error))?;
    descriptors::raise_limit();
    let listener = andon_front::bind(&settings.binding)?;
    let (access_log, writer) = match settings.logging.access().then(AccessLog::stdout).transpose() {
        Ok(log) => log.unzip(),
        Err(error) => return Err(Failure::lacking("cannot start the access log's thread", &error)),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().event_interval(EVENT_INTERVAL).build();
    let runtime = runtime.map_err(|error| Failure::lacking("cannot start the event loop of the front", &error))?;
    let front = FrontSettings::new(settings, access_log);
    let outcome = runtime.block_on(async { Server::start(settings, front, python)?.run(listener).await });
    // Connections that were given up record their last lines when the runtime drops them.
    drop(runtime);
    drop(writer);
    outcome
}

struct Server<'a> {
    settings: &'a Settings,
    front: Front,
    signals: Signals,
    supervisor: Supervisor,
    commands: Commands,
    workers: u16,
}

impl<'a> Server<'a> {
    fn start(settings: &'a Settings, front: FrontSettings, python: PythonInfo) -> Result<Self, Failure> {
        let signals = Signals::listen().map_err(|error| Failure::lacking("cannot listen to signals", &error))?;
        let concurrency = settings.limits.concurrency.map(|limit| limit as usize);
        let workers = Workers::new(QueueLimits { concurrency });
        let watched = Arc::clone(&workers);
        tokio::spawn(async move { watched.watch().await });
        if let Some(longest) = settings.busy_poll.limit() {
            let polled = Arc::clone(&workers);
            tokio::spawn(async move { polled.busy_poll(longest).await });
        }

        let supervision = SupervisorSettings::new(python.executable, settings);
        let count = supervision.workers;
        let supervisor = Supervisor::start(supervision, Arc::clone(&workers));
        let commands = supervisor.commands();
        Ok(Self { settings, front: Front::new(workers, front), signals, supervisor, commands, workers: count })
    }

    async fn run(mut self, listener: Listener) -> Result<(), Failure> {
        if !self.until_ready().await? {
            return self.stop(Duration::ZERO).await;
        }
        let plural = if self.workers == 1 { "" } else { "s" };
        tracing::info!("listening on http://{} with {} worker{plural}", listener.address, self.workers);
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

/// A second signal: kills the workers.
async fn interrupt(supervisor: &mut Supervisor, commands: &Commands, signal: i32) -> Failure {
    tracing::warn!("a second signal: all workers are killed");
    commands.stop_now();
    let _ = supervisor.ended().await;
    Failure::interrupted(signal)
}
