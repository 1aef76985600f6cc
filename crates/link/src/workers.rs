//! [`Workers`]: what front and supervisor hold of the workers.

use std::{io, os::unix::net::UnixStream as StdStream, sync::Arc, time::Duration};

use andon_dispatch::{RouteId, SavedProfile, WorkerId};
use andon_wire::{Flags, ToWorker, frame::StartFailure, memory::SharedMemory, websocket::Close};
use parking_lot::Mutex;
use tokio::{
    net::UnixStream,
    sync::{
        Notify,
        mpsc::{Receiver, UnboundedReceiver, channel, unbounded_channel},
        watch,
    },
};

use crate::{
    QueueSettings, StallReport,
    busy_poll::BusyPoll,
    clock,
    exchange::{Cell, Exchange, Place},
    hub::Hub,
    routes::Routes,
    socket,
};

/// Reports of stalls that may wait to be logged; a worker can send them faster than that.
const MOST_REPORTS: usize = 256;

/// A request for a worker.
#[derive(Debug)]
pub struct Request {
    /// A [`andon_wire::head::RequestHead`] and behind it the first part of the body, at most
    /// [`andon_wire::INLINE_BODY_LIMIT`] bytes.
    pub payload: Vec<u8>,
    /// That is the whole body.
    pub body_complete: bool,
    /// Its route: [`Workers::route`].
    pub route: RouteId,
    /// It must be started within this time.
    pub timeout: Option<Duration>,
    /// What it uses is told before its answer ([`crate::Event::Usage`]).
    pub explain: bool,
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
    /// The watch must look at the workers sooner than it planned to.
    look_sooner: Notify,
    pub(crate) busy_poll: BusyPoll,
    /// Never held while the hub's lock is waited for.
    routes: Arc<Mutex<Routes>>,
    wanted: watch::Receiver<usize>,
}

/// What the caller of [`Workers::new`] gets.
#[derive(Debug)]
pub struct Started {
    /// The workers, none yet.
    pub workers: Arc<Workers>,
    /// A report for each stall, as long as they are taken.
    pub stalls: Receiver<StallReport>,
}

impl Workers {
    /// No worker yet. Fails if the record of decisions cannot be written.
    pub fn start(settings: QueueSettings) -> io::Result<Started> {
        let routes = Arc::new(Mutex::new(Routes::new(&settings)));
        let (reports, stalls) = channel(MOST_REPORTS);
        let (resize, wanted) = watch::channel(0);
        let hub = Hub::new(settings, Arc::clone(&routes), reports, resize)?;
        let (hub, look_sooner, busy_poll) = (Mutex::new(hub), Notify::new(), BusyPoll::default());
        Ok(Started { workers: Arc::new(Self { hub, look_sooner, busy_poll, routes, wanted }), stalls })
    }

    /// Uses the hub and lets it settle.
    pub(crate) fn with<T>(&self, action: impl FnOnce(&mut Hub) -> T) -> T {
        let mut hub = self.hub.lock();
        let result = action(&mut hub);
        if hub.settle() {
            self.look_sooner.notify_one();
        }
        result
    }

    /// Looks at the workers while they have requests; runs as long as the server does.
    pub async fn watch(&self) {
        let mut planned = None;
        loop {
            let Some(time) = planned else {
                self.look_sooner.notified().await;
                planned = self.hub.lock().look_planned;
                continue;
            };
            tokio::select! {
                () = tokio::time::sleep(clock::until(time)) => {
                    let mut hub = self.hub.lock();
                    hub.tick();
                    hub.settle();
                    planned = hub.look_planned;
                }
                () = self.look_sooner.notified() => planned = self.hub.lock().look_planned,
            }
        }
    }

    // For the front

    /// The route of a request: `path` as it is in the target, percent-encoded and without a query.
    pub fn route(&self, method: &str, path: &str, websocket: bool) -> RouteId {
        let (route, news) = self.routes.lock().find(method, path, websocket);
        if let Some(news) = news {
            self.with(|hub| hub.step(news));
        }
        route
    }

    /// Method and template of a route, such as `GET /items/{item_id}`.
    pub fn route_name(&self, route: RouteId) -> Arc<str> {
        self.routes.lock().name(route)
    }

    /// How long a request of the route may take, by its rule.
    pub fn route_timeout(&self, route: RouteId) -> Option<Duration> {
        self.routes.lock().timeout(route)
    }

    /// Queues a request or offers it at once.
    pub fn submit(self: &Arc<Self>, request: Request) -> Exchange {
        let cell = self.with(|hub| hub.submit(request));
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

    /// How many workers dispatch wants, once it wants another number than there was at first.
    pub fn wanted(&self) -> watch::Receiver<usize> {
        self.wanted.clone()
    }

    /// Writes out what is kept in memory of the record of decisions; to be called at the end.
    pub fn flush_trace(&self) {
        self.hub.lock().flush_trace();
    }

    /// What was learned of the routes, by name.
    pub fn profiles(&self) -> Vec<(String, SavedProfile)> {
        let hub = self.hub.lock();
        let routes = self.routes.lock();
        let profiles = hub.dispatcher.profiles();
        profiles.map(|(route, _, profile)| (routes.name(route).to_string(), profile)).collect()
    }

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
