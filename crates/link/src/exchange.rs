//! One request and its answer, as the front sees them.
//!
//! The state is a [`Cell`] shared by the exchange's owner, its request sender and the worker's socket task. Its lock is
//! the inner one: whoever holds the hub's lock may take it, never the other way round.

use std::{
    collections::VecDeque,
    future::poll_fn,
    sync::Arc,
    task::{Context, Poll, Waker},
    time::Duration,
};

use andon_dispatch::{RequestId, RouteId, WorkerId};
use andon_wire::{FLOW_WINDOW, Usage, websocket::Close};
use bytes::Bytes;
use parking_lot::Mutex;

use crate::{Placement, Request, Workers};

/// What came from the worker, in its order. Payloads are as the wire has them, not yet checked.
#[derive(Debug)]
pub enum Event {
    /// A 1xx head ([`andon_wire::head::ResponseHead`]) before the answer.
    Informational(Bytes),
    /// The answer: a [`andon_wire::head::ResponseHead`], behind it the first part of the body.
    Response {
        /// Head and first part of the body.
        payload: Bytes,
        /// That is the whole body.
        end: bool,
    },
    /// More of the body.
    Body {
        /// The bytes.
        bytes: Bytes,
        /// The last of it.
        end: bool,
    },
    /// The rest of the answer's body is the file at this absolute path.
    File(Bytes),
    /// The WebSocket is accepted: a [`andon_wire::head::ResponseHead`].
    WebSocketAccept(Bytes),
    /// A piece of a WebSocket message.
    WebSocketMessage {
        /// The message is text.
        text: bool,
        /// The last piece.
        end: bool,
        /// The bytes.
        bytes: Bytes,
    },
    /// The application closes the WebSocket, or denies it if it has not accepted it.
    WebSocketClose(Close),
    /// What the exchange has used so far: told before the answer, where the request asked for it.
    Usage(Usage),
    /// The application's callable has returned. Nothing follows.
    Finished {
        /// It raised, or left its answer unfinished.
        failed: bool,
        /// What it has used of its worker.
        usage: Usage,
    },
    /// No answer, or no more of it, will come. Nothing follows.
    Lost(Lost),
}

/// Why an exchange ended without the application's doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lost {
    /// No worker is up.
    Unavailable,
    /// Too many requests wait or run already, or it would have to wait for too long.
    Overloaded,
    /// As many requests of its route run as are allowed, and it would have to wait for too long.
    RouteFull,
    /// It has waited for a worker as long as is allowed.
    TimedOut,
    /// Its time was over before it was started.
    DeadlinePassed,
    /// The worker died after it had started the request.
    WorkerDied,
}

/// Where an exchange is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// In the queue.
    Waiting,
    /// Offered to a worker, or started by it.
    Worker { worker: WorkerId, slot: u32, generation: u32 },
    /// Over.
    Nowhere,
}

#[derive(Debug)]
pub(crate) struct State {
    pub(crate) place: Place,
    /// The request frame's payload, kept until the worker is known to have started it.
    pub(crate) payload: Vec<u8>,
    pub(crate) body_complete: bool,
    pub(crate) placement: Option<Placement>,
    events: VecDeque<Event>,
    event_waker: Option<Waker>,
    /// Bytes that the worker is ready to take; below zero by at most one WebSocket message.
    pub(crate) credit: i64,
    /// Nobody wants more of the request.
    pub(crate) input_closed: bool,
    credit_waker: Option<Waker>,
}

/// The shared state of an exchange.
#[derive(Debug)]
pub(crate) struct Cell {
    pub(crate) request: RequestId,
    pub(crate) route: RouteId,
    /// When it came, by the monotonic clock.
    pub(crate) arrived: Duration,
    /// Its answer tells how it was placed and what it used.
    pub(crate) explain: bool,
    pub(crate) state: Mutex<State>,
}

impl Cell {
    pub(crate) fn new(number: RequestId, arrived: Duration, request: Request) -> Self {
        let state = State {
            place: Place::Waiting,
            payload: request.payload,
            body_complete: request.body_complete,
            placement: None,
            events: VecDeque::new(),
            event_waker: None,
            credit: 0,
            input_closed: false,
            credit_waker: None,
        };
        let (route, explain) = (request.route, request.explain);
        Self { request: number, route, arrived, explain, state: Mutex::new(state) }
    }

