//! What has to be done in Python on behalf of threads that never take the GIL: starting threads for the pool, making the
//! interpreter switch threads sooner, taking stacks.
//!
//! One thread does it, one errand after the other. It may wait long for the GIL; nothing else waits for it.

use std::{
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver, Sender, channel},
    },
    thread,
    time::Duration,
};

use pyo3::prelude::*;

use crate::{serving::Serving, stall::Order, threads::Seat};

/// How long to wait after a thread could not be started, where no other is left to take what waits.
const SPAWN_AGAIN: Duration = Duration::from_millis(100);

pub(crate) enum Errand {
    /// A thread for this seat of the pool.
    Spawn(Arc<Seat>),
    /// Calls on threads compute, or do no longer: the event loop beside them should get the GIL soon while they do.
    SetPace,
    /// The stack of a thread that stalls.
    Report(Order),
}

/// Takes errands for the thread that does them.
pub(crate) struct Errands {
    sender: Sender<Errand>,
    spawn: OnceLock<Py<PyAny>>,
    closed: AtomicBool,
}

impl Errands {
    pub(crate) fn new() -> (Arc<Self>, Receiver<Errand>) {
        let (sender, receiver) = channel();
        (Arc::new(Self { sender, spawn: OnceLock::new(), closed: AtomicBool::new(false) }), receiver)
    }

    /// The callable that starts a thread for a seat, given its number. False: there is one already.
    pub(crate) fn set_spawn(&self, spawn: Py<PyAny>) -> bool {
        self.spawn.set(spawn).is_ok()
    }

    pub(crate) fn send(&self, errand: Errand) {
        // The receiver lives as long as the process.
        let _ = self.sender.send(errand);
    }

    /// The interpreter is about to end: nothing is done in it any more.
    pub(crate) fn close(&self) {
        self.closed.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Relaxed)
    }
}

/// Starts the thread that does the errands.
pub(crate) fn start(serving: Arc<Serving>, errands: Receiver<Errand>) -> std::io::Result<()> {
    thread::Builder::new().name("andon-errands".to_owned()).spawn(move || {
        for errand in errands {
            if !serving.errands().is_closed() {
                run(&serving, errand);
            }
        }
    })?;
    Ok(())
}

fn run(serving: &Serving, errand: Errand) {
    // `None`: the interpreter is ending.
    let _ = Python::try_attach(|py| match errand {
        Errand::Spawn(seat) => spawn(py, serving, &seat),
        Errand::SetPace => {
            if let Err(error) = serving.switching().set(py) {
                error.write_unraisable(py, None);
            }
        }
        Errand::Report(order) => {
            if let Err(error) = order.carry_out(py, serving) {
                error.write_unraisable(py, None);
            }
        }
    });
}

fn spawn(py: Python<'_>, serving: &Serving, seat: &Seat) {
    let spawn = serving.errands().spawn.get();
    if let Some(Err(error)) = spawn.map(|spawn| spawn.bind(py).call1((seat.number,))) {
        error.write_unraisable(py, None);
        // To try again at once would fail again, and take the GIL from those who could end.
        if !serving.pool().give_up(seat) {
            py.detach(|| thread::sleep(SPAWN_AGAIN));
            serving.pool().start();
        }
    }
}
