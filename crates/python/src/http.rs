//! The HTTP side of an exchange: `http.request` and `http.disconnect` in, `http.response.*` out.
//!
//! Follows the ASGI HTTP specification 2.3 and, where that leaves a choice, uvicorn. The head is held until the first
//! part of the body is there (as the specification demands), so that a whole answer is one frame.

use andon_wire::{FLOW_WINDOW, Flags, FromWorker, Queue};
use pyo3::{
    exceptions::{PyRuntimeError, PyValueError},
    intern,
    prelude::*,
    pybacked::PyBackedBytes,
    types::{PyBytes, PyDict},
};

use crate::{
    inflow::Inflow,
    message::{body, flag, kind, optional, refused, response_head, status_of},
    outflow::Outflow,
};

/// How far the answer is.
enum Answer {
    /// Nothing was said.
    Awaited,
    /// The head is known, and not sent.
    Head(Vec<u8>),
    /// The head was sent.
    Body,
    /// All was said.
    Complete,
}

/// The state of one HTTP exchange.
pub(crate) struct Http {
    inflow: Inflow,
    /// The last of the request body is in `inflow`, or was delivered.
    body_whole: bool,
    /// The application has been given the last of the request body.
    body_delivered: bool,
    /// The client waits for `100 Continue`, which is sent once the application asks for the body.
    holds_back: bool,
    disconnected: bool,
    /// The application has begun its answer, whether or not there is a client that gets it.
    begun: bool,
    answer: Answer,
    pub(crate) outflow: Outflow,
}

/// What the application asked for.
pub(crate) enum Received {
    Body { bytes: Option<Py<PyAny>>, more: bool },
    Disconnect,
    Nothing,
}

impl Http {
    pub(crate) fn new(outflow: Outflow, body_whole: bool, holds_back: bool) -> Self {
        Self {
            inflow: Inflow::default(),
            body_whole,
            body_delivered: false,
            holds_back,
            disconnected: false,
            begun: false,
            answer: Answer::Awaited,
            outflow,
        }
    }

    // From the front

    pub(crate) fn push_body(&mut self, bytes: Option<(Py<PyAny>, usize)>, end: bool) {
        if let Some((bytes, length)) = bytes {
            self.inflow.push(bytes, length);
        }
        self.body_whole |= end;
    }

    /// The client is gone. What was to be sent is given back, to be dropped without a lock.
    pub(crate) fn disconnect(&mut self) -> impl Sized + use<> {
        self.disconnected = true;
        self.outflow.close()
    }

    // To the application

    /// The next message, and what to pay back to the front for it.
    pub(crate) fn receive(&mut self) -> (Received, Option<u32>) {
        if self.disconnected || matches!(self.answer, Answer::Complete) {
            return (Received::Disconnect, None);
        }
        if self.body_delivered {
            return (Received::Nothing, None);
        }
        let bytes = self.inflow.pop();
        if bytes.is_some() || self.body_whole {
            let more = !(self.body_whole && self.inflow.is_empty());
            self.body_delivered = !more;
            let credit = if more { self.inflow.credit() } else { None };
            return (Received::Body { bytes, more }, credit);
        }
        let first = std::mem::take(&mut self.holds_back);
        (Received::Nothing, first.then_some(FLOW_WINDOW as u32))
    }

    // From the application