    /// Appends an event and wakes the exchange's owner.
    pub(crate) fn push(&self, event: Event) {
        let mut state = self.state.lock();
        if !state.payload.is_empty() {
            state.payload = Vec::new();
        }
        if matches!(event, Event::Finished { .. } | Event::Lost(_)) {
            state.place = Place::Nowhere;
            state.close_input();
        }
        state.events.push_back(event);
        if let Some(waker) = state.event_waker.take() {
            waker.wake();
        }
    }

    pub(crate) fn add_credit(&self, bytes: usize) {
        let mut state = self.state.lock();
        // Whatever a worker claims, no more than the window may be under way to it.
        state.credit = state.credit.saturating_add(bytes as i64).min(FLOW_WINDOW as i64);
        state.wake_credit();
    }
}

impl State {
    pub(crate) fn close_input(&mut self) {
        self.input_closed = true;
        self.wake_credit();
    }

    fn wake_credit(&mut self) {
        if let Some(waker) = self.credit_waker.take() {
            waker.wake();
        }
    }
}

/// The front's end of one request. Dropping it before its last event gives the request up.
#[derive(Debug)]
pub struct Exchange {
    workers: Arc<Workers>,
    cell: Arc<Cell>,
}

impl Exchange {
    pub(crate) fn new(workers: Arc<Workers>, cell: Arc<Cell>) -> Self {
        Self { workers, cell }
    }

    /// The next event. After [`Event::Finished`] or [`Event::Lost`] it is pending for ever.
    pub fn poll_event(&self, context: &mut Context<'_>) -> Poll<Event> {
        let mut state = self.cell.state.lock();
        if let Some(event) = state.events.pop_front() {
            return Poll::Ready(event);
        }
        match &mut state.event_waker {
            Some(waker) => waker.clone_from(context.waker()),
            empty => *empty = Some(context.waker().clone()),
        }
        Poll::Pending
    }

    /// As [`poll_event`](Self::poll_event).
    pub async fn event(&self) -> Event {
        poll_fn(|context| self.poll_event(context)).await
    }

    /// Where the request was placed last; `None` while it waits for the first time.
    pub fn placement(&self) -> Option<Placement> {
        self.cell.state.lock().placement
    }

    /// A handle to send what belongs to the request after its head.
    pub fn sender(&self) -> RequestSender {
        RequestSender { workers: Arc::clone(&self.workers), cell: Arc::clone(&self.cell) }
    }

    /// Tells the worker that so many bytes of the answer were taken by the client.
    pub fn grant(&self, bytes: usize) {
        self.workers.grant(&self.cell, bytes);
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        self.workers.leave(&self.cell);
    }
}

/// Sends a request's body, or the messages of a WebSocket, as the worker grants credit.
#[derive(Debug, Clone)]
pub struct RequestSender {
    workers: Arc<Workers>,
    cell: Arc<Cell>,
}

impl RequestSender {
    /// How many bytes may be sent now, more than zero; `None` once nobody wants any.
    pub fn poll_credit(&self, context: &mut Context<'_>) -> Poll<Option<usize>> {
        let mut state = self.cell.state.lock();
        if state.input_closed {
            return Poll::Ready(None);
        }
        if let Ok(credit @ 1..) = usize::try_from(state.credit) {
            return Poll::Ready(Some(credit));
        }
        state.credit_waker = Some(context.waker().clone());
        Poll::Pending
    }

    /// As [`poll_credit`](Self::poll_credit).
    pub async fn credit(&self) -> Option<usize> {
        poll_fn(|context| self.poll_credit(context)).await
    }

    /// Sends a part of the body, no more than the credit; `end` with the last.
    pub fn body(&self, bytes: &[u8], end: bool) {
        self.workers.send_body(&self.cell, bytes, end);
    }

    /// Sends a whole WebSocket message.
    pub fn message(&self, text: bool, bytes: &[u8]) {
        self.workers.send_message(&self.cell, text, bytes);
    }

    /// Tells the application that the WebSocket is closed.
    pub fn websocket_closed(&self, close: &Close) {
        self.workers.websocket_closed(&self.cell, close);
    }

    /// The rest of the request will not come: the application is told that its client is gone.
    pub fn abort(&self) {
        self.workers.disconnect(&self.cell);
    }
}
