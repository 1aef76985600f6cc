//! Signals as orders.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// What the operator wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    /// SIGHUP: a new generation of workers.
    Reload,
    /// SIGTERM or SIGINT: end; by its number.
    Stop(i32),
}

/// The signals that the server listens to, from its creation on.
#[derive(Debug)]
pub(crate) struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hang_up: Signal,
}

impl Signals {
    /// Must be called inside a tokio runtime.
    pub(crate) fn listen() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hang_up: signal(SignalKind::hangup())?,
        })
    }

    /// The next order.
    pub(crate) async fn next(&mut self) -> Order {
        tokio::select! {
            Some(()) = self.terminate.recv() => Order::Stop(SignalKind::terminate().as_raw_value()),
            Some(()) = self.interrupt.recv() => Order::Stop(SignalKind::interrupt().as_raw_value()),
            Some(()) = self.hang_up.recv() => Order::Reload,
        }
    }
}
