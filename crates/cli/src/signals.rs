//! Signals as orders.

use std::{io, time::Duration};

use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    time::Instant,
};

/// A SIGTERM or SIGINT that follows another so soon is the same order: a terminal and `timeout` signal the whole process
/// group, and whoever runs this process passes it on as well.
const ECHO: Duration = Duration::from_millis(250);

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
    /// When the first order to end came.
    stopped: Option<Instant>,
}

impl Signals {
    /// Must be called inside a tokio runtime.
    pub(crate) fn listen() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hang_up: signal(SignalKind::hangup())?,
            stopped: None,
        })
    }

    /// The next order.
    pub(crate) async fn next(&mut self) -> Order {
        loop {
            let order = self.receive().await;
            if !self.is_echo(order) {
                return order;
            }
        }
    }

    fn is_echo(&mut self, order: Order) -> bool {
        if order == Order::Reload {
            return false;
        }
        match self.stopped {
            Some(stopped) => stopped.elapsed() < ECHO,
            None => {
                self.stopped = Some(Instant::now());
                false
            }
        }
    }

    async fn receive(&mut self) -> Order {
        tokio::select! {
            Some(()) = self.terminate.recv() => Order::Stop(SignalKind::terminate().as_raw_value()),
            Some(()) = self.interrupt.recv() => Order::Stop(SignalKind::interrupt().as_raw_value()),
            Some(()) = self.hang_up.recv() => Order::Reload,
        }
    }
}
