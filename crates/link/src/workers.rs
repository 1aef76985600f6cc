//! [`Workers`]: what front and supervisor hold of the workers.

use std::{io, os::unix::net::UnixStream as StdStream, sync::Arc, time::Duration};

use andon_dispatch::{Dispatcher, Settings, WorkerId};
use andon_wire::{Flags, ToWorker, frame::StartFailure, memory::SharedMemory, websocket::Close};
use parking_lot::Mutex;
use tokio::{
    net::UnixStream,
    sync::{
        Notify,
        mpsc::{UnboundedReceiver, unbounded_channel},
    },
};

use crate::{
    busy_poll::BusyPoll,
    exchange::{Cell, Exchange, Place},
    hub::Hub,
    socket,
};

/// How often the front looks for stalls while some worker has not taken up all that it was offered.
const TICK: Duration = Duration::from_millis(5);

/// Bounds on what may be queued or placed.
#[derive(Debug, Clone, Default)]
pub struct QueueLimits {
    /// Requests at once over all workers; more are refused.
    pub concurrency: Option<usize>,
}

/// A request for a worker.
#[derive(Debug)]
pub struct Request {
    /// A [`andon_wire::head::RequestHead`] and behind it the first part of the body, at most
    /// [`andon_wire::INLINE_BODY_LIMIT`] bytes.
    pub payload: Vec<u8>,
    /// That is the whole body.
    pub body_complete: bool,
}

/// What the supervisor is told of a worker.
#[derive(Debug)]
pub enum Notice {
    /// It takes requests from now on.
    Ready,
    /// It could not start.
    Failed {
        /// At which stage.
        failure: StartFailure,
        /// For the operator: message and traceback.
        text: String,
    },
    /// It was retired and has no exchange left.
    Idle,
    /// Its socket has ended, or it broke the protocol. Nothing follows.
    Closed,
}

/// A worker whose socket was taken over.
#[derive(Debug)]
pub struct Attached {
    /// Its number from now on.
    pub id: WorkerId,
    /// What happens to it.
    pub notices: UnboundedReceiver<Notice>,
}

/// All workers of a front, and all requests that want one.
pub struct Workers {
    pub(crate) hub: Mutex<Hub>,
    tick: Notify,
    pub(crate) busy_poll: BusyPoll,
}

impl Workers {
    /// No worker yet.
    pub fn new(limits: QueueLimits) -> Arc<Self> {
        let settings = Settings { concurrency: limits.concurrency, ..Settings::default() };
        let hub = Mutex::new(Hub::new(Dispatcher::new(settings)));
        Arc::new(Self { hub, tick: Notify::new(), busy_poll: BusyPoll::default() })
    }

    /// Uses the hub and lets it settle.
    pub(crate) fn with<T>(&self, action: impl FnOnce(&mut Hub) -> T) -> T {
        let mut hub = self.hub.lock();
        let result = action(&mut hub);
        if hub.settle() {
            self.tick.notify_one();
        }
        result
    }

    /// Looks for stalled workers; runs as long as the server does.
    pub async fn watch(&self) {
        loop {
            self.tick.notified().await;
            loop {
                tokio::time::sleep(TICK).await;
                let mut hub = self.hub.lock();
                let goes_on = hub.tick();
                if !(hub.settle() || goes_on) {
                    break;
                }
            }
        }
    }

    // For the front

    /// Queues a request or offers it at once.
    pub fn submit(self: &Arc<Self>, request: Request) -> Exchange {
        let cell = self.with(|hub| hub.submit(request.payload, request.body_complete));
        self.busy_poll.wake();
        Exchange::new(Arc::clone(self), cell)
    }

    pub(crate) fn leave(&self, cell: &Arc<Cell>) {
        if cell.state.lock().place != Place::Nowhere {
            self.with(|hub| hub.leave(cell));
        }
    }

    pub(crate) fn grant(&self, cell: &Cell, bytes: usize) {
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        self.with(|hub| hub.send(cell, ToWorker::ResponseCredit, Flags::NONE, &bytes.to_le_bytes()));
    }

    pub(crate) fn send_body(&self, cell: &Cell, bytes: &[u8], end: bool) {
        let mut state = cell.state.lock();
        state.credit -= bytes.len() as i64;
        state.input_closed |= end;
        drop(state);
        self.with(|hub| hub.send(cell, ToWorker::RequestBody, Flags::NONE.with(Flags::END, end), bytes));
    }

    pub(crate) fn send_message(&self, cell: &Cell, text: bool, bytes: &[u8]) {
        cell.state.lock().credit -= bytes.len() as i64;
        self.with(|hub| hub.send(cell, ToWorker::WebSocketMessage, Flags::END.with(Flags::TEXT, text), bytes));
    }

    pub(crate) fn websocket_closed(&self, cell: &Cell, close: &Close) {
        cell.state.lock().close_input();
        self.with(|hub| hub.websocket_closed(cell, close));
    }

    pub(crate) fn disconnect(&self, cell: &Cell) {
        cell.state.lock().close_input();
        self.with(|hub| hub.send(cell, ToWorker::Disconnect, Flags::NONE, &[]));
    }

    // For the supervisor

    /// Takes over the front's end of a worker's socket. Nothing is offered to the worker before it says that it is
    /// ready. Must be called inside a tokio runtime.
    pub fn attach(self: &Arc<Self>, number: u32, stream: StdStream, memory: SharedMemory) -> io::Result<Attached> {
        stream.set_nonblocking(true)?;
        let stream = Arc::new(UnixStream::from_std(stream)?);
        let (sender, notices) = unbounded_channel();
        let id = self.with(|hub| hub.attach(number, Arc::clone(&stream), memory, sender));
        tokio::spawn(socket::serve(Arc::clone(self), id, number, stream));
        Ok(Attached { id, notices })
    }

    /// Gives the worker nothing more. [`Notice::Idle`] tells when its exchanges have ended.
    pub fn retire(&self, worker: WorkerId) {
        self.with(|hub| hub.retire(worker));
    }

    /// Tells the worker to end the application's lifespan and itself.
    pub fn shutdown(&self, worker: WorkerId) {
        self.with(|hub| hub.shutdown(worker));
    }
}

impl std::fmt::Debug for Workers {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Workers").finish_non_exhaustive()
    }
}
