//! What exchanges need of their worker: the output, the state words, and what the worker calls in Python.

use std::{
    collections::HashMap,
    os::fd::OwnedFd,
    sync::{Arc, OnceLock},
};

use andon_wire::{
    Queue,
    memory::SharedMemory,
    state::{ExecutorState, Sight, Step},
};
use parking_lot::Mutex;
use pyo3::{exceptions::PyRuntimeError, prelude::*, types::PyDict};

use crate::{
    awaitable::Done,
    errands::{Errand, Errands},
    exchange::Exchange,
    fork,
    meter::{Begun, Cost, Meter},
    native::Application,
    output::{Flush, Output},
    scope::ScopeTemplate,
    starter::Starter,
    switching::Switching,
    threads::{Attached, Pool, Seat, Surroundings, is_pool_thread},
    watch::Nudge,
};

/// What exchanges need of their worker.
pub(crate) struct Serving {
    memory: SharedMemory,
    wire: OwnedFd,
    output: Mutex<Output>,
    exchanges: Mutex<HashMap<u32, Py<Exchange>>>,
    python: OnceLock<Callables>,
    attached: OnceLock<Attached>,
    native: Mutex<Option<Arc<Application>>>,
    limiter: OnceLock<Option<Py<PyAny>>>,
    meter: Arc<Meter>,
    pool: Pool,
    switching: Switching,
    errands: Arc<Errands>,
    nudge: Arc<Nudge>,
    /// A Task is cancelled when its client has gone.
    pub(crate) cancels: bool,
}

/// What the worker calls in Python, once it serves.
pub(crate) struct Callables {
    pub(crate) application: Py<PyAny>,
    pub(crate) create_future: Py<PyAny>,
    pub(crate) call_soon: Py<PyAny>,
    pub(crate) add_writer: Py<PyAny>,
    pub(crate) remove_writer: Py<PyAny>,
    pub(crate) flush: Py<PyAny>,
    pub(crate) cancelled_error: Py<PyAny>,
    pub(crate) log: Py<PyAny>,
    pub(crate) take_stack: Py<PyAny>,
    /// Lets endpoints be run on threads; `None` once that is done.
    pub(crate) offload: Mutex<Option<Py<PyAny>>>,
    pub(crate) modules: Py<PyDict>,
    /// Python's identifier of the event loop's thread.
    pub(crate) loop_thread: u64,
    pub(crate) done: Py<Done>,
    pub(crate) template: ScopeTemplate,
    pub(crate) starter: Starter,
}

impl Callables {
    /// What lets endpoints be run on threads, the first time.
    pub(crate) fn take_offload(&self) -> Option<Py<PyAny>> {
        self.offload.lock().take()
    }
}

/// What the pool asks of the worker.
struct Around {
    errands: Arc<Errands>,
    nudge: Arc<Nudge>,
}

impl Surroundings for Around {
    fn spawn(&self, seat: Arc<Seat>) {
        self.errands.send(Errand::Spawn(seat));
    }

    fn calls_wait(&self) {
        self.nudge.nudge();
    }
}

impl Serving {
    /// Must be called on the thread of the event loop. `threads`: most threads for blocking calls.
    pub(crate) fn new(
        memory: SharedMemory,
        wire: OwnedFd,
        errands: Arc<Errands>,
        threads: usize,
        cancels: bool,
    ) -> Self {
        let nudge = Arc::new(Nudge::default());
        let around = Around { errands: Arc::clone(&errands), nudge: Arc::clone(&nudge) };
        Self {
            memory,
            wire,
            output: Mutex::default(),
            exchanges: Mutex::default(),
            python: OnceLock::new(),
            attached: OnceLock::new(),
            native: Mutex::default(),
            limiter: OnceLock::new(),
            meter: Arc::new(Meter::new()),
            pool: Pool::new(threads, Box::new(around)),
            switching: Switching::default(),
            errands,
            nudge,
            cancels,
        }
    }

    // Its parts

    pub(crate) fn wire(&self) -> &OwnedFd {
        &self.wire
    }

    pub(crate) fn output(&self) -> &Mutex<Output> {
        &self.output
    }

    pub(crate) fn executor(&self) -> &ExecutorState {
        self.memory.executor()
    }

    pub(crate) fn meter(&self) -> &Arc<Meter> {
        &self.meter
    }

    pub(crate) fn pool(&self) -> &Pool {
        &self.pool
    }

    pub(crate) fn switching(&self) -> &Switching {
        &self.switching
    }

    pub(crate) fn errands(&self) -> &Errands {
        &self.errands
    }

    pub(crate) fn nudge(&self) -> &Nudge {
        &self.nudge
    }

    /// What serves natively, if anything.
    pub(crate) fn native(&self) -> Option<Arc<Application>> {
        self.native.lock().clone()
    }

    /// From now on this serves natively.
    pub(crate) fn set_native(&self, application: Arc<Application>) {
        let before = self.native.lock().replace(application);
        drop(before);
    }

