//! An endpoint that is a generator: what it yields goes out in pieces, as the last part of `get_request_handler` has it.
//!
//! The response is the framework's own, which steps the generators in a Task that it makes; so those between it and the
//! endpoint's are Python (`python/andon/native/streams.py`). What becomes of each item is written by [`ItemWriter`].

use std::sync::Arc;

use andon_plan::{CallKind, Stream};
use pyo3::{intern, prelude::*, types::PyTuple};

use super::{
    execution::{Execution, Route},
    items::{Frame, ItemWriter},
    result::Answer,
};

impl Execution {
    /// Calls the endpoint and makes an answer of the generator that it gives, of which nothing runs before the answer is
    /// sent; but server-sent events begin at once.
    pub(crate) async fn stream(&mut self, route: Route<'_>, stream: Stream, number: u16) -> PyResult<Answer> {
        self.baton.to_loop().await;
        let items = Python::attach(|py| self.call_here(py, route, number))?;
        let content = match stream {
            Stream::Raw => Python::attach(|py| pieces(py, route, items))?,
            Stream::JsonLines => Python::attach(|py| self.lines(py, route, items))?,
            Stream::Events => {
                let opening = Python::attach(|py| self.events(py, route, items))?;
                self.baton.wait_for(opening, None).await?
            }
        };
        Python::attach(|py| self.streaming_response(py, route, stream, content.bind(py)))
    }

    fn lines(&self, py: Python<'_>, route: Route<'_>, items: Py<PyAny>) -> PyResult<Py<PyAny>> {
        let framework = &route.application.framework;
        let lines = if is_asynchronous(route) { &framework.lines } else { &framework.lines_on_threads };
        lines.call1(py, (items, self.writer(py, route, Frame::Line)?))
    }

    /// The events of the endpoint begin to be gathered; what is returned is to be awaited.
    fn events(&mut self, py: Python<'_>, route: Route<'_>, items: Py<PyAny>) -> PyResult<Py<PyAny>> {
        let stack = self.request_stack(py, route)?;
        let writer = self.writer(py, route, Frame::Event)?;
        route.application.framework.events.call1(py, (items, is_asynchronous(route), writer, stack))
    }

    fn writer(&self, py: Python<'_>, route: Route<'_>, frame: Frame) -> PyResult<Py<ItemWriter>> {
        let context = self.endpoint_context(py, route)?.unbind();
        Py::new(py, ItemWriter { application: Arc::clone(route.application), number: route.number, frame, context })
    }

    fn streaming_response(
        &self,
        py: Python<'_>,
        route: Route<'_>,
        stream: Stream,
        content: &Bound<'_, PyAny>,
    ) -> PyResult<Answer> {
        let keywords = self.response_arguments(py, route)?;
        let framework = &route.application.framework;
        let response = match media_type(stream) {
            Some(media_type) => {
                keywords.set_item(intern!(py, "media_type"), media_type)?;
                let arguments = PyTuple::new(py, [content])?;
                framework.streaming_response.bind(py).call(arguments, Some(&keywords))?
            }
            None => {
                keywords.set_item(intern!(py, "content"), content)?;
                route.application.object(py, route.native.response.class).call((), Some(&keywords))?
            }
        };
        if stream == Stream::Events {
            let headers = response.getattr(intern!(py, "headers"))?;
            headers.set_item("Cache-Control", "no-cache")?;
            headers.set_item("X-Accel-Buffering", "no")?;
        }
        self.add_headers(&response)?;
        Ok(Answer::Response(response.unbind()))
    }
}

fn is_asynchronous(route: Route<'_>) -> bool {
    route.native.program.endpoint().kind == CallKind::AsyncGenerator
}

/// What a raw stream's response is given: between pieces that are awaited a cancellation can take effect.
fn pieces(py: Python<'_>, route: Route<'_>, items: Py<PyAny>) -> PyResult<Py<PyAny>> {
    if is_asynchronous(route) { route.application.framework.pieces.call1(py, (items,)) } else { Ok(items) }
}

/// `None`: the one of the route's own class.
fn media_type(stream: Stream) -> Option<&'static str> {
    match stream {
        Stream::JsonLines => Some("application/jsonl"),
        Stream::Events => Some("text/event-stream"),
        Stream::Raw => None,
    }
}
