//! The driver: carries out what the fleet decides, and tells it what has happened.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use andon_link::{WorkerId, Workers};
use tokio::{
    sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
    time::{Instant, sleep_until},
};

use crate::{
    StartError, SupervisorSettings,
    fleet::{Action, Event, Fleet, FleetSettings, MemberId},
    process::{self, Handle},
    report::{self, Name},
    watch,
};

/// The way to tell the supervisor something.
#[derive(Debug, Clone)]
pub struct Commands(UnboundedSender<Event>);

impl Commands {
    /// Replaces all workers by a new generation, without a gap.
    pub fn reload(&self) {
        self.send(Event::Reload);
    }

    /// So many workers are wanted from now on, at least one. More are started; those too many end what they have and go.
    pub fn resize(&self, workers: usize) {
        self.send(Event::Resize(u32::try_from(workers).unwrap_or(u32::MAX).max(1)));
    }

    /// Ends all workers, and with the last one the supervisor. What they still have (work after an answer), and then
    /// their lifespan shutdowns, may take `within` together; the lifespan shutdowns alone have five seconds at least.
    pub fn stop(&self, within: Duration) {
        self.send(Event::Stop(within));
    }

    /// Kills all workers.
    pub fn stop_now(&self) {
        self.send(Event::StopNow);
    }

    fn send(&self, event: Event) {
        // The driver is gone where the supervisor has ended: there is nothing left to be told.
        let _ = self.0.send(event);
    }
}

/// What a supervisor has come to.
#[derive(Debug)]
pub enum Progress {
    /// The first generation of workers is ready. Told once.
    Serving,
    /// No worker is left: as it was told, or because the first generation could not start. The last of all.
    Ended(Result<(), StartError>),
}

/// A running supervisor. Dropping it does not stop it.
#[derive(Debug)]
pub struct Supervisor {
    commands: Commands,
    progress: UnboundedReceiver<Progress>,
}

impl Supervisor {
    /// Starts all workers and attaches them to `workers`. Must be called inside a tokio runtime.
    pub fn start(settings: SupervisorSettings, workers: Arc<Workers>) -> Self {
        let (commands, events) = unbounded_channel();
        let (told, progress) = unbounded_channel();
        let driver = Driver::new(settings, workers, commands.clone(), told);
        tokio::spawn(driver.run(events));
        Self { commands: Commands(commands), progress }
    }

    /// For giving orders while the supervisor is waited for.
    pub fn commands(&self) -> Commands {
        self.commands.clone()
    }

    /// The next thing that it has come to. May be dropped and called anew.
    pub async fn progress(&mut self) -> Progress {
        // The driver always tells of its end; without that it can only be gone together with the runtime.
        self.progress.recv().await.unwrap_or(Progress::Ended(Ok(())))
    }

    /// Waits for the end.
    pub async fn ended(&mut self) -> Result<(), StartError> {
        loop {
            if let Progress::Ended(outcome) = self.progress().await {
                return outcome;
            }
        }
    }
}

/// A worker that has a process.
struct Body {
    seat: u32,
    worker: WorkerId,
    handle: Option<Handle>,
    process_id: u32,
}

struct Driver {
    settings: SupervisorSettings,
    fleet: Fleet,
    workers: Arc<Workers>,
    bodies: HashMap<MemberId, Body>,
    epoch: Instant,
    events: UnboundedSender<Event>,
    progress: UnboundedSender<Progress>,
    ended: bool,
}

impl Driver {
    fn new(
        settings: SupervisorSettings,
        workers: Arc<Workers>,
        events: UnboundedSender<Event>,
        progress: UnboundedSender<Progress>,
    ) -> Self {
        let fleet = Fleet::new(FleetSettings {
            workers: settings.workers.into(),
            reload: settings.watched.is_some(),
            graceful: settings.graceful_shutdown.0,
            seed: std::process::id().into(),
        });
        let (bodies, epoch) = (HashMap::new(), Instant::now());
        Self { settings, fleet, workers, bodies, epoch, events, progress, ended: false }
    }

    async fn run(mut self, mut events: UnboundedReceiver<Event>) {
        let _watcher = self.watch_files();
        self.step(Event::Begin);
        while !self.ended {
            let deadline = self.fleet.deadline();
            let event = tokio::select! {
                Some(event) = events.recv() => event,
                () = sleep_until(self.epoch + deadline.unwrap_or_default()), if deadline.is_some() => Event::Time,
            };
            self.step(event);
        }
    }

    fn watch_files(&self) -> Option<watch::Watcher> {
        let directories = self.settings.watched.as_deref()?;
        let events = self.events.clone();
        match watch::start(directories, events) {
            Ok(watcher) => Some(watcher),
            Err(error) => {
                tracing::error!("cannot watch files, so changes go unnoticed: {error}");
                None
            }
        }
    }

    /// One step of the fleet, and those that follow from carrying it out.
    fn step(&mut self, event: Event) {
        let gone = if let Event::Gone(id, _) = event { Some(id) } else { None };
        let mut events = VecDeque::from([event]);
        while let Some(event) = events.pop_front() {
            for action in self.fleet.step(self.epoch.elapsed(), event) {
                events.extend(self.carry_out(action));
            }
        }
        // Only now: its name was still needed for the report.
        if let Some(id) = gone {
            self.bodies.remove(&id);
        }
    }

    /// Does it, and says what that led to at once.
    fn carry_out(&mut self, action: Action) -> Option<Event> {
        match action {
            Action::Spawn { id, seat } => return self.spawn(id, seat).err().map(|error| Event::SpawnFailed(id, error)),
            Action::Retire(id) => self.with_worker(id, Workers::retire),
            Action::Shutdown(id) => self.with_worker(id, Workers::shutdown),
            Action::Kill(id) => {
                if let Some(handle) = self.bodies.get_mut(&id).and_then(|body| body.handle.take()) {
                    handle.kill();
                }
            }
            Action::Serving => self.tell(Progress::Serving),
            Action::Report(report) => report::log(&report, |id| self.name(id)),
            Action::End(outcome) => {
                self.ended = true;
                self.tell(Progress::Ended(outcome));
            }
        }
        None
    }

    fn tell(&self, progress: Progress) {
        // Nobody listens where the server is being torn down.
        let _ = self.progress.send(progress);
    }

    fn spawn(&mut self, id: MemberId, seat: u32) -> std::io::Result<()> {
        let started = process::start(&self.settings, seat)?;
        let stream = started.stream.try_clone()?;
        let attached = self.workers.attach(seat, started.stream, started.memory)?;
        let handle = process::follow(id, started.child, stream, attached.notices, self.events.clone());
        let process_id = handle.process_id;
        tracing::debug!("worker {seat} (process {process_id}) starts");
        self.bodies.insert(id, Body { seat, worker: attached.id, handle: Some(handle), process_id });
        Ok(())
    }

    fn with_worker(&self, id: MemberId, order: impl FnOnce(&Workers, WorkerId)) {
        if let Some(body) = self.bodies.get(&id) {
            order(&self.workers, body.worker);
        }
    }

    fn name(&self, id: MemberId) -> Name {
        let body = self.bodies.get(&id);
        Name { seat: body.map_or(0, |body| body.seat), process_id: body.map_or(0, |body| body.process_id) }
    }
}
