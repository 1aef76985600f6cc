//! The worker's end of the wire, read and written on the event loop's own thread.
//!
//! One turn: read all that is there, start or resume what it brings, write all answers with one call. Answers that
//! come later, when a Task is resumed by the loop, are gathered until the end of that turn. Nothing here gives up the
//! GIL: the calls do not block, and taking it again would cost more than they do.

use std::{
    collections::HashMap,
    os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd, RawFd},
    sync::{Arc, OnceLock},
    time::Duration,
};

use andon_wire::{
    FLOW_WINDOW, Flags, FrameHeader, FromWorker, ToWorker, WireError,
    frame::{HEADER_LENGTH, NO_SLOT, StartFailure, parse_credit, put_frame},
    head::RequestHead,
    memory::SharedMemory,
    websocket::Close,
};
use parking_lot::Mutex;
use pyo3::{
    exceptions::{PyOSError, PyRuntimeError, PyValueError},
    prelude::*,
    types::PyDict,
};
use rustix::{
    io::Errno,
    net::{RecvFlags, SendFlags, recv, send},
    time::{ClockId, clock_gettime},
};

use crate::{
    awaitable::Done,
    exchange::{Exchange, Protocol},
    http::Http,
    outflow::Outflow,
    scope::ScopeTemplate,
    starter::Starter,
    watch,
    websocket::WebSocket,
};

/// The read buffer's length in bytes; it grows for a frame that is larger.
const READ_SIZE: usize = 256 * 1024;

/// After so many frames the answers so far are written: the front works on them while the next ones are made.
const FLUSH_EVERY: usize = 8;

/// A write buffer that grew beyond this many bytes in a burst is not kept.
const KEPT_BUFFER: usize = 16 * 1024 * 1024;

/// What waits to be written.
#[derive(Default)]
struct Output {
    bytes: Vec<u8>,
    /// So many of `bytes` are written: moving the rest to the front at each write would cost more than writing it.
    written: usize,
    flush: Flush,
}

impl Output {
    /// Writes as much as the socket takes now. True if nothing is left. If the front is gone everything is dropped;
    /// that end is seen when the wire is read.
    fn write(&mut self, wire: &OwnedFd) -> PyResult<bool> {
        while self.written < self.bytes.len() {
            match send(wire, &self.bytes[self.written..], SendFlags::DONTWAIT | SendFlags::NOSIGNAL) {
                Ok(count) => self.written += count,
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => return Ok(false),
                Err(Errno::PIPE | Errno::CONNRESET) => break,
                Err(error) => return Err(std::io::Error::from(error).into()),
            }
        }
        self.written = 0;
        self.bytes.clear();
        self.bytes.shrink_to(KEPT_BUFFER);
        Ok(true)
    }
}

/// When the output is written next.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
enum Flush {
    /// There is nothing to write.
    #[default]
    Idle,
    /// The wire is being read: at the end of that.
    AfterRead,
    /// At the end of this turn of the loop.
    Soon,
    /// When the socket can take more.
    WhenWritable,
}

/// What exchanges need of their worker.
pub(crate) struct Serving {
    memory: SharedMemory,
    wire: OwnedFd,
    output: Mutex<Output>,
    exchanges: Mutex<HashMap<u32, Py<Exchange>>>,
    python: OnceLock<Callables>,
}

/// What the worker calls in Python, once it serves.
struct Callables {
    application: Py<PyAny>,
    create_future: Py<PyAny>,
    call_soon: Py<PyAny>,
    add_writer: Py<PyAny>,
    remove_writer: Py<PyAny>,
    flush: Py<PyAny>,
    cancelled_error: Py<PyAny>,
    log: Py<PyAny>,
    done: Py<Done>,
    template: ScopeTemplate,
    starter: Starter,
}

impl Serving {
    fn python(&self) -> &Callables {
        self.python.get().expect("exchanges exist only after `serve`")
    }