    /// anyio's default limiter. It can be found by a Task only, so it is asked for once, by the first who wants it.
    pub(crate) fn limiter(
        &self,
        py: Python<'_>,
        find: impl FnOnce(Python<'_>) -> Option<Py<PyAny>>,
    ) -> Option<Py<PyAny>> {
        self.limiter.get_or_init(|| find(py)).as_ref().map(|limiter| limiter.clone_ref(py))
    }

    // What is called in Python

    /// Keeps what the threads call in Python. False: it is there already.
    pub(crate) fn set_attached(&self, attached: Attached) -> bool {
        self.attached.set(attached).is_ok()
    }

    pub(crate) fn attached(&self) -> PyResult<&Attached> {
        let attached = self.attached.get();
        attached.ok_or_else(|| PyRuntimeError::new_err("the threads are not attached to an event loop"))
    }

    /// Keeps what is called in Python. False: it is there already.
    pub(crate) fn set_python(&self, python: Callables) -> bool {
        self.python.set(python).is_ok()
    }

    /// Whether `serve` was called.
    pub(crate) fn serves(&self) -> bool {
        self.python.get().is_some()
    }

    pub(crate) fn python(&self) -> &Callables {
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

    pub(crate) fn take_stack<'py>(&self, py: Python<'py>) -> &Bound<'py, PyAny> {
        self.python().take_stack.bind(py)
    }

    pub(crate) fn loop_thread(&self) -> u64 {
        self.python().loop_thread
    }

    // Frames

    /// Appends frames, and sees to it that they are written: at the end of the loop's turn, or at once if this is a
    /// thread of the pool. What a forked process puts is for nobody.
    pub(crate) fn put<T>(&self, py: Python<'_>, append: impl FnOnce(&mut Queue) -> T) -> PyResult<T> {
        if fork::is_child() {
            return Ok(append(&mut Queue::default()));
        }
        if is_pool_thread() {
            let result = append(&mut self.output.lock().queue);
            return self.write_from_thread(py).map(|()| result);
        }
        let (result, schedule) = {
            let mut output = self.output.lock();
            let result = append(&mut output.queue);
            let schedule = output.flush == Flush::Idle && !output.queue.is_empty();
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

    /// Writes what the socket takes. What it does not take is for the event loop to write.
    fn write_from_thread(&self, py: Python<'_>) -> PyResult<()> {
        let schedule = self.write(|output, whole| {
            let schedule = !whole && output.flush == Flush::Idle;
            if schedule {
                output.flush = Flush::Soon;
            }
            schedule
        })?;
        if schedule { self.attached()?.call_soon_threadsafe(py, &self.python().flush) } else { Ok(()) }
    }

    /// Appends frames that are written with the next ones.
    pub(crate) fn put_later<T>(&self, append: impl FnOnce(&mut Queue) -> T) -> T {
        append(&mut self.output.lock().queue)
    }

    /// Appends frames and writes what the socket takes, from any thread: the event loop may be held. What it does not
    /// take goes with the loop's next frames.
    pub(crate) fn put_now(&self, append: impl FnOnce(&mut Queue)) {
        append(&mut self.output.lock().queue);
        // An end of the wire is seen when it is read.
        let _ = self.write(|_, _| ());
    }

    /// Writes what the socket takes now. `then` is told whether that was all, before anything can be added.
    pub(crate) fn write<T>(&self, then: impl FnOnce(&mut Output, bool) -> T) -> PyResult<T> {
        let mut output = self.output.lock();
        let whole = output.write(&self.wire);
        let spent = output.queue.take_spent();
        let result = whole.map(|whole| then(&mut output, whole));
        drop(output);
        // Bytes may be of a class of the application's with a destructor, which may send.
        drop(spent);
        result
    }

    // Steps

    pub(crate) fn begin_step(&self, slot: u32, generation: u32) -> Begun {
        let begun = self.meter.begin();
        self.executor().begin_step(slot, generation, begun.at);
        begun
    }

    pub(crate) fn end_step(&self, py: Python<'_>, begun: Begun) -> Cost {
        self.executor().end_step();
        self.meter.end(begun, || self.python().modules.bind(py).len())
    }

    pub(crate) fn step(&self) -> Option<Step> {
        self.executor().step()
    }

    pub(crate) fn step_since(&self) -> Option<u64> {
        self.step().map(|step| step.since)
    }

    pub(crate) fn turns(&self) -> u64 {
        self.executor().turns()
    }

    pub(crate) fn publish(&self, sight: &Sight) {
        self.executor().publish(sight);
    }

    /// Whether calls compute on threads: the event loop should get the GIL sooner then.
    pub(crate) fn set_pace(&self, computes: bool) {
        if self.switching.ask(computes) {
            self.errands.send(Errand::SetPace);
        }
    }

    // Exchanges

    pub(crate) fn keep(&self, slot: u32, exchange: Py<Exchange>) {
        let before = self.exchanges.lock().insert(slot, exchange);
        drop(before);
    }

    /// Takes up the offer in `slot`. False: it was recalled.
    pub(crate) fn claim(&self, slot: u32, generation: u32) -> bool {
        let claimed = self.memory.slot(slot).is_some_and(|slot| slot.claim(generation));
        self.executor().count_taken();
        claimed
    }

    /// The application's callable has ended: the front may use the slot again.
    pub(crate) fn finished(&self, slot: u32, generation: u32) {
        if let Some(word) = self.memory.slot(slot) {
            word.finish(generation);
        }
        let exchange = self.exchanges.lock().remove(&slot);
        drop(exchange);
    }

    pub(crate) fn exchange(&self, py: Python<'_>, slot: u32, generation: u32) -> Option<Py<Exchange>> {
        let exchanges = self.exchanges.lock();
        let exchange = exchanges.get(&slot)?;
        (exchange.get().name() == (slot, generation)).then(|| exchange.clone_ref(py))
    }

    /// The exchange whose step is in execution.
    pub(crate) fn current(&self, py: Python<'_>) -> Option<Py<Exchange>> {
        let step = self.step()?;
        self.exchange(py, step.slot, step.generation)
    }
}
