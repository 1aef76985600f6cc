//! A request is started: by its native route where it has one, else by the application.

use std::sync::Arc;

use andon_wire::{
    FLOW_WINDOW, Flags, FrameHeader,
    head::{Fields, RequestHead},
};
use parking_lot::Mutex;
use pyo3::prelude::*;

use super::{Worker, violated};
use crate::{
    exchange::{Exchange, NativeRequest, Protocol, find_native},
    http::Http,
    outflow::Outflow,
    websocket::WebSocket,
};

impl Worker {
    /// Starts a request, unless it was taken back meanwhile.
    pub(super) fn start(&self, py: Python<'_>, header: &FrameHeader, payload: &[u8]) -> PyResult<()> {
        if !self.serving.claim(header.slot, header.generation) {
            return Ok(());
        }
        let (head, fields) = RequestHead::parse(payload).map_err(violated)?;
        let body = fields.body();
        let body_whole = header.flags.contains(Flags::END);
        let native =
            if head.websocket { None } else { find_native(py, &self.serving, (&head, &fields), payload, header.flags) };
        let threaded = native.as_ref().is_some_and(NativeRequest::is_threaded);
        let exchange = match native {
            Some(native) => self.native_exchange(py, header, native, &head)?,
            None => self.asgi_exchange(py, header, &head, fields)?,
        };
        if !body.is_empty() {
            exchange.get().request_body(py, body, body_whole)?;
        }
        if !body_whole && !head.expects_continue && !head.websocket {
            exchange.get().grant(py, Some(FLOW_WINDOW as u32))?;
        }
        self.serving.keep(header.slot, exchange.clone().unbind());
        if threaded { Exchange::start_on_thread(&exchange) } else { Exchange::start_task(&exchange) }
    }

    fn native_exchange<'py>(
        &self,
        py: Python<'py>,
        header: &FrameHeader,
        native: NativeRequest,
        head: &RequestHead<'_>,
    ) -> PyResult<Bound<'py, Exchange>> {
        let name = (header.slot, header.generation);
        let outflow = Outflow::new(header.slot, header.generation);
        let http = Http::new(outflow, header.flags.contains(Flags::END), head.expects_continue);
        native.exchange(py, &self.serving, name, header.flags, http)
    }

    fn asgi_exchange<'py>(
        &self,
        py: Python<'py>,
        header: &FrameHeader,
        head: &RequestHead<'_>,
        fields: Fields<'_>,
    ) -> PyResult<Bound<'py, Exchange>> {
        let python = self.serving.python();
        if header.flags.contains(Flags::THREAD)
            && let Some(offload) = python.take_offload()
        {
            offload.call0(py)?;
        }
        let scope = python.template.build(py, head, fields)?;
        let outflow = Outflow::new(header.slot, header.generation);
        let protocol = if head.websocket {
            Protocol::WebSocket(Mutex::new(WebSocket::new(outflow)))
        } else {
            let body_whole = header.flags.contains(Flags::END);
            Protocol::Http(Mutex::new(Http::new(outflow, body_whole, head.expects_continue)))
        };
        let name = (header.slot, header.generation);
        Bound::new(py, Exchange::new(Arc::clone(&self.serving), name, header.flags, scope, protocol))
    }
}
