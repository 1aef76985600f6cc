//! The front's shutdown, as every connection sees it: serve, then drain, then cut.
//!
//! Connections look at one atomic whenever they are polled, and are woken once per change. So a request pays one load.

use std::{
    pin::Pin,
    sync::atomic::{AtomicU8, Ordering},
    task::Context,
};

use tokio::sync::{Notify, futures::Notified};

/// How far the shutdown is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub(crate) enum Stage {
    /// Requests are taken.
    Serving = 0,
    /// What is under way may end; nothing new begins.
    Draining = 1,
    /// Connections end at once.
    Cut = 2,
}

/// Where the front tells its connections.
#[derive(Debug, Default)]
pub(crate) struct Closing {
    stage: AtomicU8,
    changed: Notify,
}

impl Closing {
    fn stage(&self) -> Stage {
        match self.stage.load(Ordering::Acquire) {
            0 => Stage::Serving,
            1 => Stage::Draining,
            _ => Stage::Cut,
        }
    }

    /// Goes on to `stage` and wakes every connection.
    pub(crate) fn advance(&self, stage: Stage) {
        self.stage.fetch_max(stage as u8, Ordering::AcqRel);
        self.changed.notify_waiters();
    }
}

/// The stages as one task sees them.
#[derive(Debug)]
pub(crate) struct Stages<'a> {
    closing: &'a Closing,
    changed: Pin<Box<Notified<'a>>>,
    /// The stage for whose end the task is to be woken; `None` before the first look.
    awaited: Option<Stage>,
}

impl<'a> Stages<'a> {
    pub(crate) fn new(closing: &'a Closing) -> Self {
        Self { closing, changed: Box::pin(closing.changed.notified()), awaited: None }
    }

    /// The stage now; the task is woken at the next. Must always be called by the same task: it is registered once.
    pub(crate) fn look(&mut self, context: &mut Context<'_>) -> Stage {
        let mut stage = self.closing.stage();
        while self.awaited != Some(stage) {
            self.changed.set(self.closing.changed.notified());
            let _ = self.changed.as_mut().poll(context);
            self.awaited = Some(stage);
            // A change before the registration has woken nobody, so it must be seen here.
            stage = self.closing.stage();
        }
        stage
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use super::*;

    async fn until(stages: &mut Stages<'_>, stage: Stage) {
        poll_fn(
            |context| if stages.look(context) == stage { std::task::Poll::Ready(()) } else { std::task::Poll::Pending },
        )
        .await;
    }

    #[tokio::test]
    async fn waiting_task_is_woken_for_each_stage() {
        let closing = Closing::default();
        let mut stages = Stages::new(&closing);
        until(&mut stages, Stage::Serving).await;
        for stage in [Stage::Draining, Stage::Cut] {
            tokio::join!(biased; until(&mut stages, stage), async { closing.advance(stage) });
        }
    }

    #[tokio::test]
    async fn stage_never_goes_back() {
        let closing = Closing::default();
        closing.advance(Stage::Cut);
        closing.advance(Stage::Draining);
        until(&mut Stages::new(&closing), Stage::Cut).await;
    }
}