    /// Takes a message in and appends to `out` what the front must know of it.
    pub(crate) fn send(&mut self, message: Outgoing, out: &mut Queue) -> PyResult<()> {
        self.begun |= matches!(message, Outgoing::Start(_));
        if self.disconnected {
            return Ok(());
        }
        match (message, std::mem::replace(&mut self.answer, Answer::Complete)) {
            (Outgoing::Start(head), Answer::Awaited) => self.answer = Answer::Head(head),
            (Outgoing::EarlyHint(head), answer @ Answer::Awaited) => {
                self.outflow.put_control(out, FromWorker::Informational, Flags::NONE, &head);
                self.answer = answer;
            }
            (Outgoing::Body { bytes, more }, Answer::Head(head)) => {
                self.outflow.put_response(out, &head, bytes, !more);
                if more {
                    self.answer = Answer::Body;
                }
            }
            (Outgoing::Body { bytes, more }, Answer::Body) => {
                self.outflow.put(out, FromWorker::ResponseBody, Flags::NONE.with(Flags::END, !more), bytes);
                if more {
                    self.answer = Answer::Body;
                }
            }
            (Outgoing::File(path), Answer::Head(head)) => {
                self.outflow.put_control(out, FromWorker::Response, Flags::NONE, &head);
                self.outflow.put_control(out, FromWorker::File, Flags::END, &path);
            }
            (message, answer) => {
                let error = out_of_order(&message, &answer);
                self.answer = answer;
                return Err(error);
            }
        }
        Ok(())
    }

    /// Takes in a whole answer at once: what `http.response.start` and one `http.response.body` would do.
    pub(crate) fn give(&mut self, head: Vec<u8>, body: Given, out: &mut Queue) -> PyResult<()> {
        if self.disconnected || !matches!(self.answer, Answer::Awaited) {
            return self.send(Outgoing::Start(head), out);
        }
        self.begun = true;
        self.answer = Answer::Complete;
        match body {
            Given::Written(bytes) => self.outflow.put_response(out, &head, bytes, true),
            Given::Bytes(bytes) => self.outflow.put_response(out, &head, bytes, true),
        }
        Ok(())
    }

    /// Whether the application has begun its answer.
    pub(crate) fn has_begun(&self) -> bool {
        self.begun
    }

    /// Whether the application may send more without waiting.
    pub(crate) fn is_writable(&self) -> bool {
        self.disconnected || self.outflow.is_empty()
    }

    pub(crate) fn is_complete(&self) -> bool {
        matches!(self.answer, Answer::Complete)
    }

    /// Whether an answer can still be given in the application's place.
    pub(crate) fn is_unanswered(&self) -> bool {
        matches!(self.answer, Answer::Awaited | Answer::Head(_))
    }

    pub(crate) fn is_disconnected(&self) -> bool {
        self.disconnected
    }

    /// Answers 500 in the application's place.
    pub(crate) fn fail(&mut self, out: &mut Queue, head: &[u8], body: PyBackedBytes) {
        self.outflow.put_response(out, head, body, true);
        self.answer = Answer::Complete;
    }
}

/// The body of a whole answer.
pub(crate) enum Given {
    /// It was written here.
    Written(Vec<u8>),
    /// An object of Python.
    Bytes(PyBackedBytes),
}

impl Given {
    pub(crate) fn len(&self) -> usize {
        match self {
            Given::Written(bytes) => bytes.len(),
            Given::Bytes(bytes) => bytes.len(),
        }
    }

    /// As an object of Python.
    pub(crate) fn into_object(self, py: Python<'_>) -> PyResult<Bound<'_, PyBytes>> {
        match self {
            Given::Written(bytes) => Ok(PyBytes::new(py, &bytes)),
            Given::Bytes(bytes) => bytes.into_pyobject(py).map_err(Into::into),
        }
    }
}

/// A message of the application, taken out of its dictionary.
pub(crate) enum Outgoing {
    Start(Vec<u8>),
    Body { bytes: PyBackedBytes, more: bool },
    EarlyHint(Vec<u8>),
    File(Vec<u8>),
}

impl Outgoing {
    fn name(&self) -> &'static str {
        match self {
            Outgoing::Start(_) => "http.response.start",
            Outgoing::Body { .. } => "http.response.body",
            Outgoing::EarlyHint(_) => "http.response.early_hint",
            Outgoing::File(_) => "http.response.pathsend",
        }
    }

    /// Whether the head goes with it, if that has not gone before.
    pub(crate) fn begins_answer(&self) -> bool {
        matches!(self, Outgoing::Body { .. } | Outgoing::File(_))
    }

