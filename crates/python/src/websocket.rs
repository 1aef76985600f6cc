//! The WebSocket side of an exchange: `websocket.connect`, `.receive`, `.disconnect` in, `websocket.*` out.
//!
//! Follows the ASGI WebSocket specification 2.4 and, where that leaves a choice, uvicorn.

use andon_wire::{FLOW_WINDOW, Flags, FromWorker, Queue, websocket::Close};
use pyo3::{
    exceptions::{PyRuntimeError, PyValueError},
    intern,
    prelude::*,
    pybacked::PyBackedBytes,
    types::{PyBytes, PyDict, PyString},
};

use crate::{
    exchange::ClientDisconnected,
    http::parse_start,
    inflow::Inflow,
    message::{body, bytes, flag, kind, optional, response_head},
    outflow::Outflow,
};

/// Where the WebSocket is, as the application has driven it.
enum Phase {
    /// `websocket.connect` has not been received.
    Connecting,
    /// The application may accept or deny.
    Handshake,
    /// Messages flow.
    Open,
    /// The application denies with an answer of its own; its head is held until the body is there.
    Denying(Option<Vec<u8>>),
    /// The application has closed or denied it.
    Closed,
}

/// The state of one WebSocket.
pub(crate) struct WebSocket {
    phase: Phase,
    inflow: Inflow,
    /// Pieces of a message that is not whole yet.
    partial: Vec<u8>,
    /// How the client or the connection has ended it, and whether the application was told.
    ended: Option<Close>,
    pub(crate) outflow: Outflow,
}

/// What the application asked for.
pub(crate) enum Received {
    Connect,
    Message(Py<PyAny>),
    Disconnect(Close),
    Nothing,
}

/// A message of the application, taken out of its dictionary.
pub(crate) enum Outgoing {
    Accept(Vec<u8>),
    Message { text: bool, bytes: PyBackedBytes },
    Close(Close),
    DenialStart(Vec<u8>),
    DenialBody { bytes: PyBackedBytes, more: bool },
}

impl WebSocket {
    pub(crate) fn new(outflow: Outflow) -> Self {
        Self { phase: Phase::Connecting, inflow: Inflow::default(), partial: Vec::new(), ended: None, outflow }
    }

    // From the front

    /// Takes in a piece of a message; a whole message is given back, to be made an object of Python.
    pub(crate) fn assemble(&mut self, piece: &[u8], end: bool) -> Option<Vec<u8>> {
        self.partial.extend_from_slice(piece);
        end.then(|| std::mem::take(&mut self.partial))
    }

    pub(crate) fn push_message(&mut self, message: Py<PyAny>, length: usize) {
        self.inflow.push(message, length);
    }

    /// It is over. What was to be sent is given back, to be dropped without a lock.
    pub(crate) fn end(&mut self, close: Close) -> impl Sized + use<> {
        self.ended.get_or_insert(close);
        self.outflow.close()
    }

    // To the application

    /// The next message, and what to pay back to the front for it.
    pub(crate) fn receive(&mut self) -> (Received, Option<u32>) {
        if matches!(self.phase, Phase::Connecting) {
            self.phase = Phase::Handshake;
            return (Received::Connect, None);
        }
        if let Some(message) = self.inflow.pop() {
            return (Received::Message(message), self.inflow.credit());
        }
        match (&self.ended, &self.phase) {
            (Some(close), _) => (Received::Disconnect(close.clone()), None),
            (None, Phase::Closed) => (Received::Disconnect(Close { code: 1006, reason: String::new() }), None),
            (None, _) => (Received::Nothing, None),
        }
    }

    // From the application

    /// Takes a message in and appends to `out` what the front must know of it. Yields credit to grant.
    pub(crate) fn send(&mut self, message: Outgoing, out: &mut Queue) -> PyResult<Option<u32>> {
        let phase = std::mem::replace(&mut self.phase, Phase::Closed);
        if self.ended.is_some() && !matches!(phase, Phase::Closed) {
            self.phase = phase;
            return match message {
                Outgoing::Close(_) => Ok(None),
                _ => Err(ClientDisconnected::new_err("the client is gone")),
            };
        }
        match (message, phase) {
            (Outgoing::Accept(head), Phase::Connecting | Phase::Handshake) => {
                self.outflow.put_control(out, FromWorker::WebSocketAccept, Flags::NONE, &head);
                self.phase = Phase::Open;
                return Ok(Some(FLOW_WINDOW as u32));
            }
            (Outgoing::Message { text, bytes }, Phase::Open) => {
                self.outflow.put(out, FromWorker::WebSocketMessage, Flags::END.with(Flags::TEXT, text), bytes);
                self.phase = Phase::Open;
            }
            (Outgoing::Close(close), Phase::Connecting | Phase::Handshake | Phase::Open) => {
                let mut payload = Vec::new();
                close.put(&mut payload);
                self.outflow.put_control(out, FromWorker::WebSocketClose, Flags::END, &payload);
            }
            (Outgoing::DenialStart(head), Phase::Connecting | Phase::Handshake) => {
                self.phase = Phase::Denying(Some(head));
            }
            (Outgoing::DenialBody { bytes, more }, Phase::Denying(head)) => {
                match head {
                    Some(head) => self.outflow.put_response(out, &head, bytes, !more),
                    None => {
                        let flags = Flags::NONE.with(Flags::END, !more);
                        self.outflow.put(out, FromWorker::ResponseBody, flags, bytes);
                    }
                }
                if more {
                    self.phase = Phase::Denying(None);
                }
            }
            (message, phase) => {
                let error = out_of_order(&message, &phase);
                self.phase = phase;
                return Err(error);
            }
        }
        Ok(None)
    }