    pub(crate) fn application<'py>(&self, py: Python<'py>) -> &Bound<'py, PyAny> {
        self.python().application.bind(py)
    }

    pub(crate) fn done(&self, py: Python<'_>) -> Py<PyAny> {
        self.python().done.clone_ref(py).into_any()
    }

    pub(crate) fn new_future<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.python().create_future.bind(py).call0()
    }

    pub(crate) fn is_cancelled_error(&self, py: Python<'_>, error: &PyErr) -> bool {
        error.matches(py, self.python().cancelled_error.bind(py)).unwrap_or(false)
    }

    pub(crate) fn log(&self, py: Python<'_>, text: &str) -> PyResult<()> {
        self.python().log.bind(py).call1((text, py.None())).map(drop)
    }

    pub(crate) fn log_exception(&self, py: Python<'_>, error: &PyErr) -> PyResult<()> {
        let exception = error.clone_ref(py).into_value(py);
        self.python().log.bind(py).call1(("Exception in ASGI application", exception)).map(drop)
    }

    /// Appends frames, and sees to it that they are written at the end of this turn.
    pub(crate) fn put<T>(&self, py: Python<'_>, append: impl FnOnce(&mut Vec<u8>) -> T) -> PyResult<T> {
        let (result, schedule) = {
            let mut output = self.output.lock();
            let result = append(&mut output.bytes);
            let schedule = output.flush == Flush::Idle && !output.bytes.is_empty();
            if schedule {
                output.flush = Flush::Soon;
            }
            (result, schedule)
        };
        if schedule {
            let python = self.python();
            python.call_soon.bind(py).call1((&python.flush,))?;
        }
        Ok(result)
    }

    pub(crate) fn begin_step(&self, slot: u32, generation: u32) {
        self.memory.executor().begin_step(slot, generation, nanoseconds(ClockId::Monotonic));
    }

    pub(crate) fn end_step(&self) {
        self.memory.executor().end_step();
    }

    /// The application's callable has ended: the front may use the slot again.
    pub(crate) fn finished(&self, slot: u32, generation: u32) {
        if let Some(word) = self.memory.slot(slot) {
            word.finish(generation);
        }
        let exchange = self.exchanges.lock().remove(&slot);
        drop(exchange);
    }

    fn exchange(&self, py: Python<'_>, header: &FrameHeader) -> Option<Py<Exchange>> {
        let exchanges = self.exchanges.lock();
        let exchange = exchanges.get(&header.slot)?;
        (exchange.get().generation() == header.generation).then(|| exchange.clone_ref(py))
    }
}