    pub(crate) fn parse(message: &Bound<'_, PyDict>) -> PyResult<Self> {
        let py = message.py();
        let kind = kind(message)?;
        match kind.to_str()? {
            "http.response.body" => {
                Ok(Outgoing::Body { bytes: body(message)?, more: flag(message, intern!(py, "more_body"))? })
            }
            "http.response.start" => parse_start(message).map(Outgoing::Start),
            "http.response.pathsend" => {
                let path = message.get_item(intern!(py, "path"))?;
                let path = path.ok_or_else(|| PyValueError::new_err("'http.response.pathsend' has no 'path'"))?;
                // Starlette sends what `FileResponse` was given; the front may be in another folder.
                let path = std::path::absolute(path.extract::<std::path::PathBuf>()?)?;
                Ok(Outgoing::File(path.into_os_string().into_encoded_bytes()))
            }
            "http.response.early_hint" => parse_early_hint(message).map(Outgoing::EarlyHint),
            other => Err(PyRuntimeError::new_err(format!("Unexpected ASGI message '{other}'."))),
        }
    }
}

/// The head of an `http.response.start`, or of the `websocket.http.response.start` that denies a WebSocket.
pub(crate) fn parse_start(message: &Bound<'_, PyDict>) -> PyResult<Vec<u8>> {
    let py = message.py();
    let status = message.get_item(intern!(py, "status"))?;
    let status = status_of(&status.ok_or_else(|| PyValueError::new_err("'status' is missing"))?)?;
    response_head(status, &[], optional(message, intern!(py, "headers"))?.as_ref())
}

fn parse_early_hint(message: &Bound<'_, PyDict>) -> PyResult<Vec<u8>> {
    let py = message.py();
    let links = optional(message, intern!(py, "links"))?;
    let mut values = Vec::new();
    if let Some(links) = links {
        for link in links.try_iter()? {
            values.push(crate::message::bytes(&link?)?);
        }
    }
    let mut head = Vec::new();
    let fields: Vec<(&[u8], &[u8])> = values.iter().map(|value| (&b"link"[..], value.as_ref())).collect();
    andon_wire::head::ResponseHead::put(&mut head, 103, fields.into_iter()).map_err(refused)?;
    Ok(head)
}

/// The words are uvicorn's, which applications' tests may know.
fn out_of_order(message: &Outgoing, answer: &Answer) -> PyErr {
    let name = message.name();
    PyRuntimeError::new_err(match answer {
        Answer::Awaited => format!("Expected ASGI message 'http.response.start', but got '{name}'."),
        Answer::Head(_) | Answer::Body => format!("Expected ASGI message 'http.response.body', but got '{name}'."),
        Answer::Complete => format!("Unexpected ASGI message '{name}' sent, after response already completed."),
    })
}

impl Received {
    /// The message as the application gets it; `None` if there is none yet.
    pub(crate) fn into_message(self, py: Python<'_>) -> PyResult<Option<Bound<'_, PyDict>>> {
        let message = PyDict::new(py);
        let kind = intern!(py, "type");
        match self {
            Received::Nothing => return Ok(None),
            Received::Disconnect => message.set_item(kind, intern!(py, "http.disconnect"))?,
            Received::Body { bytes, more } => {
                message.set_item(kind, intern!(py, "http.request"))?;
                match bytes {
                    Some(bytes) => message.set_item(intern!(py, "body"), bytes)?,
                    None => message.set_item(intern!(py, "body"), PyBytes::new(py, b""))?,
                }
                message.set_item(intern!(py, "more_body"), more)?;
            }
        }
        Ok(Some(message))
    }
}

/// The 500 of an application that failed, as uvicorn gives it.
pub(crate) fn internal_server_error(py: Python<'_>) -> PyResult<(Vec<u8>, PyBackedBytes)> {
    let fields: [(&[u8], &[u8]); 2] = [(b"content-type", b"text/plain; charset=utf-8"), (b"connection", b"close")];
    let mut head = Vec::new();
    andon_wire::head::ResponseHead::put(&mut head, 500, fields.into_iter()).map_err(refused)?;
    Ok((head, PyBytes::new(py, b"Internal Server Error").into()))
}
