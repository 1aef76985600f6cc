//! What passes between an exchange and the front: the messages that wait for the application, what the front sends, and
//! who waits for either.

use andon_wire::{Flags, FromWorker, frame::put_frame, websocket::Close};
use pyo3::{
    exceptions::PyValueError,
    intern,
    prelude::*,
    types::{PyBytes, PyDict, PyString},
};

use super::{Exchange, Protocol};
use crate::awaitable::Until;

impl Exchange {
    /// The next message for the application, if there is one.
    pub(crate) fn next_message<'py>(slf: &Bound<'py, Self>) -> PyResult<Option<Bound<'py, PyDict>>> {
        let (py, this) = (slf.py(), slf.get());
        match &this.protocol {
            Protocol::Http(http) => {
                let (received, credit) = http.lock().receive();
                this.grant(py, credit)?;
                received.into_message(py)
            }
            Protocol::WebSocket(websocket) => {
                let (received, credit) = websocket.lock().receive();
                this.grant(py, credit)?;
                received.into_message(py)
            }
        }
    }

    /// Pays `credit` back to the front.
    pub(crate) fn grant(&self, py: Python<'_>, credit: Option<u32>) -> PyResult<()> {
        let Some(credit) = credit else {
            return Ok(());
        };
        self.serving.put(py, |out| {
            let kind = FromWorker::RequestCredit as u8;
            put_frame(out.frames(), kind, Flags::NONE, self.slot, self.generation, &credit.to_le_bytes());
        })
    }

    pub(crate) fn is_writable(&self) -> bool {
        match &self.protocol {
            Protocol::Http(http) => http.lock().is_writable(),
            Protocol::WebSocket(websocket) => websocket.lock().is_writable(),
        }
    }

    /// A future that is done when it is worth while to look again.
    pub(crate) fn new_waiter<'py>(&self, py: Python<'py>, until: Until) -> PyResult<Bound<'py, PyAny>> {
        let future = self.serving.new_future(py)?;
        // Who asks again and again whether the client is there abandons one each time.
        let earlier = std::mem::take(&mut *self.waiters.lock());
        let is_done = |future: &Py<PyAny>| future.call_method0(py, intern!(py, "done"))?.is_truthy(py);
        let waiting = earlier.into_iter().filter(|(_, future)| !is_done(future).unwrap_or(false));
        let mut waiting: Vec<_> = waiting.collect();
        waiting.push((until, future.clone().unbind()));
        self.waiters.lock().extend(waiting);
        Ok(future)
    }

    /// Lets those look again who wait for `until`.
    pub(crate) fn wake(&self, py: Python<'_>, until: Until) -> PyResult<()> {
        let woken: Vec<_> = self.waiters.lock().extract_if(.., |(waits_for, _)| *waits_for == until).collect();
        for (_, future) in woken {
            let future = future.bind(py);
            if !future.call_method0(intern!(py, "done"))?.is_truthy()? {
                future.call_method1(intern!(py, "set_result"), (py.None(),))?;
            }
        }
        Ok(())
    }

    // From the front

    pub(crate) fn request_body(&self, py: Python<'_>, bytes: &[u8], end: bool) -> PyResult<()> {
        if let Protocol::Http(http) = &self.protocol {
            let piece = (!bytes.is_empty()).then(|| (PyBytes::new(py, bytes).into_any().unbind(), bytes.len()));
            http.lock().push_body(piece, end);
        }
        self.wake(py, Until::Message)
    }

    pub(crate) fn websocket_message(&self, py: Python<'_>, piece: &[u8], text: bool, end: bool) -> PyResult<()> {
        let Protocol::WebSocket(websocket) = &self.protocol else {
            return Ok(());
        };
        let Some(whole) = websocket.lock().assemble(piece, end) else {
            return Ok(());
        };
        let message = if text {
            PyString::new(py, std::str::from_utf8(&whole).map_err(|_| PyValueError::new_err("text is not UTF-8"))?)
                .into_any()
        } else {
            PyBytes::new(py, &whole).into_any()
        };
        websocket.lock().push_message(message.unbind(), whole.len());
        self.wake(py, Until::Message)
    }

    /// The client is gone, or it has closed the WebSocket.
    pub(crate) fn disconnect(&self, py: Python<'_>, close: Close) -> PyResult<()> {
        let settled = self.is_settled();
        match &self.protocol {
            Protocol::Http(http) => drop(http.lock().disconnect()),
            Protocol::WebSocket(websocket) => drop(websocket.lock().end(close)),
        }
        self.wake(py, Until::Message)?;
        self.wake(py, Until::Sent)?;
        // What goes on after the answer is work in the background, for which no client waits. And one cancellation is
        // enough: a second would cut off how the application takes the first.
        if self.serving.cancels && !settled { self.cancel(py) } else { Ok(()) }
    }

    /// Whether the application has said all that the client is to get, or knows that it is gone.
    fn is_settled(&self) -> bool {
        match &self.protocol {
            Protocol::Http(http) => {
                let http = http.lock();
                http.is_complete() || http.is_disconnected()
            }
            Protocol::WebSocket(websocket) => websocket.lock().is_over(),
        }
    }

    /// Nobody reads the answer any more: the Task is cancelled.
    fn cancel(&self, py: Python<'_>) -> PyResult<()> {
        let task = self.task.lock().as_ref().map(|task| task.clone_ref(py));
        task.map_or(Ok(()), |task| task.call_method0(py, intern!(py, "cancel")).map(drop))
    }

    /// The front has room for so many more bytes.
    pub(crate) fn response_credit(&self, py: Python<'_>, bytes: usize) -> PyResult<()> {
        self.serving.put(py, |out| match &self.protocol {
            Protocol::Http(http) => http.lock().outflow.add_credit(out, bytes),
            Protocol::WebSocket(websocket) => websocket.lock().outflow.add_credit(out, bytes),
        })?;
        if self.is_writable() { self.wake(py, Until::Sent) } else { Ok(()) }
    }
}