fn nanoseconds(clock: ClockId) -> u64 {
    let time = clock_gettime(clock);
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

fn violated(error: WireError) -> PyErr {
    PyRuntimeError::new_err(format!("the front broke the protocol of the wire: {error}"))
}

/// What reading the wire came to.
#[pyclass(frozen, eq, eq_int, module = "andon._andon")]
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Turn {
    /// There may be more later.
    Continue = 0,
    /// The worker is to end: it was told so, or the front is gone.
    End = 1,
}

/// A worker process's end of the wire.
#[pyclass(frozen, module = "andon._andon")]
pub(crate) struct Worker {
    serving: Arc<Serving>,
    input: Mutex<Input>,
}

#[derive(Default)]
struct Input {
    buffer: Vec<u8>,
    filled: usize,
}

#[pymethods]
impl Worker {
    /// Takes over the descriptors of the wire and of the shared memory. `patience`: seconds after which this process
    /// is killed when the front is gone.
    #[new]
    fn new(wire: RawFd, memory: RawFd, patience: f64) -> PyResult<Self> {
        let patience =
            Duration::try_from_secs_f64(patience).map_err(|error| PyValueError::new_err(error.to_string()))?;
        #[allow(unsafe_code, reason = "descriptors come by number from the process that started this one")]
        // SAFETY: the supervisor passes two open descriptors to this process and names each of them once; nothing
        // else in this process knows them, so they are owned from here on.
        let (wire, memory) = unsafe { (OwnedFd::from_raw_fd(wire), OwnedFd::from_raw_fd(memory)) };
        let memory = SharedMemory::open(memory).map_err(|error| PyOSError::new_err(error.to_string()))?;
        watch::start(wire.try_clone()?, patience)?;
        let serving =
            Serving { memory, wire, output: Mutex::default(), exchanges: Mutex::default(), python: OnceLock::new() };
        Ok(Self { serving: Arc::new(serving), input: Mutex::default() })
    }

    /// Descriptor of the wire, for the event loop.
    fn fileno(&self) -> RawFd {
        self.serving.wire.as_raw_fd()
    }

    /// Tells the front why the application could not be loaded (`stage` 1) or started (2).
    fn failed(&self, stage: u8, text: &str) -> PyResult<()> {
        let stage = StartFailure::try_from(stage).map_err(violated)?;
        let mut end = text.len().min(64 * 1024);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        let mut frame = Vec::new();
        let payload = [&[stage as u8], &text.as_bytes()[..end]].concat();
        put_frame(&mut frame, FromWorker::Failed as u8, Flags::NONE, NO_SLOT, 0, &payload);
        let mut rest = &frame[..];
        while !rest.is_empty() {
            let sent = send(&self.serving.wire, rest, SendFlags::NOSIGNAL).map_err(std::io::Error::from)?;
            rest = &rest[sent..];
        }
        Ok(())
    }

    /// Makes ready to serve `application` on `event_loop`, which must be the running one.
    ///
    /// `context`: the context that each request's is a copy of. `state`: what lifespan start-up left in its state.
    /// `log(text, exception or None)` logs an error.
    fn serve(
        slf: &Bound<'_, Self>,
        application: Py<PyAny>,
        event_loop: Bound<'_, PyAny>,
        context: Bound<'_, PyAny>,
        root_path: String,
        state: Py<PyDict>,
        log: Py<PyAny>,
    ) -> PyResult<()> {
        let py = slf.py();
        let callables = Callables {
            application,
            create_future: event_loop.getattr("create_future")?.unbind(),
            call_soon: event_loop.getattr("call_soon")?.unbind(),
            add_writer: event_loop.getattr("add_writer")?.unbind(),
            remove_writer: event_loop.getattr("remove_writer")?.unbind(),
            flush: slf.getattr("flush")?.unbind(),
            cancelled_error: py.import("asyncio")?.getattr("CancelledError")?.unbind(),
            log,
            done: Py::new(py, Done)?,
            template: ScopeTemplate::new(py, root_path, state)?,
            starter: Starter::new(&event_loop, context)?,
        };
        let first = slf.get().serving.python.set(callables).is_ok();
        if !first {
            return Err(PyRuntimeError::new_err("the worker serves already"));
        }
        slf.get().serving.put(py, |out| put_frame(out, FromWorker::Ready as u8, Flags::NONE, NO_SLOT, 0, &[]))
    }

    /// Reads the wire: the event loop calls it when there is something to read.
    fn read(slf: &Bound<'_, Self>) -> PyResult<Turn> {
        let (py, this) = (slf.py(), slf.get());
        let executor = this.serving.memory.executor();
        executor.count_turn();
        let flush_before = std::mem::replace(&mut this.serving.output.lock().flush, Flush::AfterRead);
        let outcome = this.take_in(py);
        if executor.take_notice_wanted() {
            let mut output = this.serving.output.lock();
            put_frame(&mut output.bytes, FromWorker::Claimed as u8, Flags::NONE, NO_SLOT, 0, &[]);
        }
        executor.set_processor_time(nanoseconds(ClockId::ThreadCPUTime));
        this.serving.output.lock().flush = flush_before;
        this.flush(py)?;
        outcome
    }

    /// Writes what waits; what the socket cannot take now, when it can.
    #[pyo3(name = "flush")]
    fn flush_from_loop(&self, py: Python<'_>) -> PyResult<()> {
        self.flush(py)
    }
}

impl Worker {
    /// Writes what the socket takes now; the rest waits for [`flush`](Self::flush).
    fn flush_early(&self) -> PyResult<()> {
        self.serving.output.lock().write(&self.serving.wire).map(drop)
    }

    fn flush(&self, py: Python<'_>) -> PyResult<()> {
        let (before, after) = {
            let mut output = self.serving.output.lock();
            let after = if output.write(&self.serving.wire)? { Flush::Idle } else { Flush::WhenWritable };
            (std::mem::replace(&mut output.flush, after), after)
        };
        let python = self.serving.python();
        let descriptor = self.serving.wire.as_raw_fd();
        match (before, after) {
            (Flush::WhenWritable, Flush::WhenWritable) => {}
            (_, Flush::WhenWritable) => {
                python.add_writer.bind(py).call1((descriptor, &python.flush))?;
            }
            (Flush::WhenWritable, _) => {
                python.remove_writer.bind(py).call1((descriptor,))?;
            }
            _ => {}
        }
        Ok(())
    }

    fn take_in(&self, py: Python<'_>) -> PyResult<Turn> {
        let mut input = std::mem::take(&mut *self.input.lock());
        let outcome = self.read_frames(py, &mut input);
        *self.input.lock() = input;
        outcome
    }

    fn read_frames(&self, py: Python<'_>, input: &mut Input) -> PyResult<Turn> {
        if input.buffer.len() < READ_SIZE {
            input.buffer.resize(READ_SIZE, 0);
        }
        let received = recv(self.serving.wire.as_fd(), &mut input.buffer[input.filled..], RecvFlags::DONTWAIT);
        match received {
            Ok((_, 0)) => return Ok(Turn::End),
            Ok((_, count)) => input.filled += count,
            Err(Errno::AGAIN | Errno::INTR) => return Ok(Turn::Continue),
            Err(Errno::CONNRESET) => return Ok(Turn::End),
            Err(error) => return Err(std::io::Error::from(error).into()),
        }
        let mut turn = Turn::Continue;
        let mut start = 0;
        let mut started = 0;
        while let Some(header) = FrameHeader::parse(&input.buffer[start..input.filled]).map_err(violated)? {
            let end = start + HEADER_LENGTH + header.length as usize;
            if end > input.filled {
                if end - start > input.buffer.len() {
                    input.buffer.resize(end - start, 0);
                }
                break;
            }
            if self.take_frame(py, &header, &input.buffer[start + HEADER_LENGTH..end])? == Turn::End {
                turn = Turn::End;
            }
            start = end;
            started += 1;
            if started % FLUSH_EVERY == 0 {
                self.flush_early()?;
            }
        }
        input.buffer.copy_within(start..input.filled, 0);
        input.filled -= start;
        Ok(turn)
    }

    fn take_frame(&self, py: Python<'_>, header: &FrameHeader, payload: &[u8]) -> PyResult<Turn> {
        let kind = ToWorker::try_from(header.kind).map_err(violated)?;
        match kind {
            ToWorker::Request => self.start(py, header, payload)?,
            ToWorker::Shutdown => return Ok(Turn::End),
            _ => {
                if let Some(exchange) = self.serving.exchange(py, header) {
                    deliver(py, exchange.get(), kind, header, payload)?;
                }
            }
        }
        Ok(Turn::Continue)
    }

    /// Starts a request, unless it was taken back meanwhile.
    fn start(&self, py: Python<'_>, header: &FrameHeader, payload: &[u8]) -> PyResult<()> {
        let claimed = self.serving.memory.slot(header.slot).is_some_and(|slot| slot.claim(header.generation));
        self.serving.memory.executor().count_taken();
        if !claimed {
            return Ok(());
        }
        let (head, fields) = RequestHead::parse(payload).map_err(violated)?;
        let python = self.serving.python();
        let body = fields.body();
        let scope = python.template.build(py, &head, fields)?;
        let outflow = Outflow::new(header.slot, header.generation);
        let body_whole = header.flags.contains(Flags::END);
        let protocol = if head.websocket {
            Protocol::WebSocket(Mutex::new(WebSocket::new(outflow)))
        } else {
            Protocol::Http(Mutex::new(Http::new(outflow, body_whole, head.expects_continue)))
        };
        let name = (header.slot, header.generation);
        let exchange = Bound::new(py, Exchange::new(Arc::clone(&self.serving), name, scope, protocol))?;
        if !body.is_empty() {
            exchange.get().request_body(py, body, body_whole)?;
        }
        if !body_whole && !head.expects_continue && !head.websocket {
            exchange.get().grant(py, Some(FLOW_WINDOW as u32))?;
        }
        self.serving.exchanges.lock().insert(header.slot, exchange.clone().unbind());
        let task = python.starter.start(exchange.clone().into_any())?;
        exchange.get().keep_task(task);
        Ok(())
    }
}

fn deliver(py: Python<'_>, exchange: &Exchange, kind: ToWorker, header: &FrameHeader, payload: &[u8]) -> PyResult<()> {
    let end = header.flags.contains(Flags::END);
    match kind {
        ToWorker::RequestBody => exchange.request_body(py, payload, end),
        ToWorker::Disconnect => exchange.disconnect(py, Close { code: 1006, reason: String::new() }),
        ToWorker::ResponseCredit => exchange.response_credit(py, parse_credit(payload).map_err(violated)?),
        ToWorker::WebSocketMessage => exchange.websocket_message(py, payload, header.flags.contains(Flags::TEXT), end),
        ToWorker::WebSocketDisconnect => exchange.disconnect(py, Close::parse(payload).map_err(violated)?),
        ToWorker::Request | ToWorker::Shutdown => Ok(()),
    }
}