    /// Whether the application may send more without waiting.
    pub(crate) fn is_writable(&self) -> bool {
        self.ended.is_some() || self.outflow.is_empty()
    }

    /// Whether the application has neither accepted nor denied it.
    pub(crate) fn is_unanswered(&self) -> bool {
        matches!(self.phase, Phase::Connecting | Phase::Handshake | Phase::Denying(Some(_)))
    }

    /// Whether it is over for either side.
    pub(crate) fn is_over(&self) -> bool {
        self.ended.is_some() || matches!(self.phase, Phase::Closed)
    }

    /// Answers in the application's place, which failed before it accepted.
    pub(crate) fn fail(&mut self, out: &mut Queue, head: &[u8], body: PyBackedBytes) {
        self.outflow.put_response(out, head, body, true);
        self.phase = Phase::Closed;
    }
}

impl Outgoing {
    fn name(&self) -> &'static str {
        match self {
            Outgoing::Accept(_) => "websocket.accept",
            Outgoing::Message { .. } => "websocket.send",
            Outgoing::Close(_) => "websocket.close",
            Outgoing::DenialStart(_) => "websocket.http.response.start",
            Outgoing::DenialBody { .. } => "websocket.http.response.body",
        }
    }

    pub(crate) fn parse(message: &Bound<'_, PyDict>) -> PyResult<Self> {
        let py = message.py();
        let kind = kind(message)?;
        match kind.to_str()? {
            "websocket.send" => parse_message(message),
            "websocket.accept" => parse_accept(message),
            "websocket.close" => parse_close(message),
            "websocket.http.response.start" => parse_start(message).map(Outgoing::DenialStart),
            "websocket.http.response.body" => {
                Ok(Outgoing::DenialBody { bytes: body(message)?, more: flag(message, intern!(py, "more_body"))? })
            }
            other => Err(PyRuntimeError::new_err(format!("Unexpected ASGI message '{other}'."))),
        }
    }
}

fn parse_message(message: &Bound<'_, PyDict>) -> PyResult<Outgoing> {
    let py = message.py();
    if let Some(binary) = optional(message, intern!(py, "bytes"))? {
        return Ok(Outgoing::Message { text: false, bytes: bytes(&binary)? });
    }
    let text = optional(message, intern!(py, "text"))?;
    let text = text.ok_or_else(|| PyValueError::new_err("'websocket.send' has neither 'text' nor 'bytes'"))?;
    // `encode` fails on lone surrogates, which no text message can carry.
    let encoded = text.cast_into::<PyString>()?.encode_utf8()?;
    Ok(Outgoing::Message { text: true, bytes: encoded.into() })
}

fn parse_accept(message: &Bound<'_, PyDict>) -> PyResult<Outgoing> {
    let py = message.py();
    let subprotocol: Option<String> = match optional(message, intern!(py, "subprotocol"))? {
        Some(subprotocol) => Some(subprotocol.extract()?),
        None => None,
    };
    let headers = optional(message, intern!(py, "headers"))?;
    let first: Option<(&[u8], &[u8])> =
        subprotocol.as_ref().map(|subprotocol| (&b"sec-websocket-protocol"[..], subprotocol.as_bytes()));
    Ok(Outgoing::Accept(response_head(101, first.as_slice(), headers.as_ref())?))
}

fn parse_close(message: &Bound<'_, PyDict>) -> PyResult<Outgoing> {
    let py = message.py();
    let code = optional(message, intern!(py, "code"))?.map_or(Ok(1000), |code| code.extract())?;
    let reason = optional(message, intern!(py, "reason"))?.map_or(Ok(String::new()), |reason| reason.extract())?;
    Ok(Outgoing::Close(Close { code, reason }))
}

fn out_of_order(message: &Outgoing, phase: &Phase) -> PyErr {
    let name = message.name();
    PyRuntimeError::new_err(match phase {
        Phase::Connecting | Phase::Handshake => format!(
            "Expected ASGI message 'websocket.accept', 'websocket.close' or 'websocket.http.response.start' but got \
             '{name}'."
        ),
        Phase::Open => format!("Expected ASGI message 'websocket.send' or 'websocket.close', but got '{name}'."),
        Phase::Denying(_) => {
            format!("Expected ASGI message 'websocket.http.response.body' but got '{name}'.")
        }
        Phase::Closed => format!("Unexpected ASGI message '{name}', after sending 'websocket.close'."),
    })
}

impl Received {
    /// The message as the application gets it; `None` if there is none yet.
    pub(crate) fn into_message(self, py: Python<'_>) -> PyResult<Option<Bound<'_, PyDict>>> {
        let message = PyDict::new(py);
        let kind = intern!(py, "type");
        match self {
            Received::Nothing => return Ok(None),
            Received::Connect => message.set_item(kind, intern!(py, "websocket.connect"))?,
            Received::Message(piece) => {
                message.set_item(kind, intern!(py, "websocket.receive"))?;
                let binary = piece.bind(py).is_instance_of::<PyBytes>();
                message.set_item(if binary { intern!(py, "bytes") } else { intern!(py, "text") }, piece)?;
            }
            Received::Disconnect(close) => {
                message.set_item(kind, intern!(py, "websocket.disconnect"))?;
                message.set_item(intern!(py, "code"), close.code)?;
                message.set_item(intern!(py, "reason"), close.reason)?;
            }
        }
        Ok(Some(message))
    }
}
