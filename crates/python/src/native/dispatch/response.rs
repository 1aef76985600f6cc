//! What `call_next` returns, and how what `dispatch` returns is sent.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use pyo3::{
    exceptions::PyAssertionError,
    intern,
    prelude::*,
    types::{PyBytes, PyDict, PyList},
};

use super::{
    super::stepping::Baton,
    around::{Around, Call},
    calling::Calling,
    channel::{Channel, is_last},
};
use crate::message::kind;

/// A `_StreamingResponse` of this head. `info`: of a `http.response.debug` before it.
pub(super) fn streaming_response(
    py: Python<'_>,
    around: &Arc<Around>,
    start: &Bound<'_, PyDict>,
    info: Option<Py<PyAny>>,
) -> PyResult<Py<PyAny>> {
    let body = Py::new(py, Body { channel: Arc::clone(&around.channel), taken: AtomicBool::new(false) })?;
    let content = around.parts.body_stream.bind(py).call1((&body,))?;
    let class = around.parts.streaming_response.bind(py);
    let response = class.call_method1(intern!(py, "__new__"), (class,))?;
    let none = py.None();
    let headers = start.get_item(intern!(py, "headers"))?;
    let headers = headers.unwrap_or_else(|| PyList::empty(py).into_any());
    response.setattr(intern!(py, "info"), info)?;
    response.setattr(intern!(py, "body_iterator"), &content)?;
    response.setattr(intern!(py, "status_code"), start.get_item(intern!(py, "status"))?)?;
    response.setattr(intern!(py, "media_type"), &none)?;
    response.setattr(intern!(py, "raw_headers"), headers)?;
    response.setattr(intern!(py, "background"), &none)?;
    let before = around.given.lock().replace(Given { content: content.unbind(), body });
    drop(before);
    Ok(response.unbind())
}

/// The body of the last response that was made.
pub(super) struct Given {
    content: Py<PyAny>,
    body: Py<Body>,
}

/// Sends what `dispatch` has returned.
pub(super) async fn respond(
    around: &Arc<Around>,
    baton: &Baton,
    call: &Call,
    response: Py<PyAny>,
    wrapped_receive: Py<PyAny>,
) -> PyResult<()> {
    if !Python::attach(|py| is_as_it_was(around, response.bind(py)))? {
        let sending = Python::attach(|py| response.call1(py, (&call.scope, wrapped_receive, &call.send)))?;
        return baton.wait_for(sending, None).await.map(drop);
    }
    let start = Python::attach(|py| {
        let message = PyDict::new(py);
        message.set_item(intern!(py, "type"), intern!(py, "http.response.start"))?;
        message.set_item(intern!(py, "status"), response.getattr(py, intern!(py, "status_code"))?)?;
        message.set_item(intern!(py, "headers"), response.getattr(py, intern!(py, "raw_headers"))?)?;
        call.send.call1(py, (message,))
    })?;
    baton.wait_for(start, None).await?;
    if send_body(around, baton, call).await? {
        let end = Python::attach(|py| call.send.call1(py, (body_message(py, None)?,)))?;
        baton.wait_for(end, None).await?;
    }
    let background = Python::attach(|py| response.getattr(py, intern!(py, "background")))?;
    if !Python::attach(|py| background.is_truthy(py))? {
        return Ok(());
    }
    let running = Python::attach(|py| background.call0(py))?;
    baton.wait_for(running, None).await.map(drop)
}

/// Passes on what the application inside sends. True: the body is still to be ended.
async fn send_body(around: &Around, baton: &Baton, call: &Call) -> PyResult<bool> {
    while let Some(message) = around.channel.receive(baton).await? {
        let (passed, last, ends) = Python::attach(|py| pass_on(call, message.bind(py)))?;
        if let Some(passed) = passed {
            baton.wait_for(passed, None).await?;
        }
        if last {
            return Ok(ends);
        }
    }
    Ok(true)
}

/// What sends a message, whether it is the last, and whether the body is then still to be ended.
fn pass_on(call: &Call, message: &Bound<'_, PyDict>) -> PyResult<(Option<Py<PyAny>>, bool, bool)> {
    let py = message.py();
    match kind(message)?.to_str()? {
        "http.response.pathsend" => Ok((Some(call.send.call1(py, (message,))?), true, false)),
        "http.response.body" => {
            let body = message.get_item(intern!(py, "body"))?.filter(|body| body.is_truthy().unwrap_or(true));
            let passed = body.map(|body| call.send.call1(py, (body_message(py, Some(&body))?,))).transpose()?;
            Ok((passed, is_last(message)?, true))
        }
        _ => Err(PyAssertionError::new_err(format!("Unexpected message: {}", message.repr()?))),
    }
}

/// A piece of a body; `None`: its end.
fn body_message<'py>(py: Python<'py>, piece: Option<&Bound<'py, PyAny>>) -> PyResult<Bound<'py, PyDict>> {
    let message = PyDict::new(py);
    message.set_item(intern!(py, "type"), intern!(py, "http.response.body"))?;
    match piece {
        Some(piece) => message.set_item(intern!(py, "body"), piece)?,
        None => message.set_item(intern!(py, "body"), PyBytes::new(py, b""))?,
    }
    message.set_item(intern!(py, "more_body"), piece.is_some())?;
    Ok(message)
}

/// Whether it is the response that `call_next` has returned, with a body that nobody has looked at.
fn is_as_it_was(around: &Around, response: &Bound<'_, PyAny>) -> PyResult<bool> {
    let py = response.py();
    if !response.get_type().is(around.parts.streaming_response.bind(py)) {
        return Ok(false);
    }
    let given = around.given.lock().take();
    let Some(Given { content, body }) = given else {
        return Ok(false);
    };
    let same = response.getattr(intern!(py, "body_iterator"))?.is(&content)
        && response.getattr(intern!(py, "info"))?.is_none()
        && !body.get().taken.load(Ordering::Relaxed);
    // One that was closed has no frame.
    Ok(same && !content.bind(py).getattr(intern!(py, "ag_frame"))?.is_none())
}

/// `receive()` of a response's body: the next message; `None`: there is none.
#[pyclass(frozen, module = "andon._andon")]
pub(super) struct Body {
    channel: Arc<Channel>,
    taken: AtomicBool,
}

#[pymethods]
impl Body {
    fn __call__(&self) -> Calling {
        self.taken.store(true, Ordering::Relaxed);
        let channel = Arc::clone(&self.channel);
        Calling::of(|baton| async move { Ok(channel.receive(&baton).await?.map(Py::into_any)) })
    }
}
