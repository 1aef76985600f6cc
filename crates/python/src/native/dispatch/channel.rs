//! What the applications inside a middleware send, until it is taken: the memory stream without a buffer of
//! `BaseHTTPMiddleware.__call__`, and the event that says that the answer has been sent.
//!
//! All calls of `call_next` share one. It is closed by the first application inside that ends, as the stream is.

use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use parking_lot::Mutex;
use pyo3::{intern, prelude::*, types::PyDict};

use super::{super::stepping::Baton, parts::Parts, send::Sending};
use crate::{
    awaitable::Done,
    message::{flag, kind},
};

/// What the applications inside have sent.
pub(crate) struct Channel {
    parts: Arc<Parts>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Parcel>,
    /// Somebody waits for the next message.
    receives: bool,
    /// Futures of those who wait, done when there is something for them.
    receivers: VecDeque<Py<PyAny>>,
    /// An application inside has ended: nothing can be sent any more.
    closed: bool,
    /// A message was asked for.
    begun: bool,
    /// An application inside that has ended would still wait until the answer has been sent.
    left_early: bool,
    /// The answer has been sent: nothing is taken any more.
    answered: bool,
    /// Futures of those who wait for that.
    awaiting_answer: Vec<Py<PyAny>>,
}

/// A message, and the future of who has sent it and waits until it is taken, or longer if it is the last one.
struct Parcel {
    message: Py<PyDict>,
    sender: Option<Py<PyAny>>,
    last: bool,
}

impl Channel {
    pub(super) fn new(parts: Arc<Parts>) -> Self {
        Self { parts, state: Mutex::default() }
    }

    pub(super) fn parts(&self) -> &Parts {
        &self.parts
    }

    // The applications inside

    /// Takes in a message; what is returned is to be awaited.
    pub(crate) fn send(self: &Arc<Self>, message: &Bound<'_, PyDict>) -> PyResult<Py<PyAny>> {
        let py = message.py();
        if !self.is_open(py)? {
            return Ok(Py::new(py, Done)?.into_any());
        }
        let last = is_last(message)?;
        // Who waits for it has it already.
        let taken = self.state.lock().receives;
        let future = if taken && !last { None } else { Some(new_future(py)?) };
        let sender = future.as_ref().filter(|_| !taken).map(|future| future.clone_ref(py));
        self.put(py, Parcel { message: message.clone().unbind(), sender, last })?;
        let Some(future) = future else {
            return Ok(Py::new(py, Done)?.into_any());
        };
        if last {
            self.state.lock().awaiting_answer.push(future.clone_ref(py));
        }
        Sending::of(self, future.bind(py))
    }

    /// Takes in the last message of who does nothing after it, and will not wait until the answer has been sent.
    fn send_last(&self, message: &Bound<'_, PyDict>) -> PyResult<()> {
        let py = message.py();
        if !self.is_open(py)? {
            return Ok(());
        }
        self.state.lock().left_early = true;
        self.put(py, Parcel { message: message.clone().unbind(), sender: None, last: true })
    }

    /// Whether what is sent may still be taken. It is an error to send after the end.
    fn is_open(&self, py: Python<'_>) -> PyResult<bool> {
        let (closed, answered) = {
            let state = self.state.lock();
            (state.closed, state.answered)
        };
        if closed { Err(self.parts.closed(py)) } else { Ok(!answered) }
    }

    fn put(&self, py: Python<'_>, parcel: Parcel) -> PyResult<()> {
        let receiver = {
            let mut state = self.state.lock();
            state.waiting.push_back(parcel);
            let receiver = state.receivers.pop_front();
            state.receives = !state.receivers.is_empty();
            receiver
        };
        wake(py, receiver)
    }

    /// An application inside has ended.
    pub(super) fn close(&self, py: Python<'_>) -> PyResult<()> {
        let receivers = {
            let mut state = self.state.lock();
            state.closed = true;
            std::mem::take(&mut state.receivers)
        };
        receivers.into_iter().try_for_each(|receiver| wake(py, Some(receiver)))
    }

    /// Takes back a message that was not taken: who has sent it waits no more for this.
    pub(super) fn withdraw(&self, sender: &Py<PyAny>) {
        let withdrawn = {
            let mut state = self.state.lock();
            let is_its = |parcel: &Parcel| parcel.sender.as_ref().is_some_and(|known| known.is(sender));
            state.waiting.iter().position(is_its).and_then(|place| state.waiting.remove(place))
        };
        drop(withdrawn);
    }

    /// Whether the answer has been sent.
    pub(crate) fn is_answered(&self) -> bool {
        self.state.lock().answered
    }

    // Who takes

    /// Says that somebody waits for the next message.
    pub(crate) fn expect(&self) {
        self.state.lock().receives = true;
    }

    /// The next message; `None`: there will be none. Whoever has sent it goes on.
    ///
    /// While an answer is sent in pieces, both sides take turns, as with the stream.
    pub(super) async fn receive(&self, baton: &Baton) -> PyResult<Option<Py<PyDict>>> {
        if self.takes_turns() {
            self.parts.checkpoint(baton).await?;
        }
        loop {
            if let Some(message) = Python::attach(|py| self.take(py))? {
                return Ok(Some(message));
            }
            let Some(future) = Python::attach(|py| self.new_receiver(py))? else {
                return Ok(None);
            };
            let waited_for = Python::attach(|py| future.clone_ref(py));
            if let Err(error) = baton.wait_for(future, None).await {
                self.give_up(&waited_for);
                return Err(error);
            }
        }
    }

