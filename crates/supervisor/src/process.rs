//! A worker process: started with its two descriptors, followed to its end.
//!
//! The process is a fresh `<python> -m andon.worker` in the environment and folder of the front, with the same
//! standard streams and in the same process group. `ANDON_WORKER` in its environment tells it what to do.

use std::{
    io,
    net::Shutdown,
    os::{fd::AsRawFd, unix::net::UnixStream},
    process::Command,
    time::Duration,
};

use andon_link::Notice;
use andon_wire::{frame::StartFailure, memory::SharedMemory};
use tokio::{
    process::Child,
    sync::{
        mpsc::{UnboundedReceiver, UnboundedSender},
        oneshot,
    },
    time::timeout,
};

use crate::{
    Departure, StartError, SupervisorSettings,
    fleet::{Event, MemberId},
    inherit::{above_standard, inherit},
};

/// How long the last frames of a dead worker may take to be read.
const LAST_FRAMES: Duration = Duration::from_secs(1);

/// A process that was started just now, and the front's ends of what connects it.
pub(crate) struct Started {
    pub(crate) child: Child,
    pub(crate) stream: UnixStream,
    pub(crate) memory: SharedMemory,
}

/// Starts worker `number`. Must be called inside a tokio runtime.
pub(crate) fn start(settings: &SupervisorSettings, number: u32) -> io::Result<Started> {
    let memory = SharedMemory::create()?;
    let (stream, workers_end) = UnixStream::pair()?;
    let wire = above_standard(workers_end)?;
    let shared = above_standard(memory.descriptor())?;

    let description = settings.describe(number, wire.as_raw_fd(), shared.as_raw_fd());
    let mut command = Command::new(&settings.python);
    command.args(["-m", "andon.worker"]);
    command.env("ANDON_WORKER", serde_json::to_string(&description).map_err(io::Error::other)?);
    inherit(&mut command, [wire, shared]);
    let child = tokio::process::Command::from(command).spawn()?;
    Ok(Started { child, stream, memory })
}

/// What the fleet has of a process while it lives.
pub(crate) struct Handle {
    /// Its process id.
    pub(crate) process_id: u32,
    /// Kills it.
    kill: oneshot::Sender<()>,
}

impl Handle {
    /// Kills the process; nothing happens if it has ended.
    pub(crate) fn kill(self) {
        // The receiver is gone where the process is.
        let _ = self.kill.send(());
    }
}

/// Follows a process in a task of its own: all that happens to it goes to `events`, [`Event::Gone`] last.
///
/// `stream` is a copy of the front's end of the worker's socket.
pub(crate) fn follow(
    id: MemberId,
    child: Child,
    stream: UnixStream,
    notices: UnboundedReceiver<Notice>,
    events: UnboundedSender<Event>,
) -> Handle {
    let (kill, killed) = oneshot::channel();
    let process_id = child.id().unwrap_or_default();
    let follower = Follower { id, notices, events };
    tokio::spawn(follower.run(child, stream, killed));
    Handle { process_id, kill }
}

struct Follower {
    id: MemberId,
    notices: UnboundedReceiver<Notice>,
    events: UnboundedSender<Event>,
}

impl Follower {
    async fn run(mut self, mut child: Child, stream: UnixStream, killed: oneshot::Receiver<()>) {
        let how = self.until_exit(&mut child, killed).await;
        // A process that the application started may still hold the worker's end of the socket. Without this the
        // front would wait for answers of the dead. What was written before is still read.
        if let Err(error) = stream.shutdown(Shutdown::Both) {
            tracing::trace!("socket of a worker that has ended: {error}");
        }
        if timeout(LAST_FRAMES, self.until_closed()).await.is_err() {
            tracing::debug!("a worker's socket outlives its process");
        }
        self.tell(Event::Gone(self.id, how));
    }

    async fn until_exit(&mut self, child: &mut Child, killed: oneshot::Receiver<()>) -> Departure {
        let mut killed = Some(killed);
        loop {
            tokio::select! {
                biased;
                Some(notice) = self.notices.recv() => self.pass_on(notice),
                Some(()) = ordered(&mut killed) => {
                    if let Err(error) = child.start_kill() {
                        tracing::debug!("cannot kill a worker: {error}");
                    }
                }
                status = child.wait() => return status.map_or(Departure::Unknown, Departure::from),
            }
        }
    }

    async fn until_closed(&mut self) {
        while let Some(notice) = self.notices.recv().await {
            self.pass_on(notice);
        }
    }

    fn pass_on(&self, notice: Notice) {
        self.tell(match notice {
            Notice::Ready => Event::Ready(self.id),
            Notice::Failed { failure: StartFailure::Load, text } => Event::Failed(self.id, StartError::Load { text }),
            Notice::Failed { failure: StartFailure::Startup, text } => {
                Event::Failed(self.id, StartError::Startup { text })
            }
            Notice::Idle => Event::Idle(self.id),
            Notice::Closed => Event::Closed(self.id),
        });
    }

    fn tell(&self, event: Event) {
        // The driver is gone where the server has ended.
        let _ = self.events.send(event);
    }
}

/// Resolves once, when the order is given; `None` where it can never come any more.
async fn ordered(order: &mut Option<oneshot::Receiver<()>>) -> Option<()> {
    let given = order.as_mut()?.await.ok();
    *order = None;
    given
}
