//! What the application inside a middleware sends, until it is taken: the memory stream without a buffer of
//! `BaseHTTPMiddleware.__call__`, and the event that says that the answer has been sent.

use std::{collections::VecDeque, sync::Arc};

use parking_lot::Mutex;
use pyo3::{intern, prelude::*, types::PyDict};

use super::{super::stepping::Baton, parts::Parts, send::Sending};
use crate::{
    awaitable::Done,
    message::{flag, kind},
};

/// What the application inside has sent.
#[derive(Default)]
pub(crate) struct Channel(Mutex<State>);

#[derive(Default)]
struct State {
    waiting: VecDeque<Parcel>,
    /// Somebody waits for the next message.
    receives: bool,
    /// Done when there is something for who receives.
    receiver: Option<Py<PyAny>>,
    /// An application inside has ended without the last message of an answer.
    closed: bool,
    /// A message was asked for.
    begun: bool,
    /// The last message of an answer was sent.
    whole: bool,
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
    // The application inside

    /// Takes in a message; what is returned is to be awaited.
    pub(crate) fn send(self: &Arc<Self>, message: &Bound<'_, PyDict>) -> PyResult<Py<PyAny>> {
        let py = message.py();
        let last = is_last(message)?;
        let future = if self.accepts(last) { None } else { Some(new_future(py)?) };
        let (receiver, waited) = {
            let mut state = self.0.lock();
            if state.answered {
                (None, None)
            } else {
                let receives = std::mem::take(&mut state.receives);
                let waited = future.as_ref().map(|future| future.clone_ref(py));
                state.whole |= last;
                // Who waits for it has it already.
                let sender = if receives { None } else { waited.as_ref().map(|future| future.clone_ref(py)) };
                state.waiting.push_back(Parcel { message: message.clone().unbind(), sender, last });
                if last {
                    state.awaiting_answer.extend(future.map(|future| future.clone_ref(py)));
                }
                (state.receiver.take(), waited)
            }
        };
        wake(py, receiver)?;
        match waited {
            Some(future) => Sending::of(self, future.bind(py)),
            None => Ok(Py::new(py, Done)?.into_any()),
        }
    }

    /// Takes in the last message of who does nothing after it.
    pub(crate) fn send_last(&self, message: &Bound<'_, PyDict>) -> PyResult<()> {
        let receiver = {
            let mut state = self.0.lock();
            if state.answered {
                return Ok(());
            }
            state.receives = false;
            state.whole = true;
            state.waiting.push_back(Parcel { message: message.clone().unbind(), sender: None, last: true });
            state.receiver.take()
        };
        wake(message.py(), receiver)
    }

    /// Whether who sends need not wait.
    fn accepts(&self, last: bool) -> bool {
        let state = self.0.lock();
        state.answered || (state.receives && !last)
    }

    /// An application inside has ended and will send nothing more.
    pub(crate) fn close(&self, py: Python<'_>) -> PyResult<()> {
        let receiver = {
            let mut state = self.0.lock();
            state.closed = true;
            state.receiver.take()
        };
        wake(py, receiver)
    }

    /// Takes back a message that was not taken: who has sent it waits no more for this.
    pub(super) fn withdraw(&self, sender: &Py<PyAny>) {
        let withdrawn = {
            let mut state = self.0.lock();
            let is_its = |parcel: &Parcel| parcel.sender.as_ref().is_some_and(|known| known.is(sender));
            let parcel = state.waiting.iter().position(is_its).and_then(|place| state.waiting.remove(place));
            state.whole &= !parcel.as_ref().is_some_and(|parcel| parcel.last);
            parcel
        };
        drop(withdrawn);
    }

    /// Whether a whole answer was sent by the application inside.
    pub(crate) fn is_whole(&self) -> bool {
        self.0.lock().whole
    }

    /// Whether the answer has been sent.
    pub(crate) fn is_answered(&self) -> bool {
        self.0.lock().answered
    }

    // Who takes

    /// Says that somebody waits for the next message.
    pub(crate) fn expect(&self) {
        self.0.lock().receives = true;
    }

    /// The next message; `None`: there will be none. Whoever has sent it goes on.
    ///
    /// While an answer is sent in pieces, both sides take turns, as with the stream.
    pub(super) async fn receive(&self, baton: &Baton, parts: &Parts) -> PyResult<Option<Py<PyDict>>> {
        if std::mem::replace(&mut self.0.lock().begun, true) && !self.is_whole() {
            parts.checkpoint(baton).await?;
        }
        loop {
            if let Some(message) = Python::attach(|py| self.take(py))? {
                return Ok(Some(message));
            }
            let Some(future) = Python::attach(|py| self.new_receiver(py))? else {
                return Ok(None);
            };
            if let Err(error) = baton.wait_for(future, None).await {
                let mut state = self.0.lock();
                state.receives = false;
                let abandoned = state.receiver.take();
                drop(state);
                drop(abandoned);
                return Err(error);
            }
        }
    }

    fn take(&self, py: Python<'_>) -> PyResult<Option<Py<PyDict>>> {
        let parcel = {
            let mut state = self.0.lock();
            let parcel = state.waiting.pop_front();
            if parcel.is_some() {
                state.receives = false;
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
        if self.0.lock().closed {
            return Ok(None);
        }
        let future = new_future(py)?;
        let mut state = self.0.lock();
        state.receives = true;
        let before = state.receiver.replace(future.clone_ref(py));
        drop(state);
        drop(before);
        Ok(Some(future))
    }

    /// The answer has been sent: whoever waits goes on, and what is not taken is forgotten.
    pub(crate) fn finish(&self, py: Python<'_>) -> PyResult<()> {
        let (waiting, futures) = {
            let mut state = self.0.lock();
            state.answered = true;
            (std::mem::take(&mut state.waiting), std::mem::take(&mut state.awaiting_answer))
        };
        let senders = waiting.into_iter().filter_map(|parcel| parcel.sender);
        senders.chain(futures).try_for_each(|future| wake(py, Some(future)))
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