    /// Whether the loop must come round before a message is taken: not if the last one is there.
    fn takes_turns(&self) -> bool {
        let mut state = self.state.lock();
        std::mem::replace(&mut state.begun, true) && !state.waiting.iter().any(|parcel| parcel.last)
    }

    fn take(&self, py: Python<'_>) -> PyResult<Option<Py<PyDict>>> {
        let parcel = {
            let mut state = self.state.lock();
            let parcel = state.waiting.pop_front();
            if parcel.is_some() {
                state.receives = !state.receivers.is_empty();
            }
            parcel
        };
        let Some(Parcel { message, sender, last }) = parcel else {
            return Ok(None);
        };
        wake(py, sender.filter(|_| !last))?;
        Ok(Some(message))
    }

    /// `None`: nothing will come.
    fn new_receiver(&self, py: Python<'_>) -> PyResult<Option<Py<PyAny>>> {
        let (closed, answered) = {
            let state = self.state.lock();
            (state.closed, state.answered)
        };
        if answered {
            return Err(self.parts.closed(py));
        }
        if closed {
            return Ok(None);
        }
        let future = new_future(py)?;
        let mut state = self.state.lock();
        state.receives = true;
        state.receivers.push_back(future.clone_ref(py));
        Ok(Some(future))
    }

    /// Who waited with this future does not any more.
    fn give_up(&self, future: &Py<PyAny>) {
        let abandoned = {
            let mut state = self.state.lock();
            let place = state.receivers.iter().position(|known| known.is(future));
            let abandoned = place.and_then(|place| state.receivers.remove(place));
            state.receives = !state.receivers.is_empty();
            abandoned
        };
        drop(abandoned);
    }

    /// The answer has been sent: whoever waits goes on, and what is not taken is forgotten.
    pub(crate) fn finish(&self, py: Python<'_>) -> PyResult<()> {
        let (waiting, futures) = self.end();
        let senders = waiting.into_iter().filter_map(|parcel| parcel.sender);
        futures.into_iter().chain(senders).try_for_each(|future| wake(py, Some(future)))
    }

    /// It is over, and nobody waits.
    pub(super) fn abandon(&self) {
        drop(self.end());
    }

    /// Nothing is taken any more; what was not, and who waits for the end of the answer.
    fn end(&self) -> (VecDeque<Parcel>, Vec<Py<PyAny>>) {
        let mut state = self.state.lock();
        state.answered = true;
        // Now they end.
        state.closed |= state.left_early;
        (std::mem::take(&mut state.waiting), std::mem::take(&mut state.awaiting_answer))
    }
}

/// Where one application inside puts what it sends.
#[derive(Clone)]
pub(crate) struct Outlet {
    channel: Arc<Channel>,
    progress: Arc<Progress>,
}

/// What is known of that application.
#[derive(Default)]
struct Progress {
    /// It has ended before the answer was sent.
    left_early: AtomicBool,
    /// It closes a dependency.
    exiting: AtomicBool,
    /// Its Task is being ended.
    ending: AtomicBool,
}

impl Outlet {
    pub(super) fn new(channel: &Arc<Channel>) -> Self {
        Self { channel: Arc::clone(channel), progress: Arc::default() }
    }

    /// See [`Channel::send_last`].
    pub(crate) fn send_last(&self, message: &Bound<'_, PyDict>) -> PyResult<()> {
        self.channel.send_last(message)?;
        self.progress.left_early.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// Whether the application has ended before the answer was sent, as the framework's own would not.
    pub(super) fn has_left_early(&self) -> bool {
        self.progress.left_early.load(Ordering::Relaxed)
    }

    /// Says whether the application closes a dependency.
    pub(crate) fn set_exiting(&self, exiting: bool) {
        self.progress.exiting.store(exiting, Ordering::Relaxed);
    }

    /// Says that its Task is being ended.
    pub(super) fn set_ending(&self) {
        self.progress.ending.store(true, Ordering::Relaxed);
    }

    /// Whether it is.
    pub(crate) fn is_ending(&self) -> bool {
        self.progress.ending.load(Ordering::Relaxed)
    }

    /// Whether the application closes a dependency.
    pub(super) fn is_exiting(&self) -> bool {
        self.progress.exiting.load(Ordering::Relaxed)
    }
}

/// Whether the answer is whole with it.
pub(super) fn is_last(message: &Bound<'_, PyDict>) -> PyResult<bool> {
    match kind(message)?.to_str()? {
        "http.response.pathsend" => Ok(true),
        "http.response.body" => Ok(!flag(message, intern!(message.py(), "more_body"))?),
        _ => Ok(false),
    }
}

/// A future of the running event loop.
pub(super) fn new_future(py: Python<'_>) -> PyResult<Py<PyAny>> {
    let running = py.import(intern!(py, "asyncio"))?.call_method0(intern!(py, "get_running_loop"))?;
    running.call_method0(intern!(py, "create_future")).map(Bound::unbind)
}

/// Lets go on who waits for a future, if anybody does.
pub(super) fn wake(py: Python<'_>, future: Option<Py<PyAny>>) -> PyResult<()> {
    let Some(future) = future else {
        return Ok(());
    };
    let future = future.bind(py);
    if !future.call_method0(intern!(py, "done"))?.is_truthy()? {
        future.call_method1(intern!(py, "set_result"), (py.None(),))?;
    }
    Ok(())
}
