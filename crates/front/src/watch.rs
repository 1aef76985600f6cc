//! What a connection waits for and since when, so that one timer per connection can hold every time-out.
//!
//! A timer per request head (hyper's `header_read_timeout`) would be registered and cancelled for each request.
//! Instead the phases write down when they began, and the connection's timer, when it fires, looks whether the present
//! phase is over its limit and sleeps on otherwise. It fires at most once per shortest limit, whatever the traffic.
//!
//! ```text
//!          first byte          head is whole           last Hold is dropped
//!   Idle -------------> Head ----------------> Busy <----------------------> Idle
//!   keep-alive          head time-out           |  ^
//!                                               v  | the service waits for a small body
//!                                              Body: body time-out
//! ```

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
    task::Context,
    time::Duration,
};

use andon_config::Timeouts;
use parking_lot::Mutex;
use tokio::time::{Instant, Sleep};

/// Bytes of a request head that are kept for [`Watch::head_is`].
const KEPT_HEAD: usize = 16 * 1024;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Idle,
    Head,
    Busy,
    Body,
}

/// Which limit was passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Expired {
    /// No request came.
    Idle = 1,
    /// A request head was not completed.
    Head = 2,
    /// A request body was not completed.
    Body = 3,
}

#[derive(Debug)]
struct State {
    phase: Phase,
    since: Instant,
    /// [`Hold`]s that exist: the service or the answer's body, and the pump of a request body.
    holds: u32,
    /// What was read since the connection was idle.
    head: Vec<u8>,
}

/// The phases of one connection.
#[derive(Debug)]
pub(crate) struct Watch {
    state: Mutex<State>,
    expired: AtomicU8,
    keep_alive: Option<Duration>,
    request_head: Option<Duration>,
    request_body: Option<Duration>,
}

impl Watch {
    /// A connection that begins now, idle.
    pub(crate) fn new(timeouts: &Timeouts) -> Self {
        let state = State { phase: Phase::Idle, since: Instant::now(), holds: 0, head: Vec::new() };
        Self {
            state: Mutex::new(state),
            expired: AtomicU8::new(0),
            keep_alive: timeouts.keep_alive.limit(),
            request_head: timeouts.request_head.limit(),
            request_body: timeouts.request_body.limit(),
        }
    }

    /// The connection is in use until the hold is dropped.
    pub(crate) fn hold(self: &Arc<Self>) -> Hold {
        let mut state = self.state.lock();
        state.holds += 1;
        state.phase = Phase::Busy;
        Hold { watch: Arc::clone(self) }
    }

    /// Bytes came from the client.
    pub(crate) fn arrived(&self, bytes: &[u8]) {
        let mut state = self.state.lock();
        match state.phase {
            Phase::Idle if !bytes.is_empty() => {
                state.phase = Phase::Head;
                state.since = Instant::now();
                state.head.clear();
                state.head.extend_from_slice(bytes);
            }
            Phase::Head if state.head.len() < KEPT_HEAD => state.head.extend_from_slice(bytes),
            Phase::Body => state.since = Instant::now(),
            Phase::Idle | Phase::Head | Phase::Busy => {}
        }
    }

    /// The service waits for a request body from now on; until [`body_is_here`](Self::body_is_here).
    pub(crate) fn await_body(&self) {
        let mut state = self.state.lock();
        state.phase = Phase::Body;
        state.since = Instant::now();
    }

    /// The service has its request body.
    pub(crate) fn body_is_here(&self) {
        self.state.lock().phase = Phase::Busy;
    }

    /// Whether `contains` holds for the head that has just been read. False where the head was not read as the first
    /// one after an idle connection, and so is not known.
    pub(crate) fn head_is(&self, contains: impl FnOnce(&[u8]) -> bool) -> bool {
        contains(&std::mem::take(&mut self.state.lock().head))
    }

    /// Which limit was passed, if one was.
    pub(crate) fn expired(&self) -> Option<Expired> {
        match self.expired.load(Ordering::Relaxed) {
            0 => None,
            1 => Some(Expired::Idle),
            2 => Some(Expired::Head),
            _ => Some(Expired::Body),
        }
    }

    fn shortest(&self) -> Option<Duration> {
        [self.keep_alive, self.request_head, self.request_body].into_iter().flatten().min()
    }

    /// Marks the present phase as expired if it is, and tells when to look again.
    ///
    /// A phase that begins right after this cannot pass its limit before the next look, which is no later than the
    /// shortest limit from now.
    fn check(&self, now: Instant) -> Option<Instant> {
        let state = self.state.lock();
        let next = now + self.shortest()?;
        let (limit, expired) = match state.phase {
            Phase::Idle => (self.keep_alive, Expired::Idle),
            Phase::Head => (self.request_head, Expired::Head),
            Phase::Body => (self.request_body, Expired::Body),
            Phase::Busy => return Some(next),
        };
        match limit.map(|limit| state.since + limit) {
            Some(deadline) if deadline <= now => {
                self.expired.store(expired as u8, Ordering::Relaxed);
                Some(next)
            }
            Some(deadline) => Some(next.min(deadline)),
            None => Some(next),
        }
    }
}

/// The one timer of a connection.
#[derive(Debug)]
pub(crate) struct WatchTimer<'a> {
    watch: &'a Watch,
    /// `None` if nothing is limited.
    sleep: Option<Pin<Box<Sleep>>>,
    registered: bool,
}

impl<'a> WatchTimer<'a> {
    pub(crate) fn new(watch: &'a Watch) -> Self {
        let sleep = watch.shortest().map(|limit| Box::pin(tokio::time::sleep(limit)));
        Self { watch, sleep, registered: false }
    }

    /// Checks the watch if it is time to. Must always be called by the same task: it is registered once per wait, and
    /// otherwise a look costs one load.
    pub(crate) fn look(&mut self, context: &mut Context<'_>) {
        while let Some(sleep) = &mut self.sleep {
            if self.registered && !sleep.is_elapsed() {
                return;
            }
            self.registered = true;
            if sleep.as_mut().poll(context).is_pending() {
                return;
            }
            if let Some(next) = self.watch.check(Instant::now()) {
                sleep.as_mut().reset(next);
                self.registered = false;
            }
        }
    }
}

/// Keeps a connection from counting as idle.
#[derive(Debug)]
pub(crate) struct Hold {
    watch: Arc<Watch>,
}

impl Clone for Hold {
    fn clone(&self) -> Self {
        self.watch.state.lock().holds += 1;
        Self { watch: Arc::clone(&self.watch) }
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        let mut state = self.watch.state.lock();
        state.holds -= 1;
        if state.holds == 0 {
            state.phase = Phase::Idle;
            state.since = Instant::now();
            state.head.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use andon_config::Seconds;

    use super::*;

    fn watch() -> Arc<Watch> {
        let seconds = |seconds| Seconds(Duration::from_secs(seconds));
        Arc::new(Watch::new(&Timeouts {
            keep_alive: seconds(75),
            request_head: seconds(30),
            request_body: seconds(20),
            graceful_shutdown: seconds(30),
        }))
    }

    async fn pass(seconds: u64) {
        tokio::time::advance(Duration::from_secs(seconds)).await;
    }

    #[tokio::test(start_paused = true)]
    async fn idle_connection_expires_after_its_limit_and_not_before() {
        let watch = watch();
        pass(74).await;
        assert_eq!(watch.check(Instant::now()), Some(Instant::now() + Duration::from_secs(1)));
        assert_eq!(watch.expired(), None);
        pass(1).await;
        watch.check(Instant::now());
        assert_eq!(watch.expired(), Some(Expired::Idle));
    }

    #[tokio::test(start_paused = true)]
    async fn head_is_timed_from_its_first_byte() {
        let watch = watch();
        pass(60).await;
        watch.arrived(b"GET");
        pass(29).await;
        watch.arrived(b" /");
        watch.check(Instant::now());
        assert_eq!(watch.expired(), None);
        pass(1).await;
        watch.check(Instant::now());
        assert_eq!(watch.expired(), Some(Expired::Head));
    }

    #[tokio::test(start_paused = true)]
    async fn body_is_timed_from_its_last_bytes() {
        let watch = watch();
        let _hold = watch.hold();
        watch.await_body();
        pass(19).await;
        watch.arrived(b"part");
        pass(19).await;
        watch.check(Instant::now());
        assert_eq!(watch.expired(), None);
        pass(1).await;
        watch.check(Instant::now());
        assert_eq!(watch.expired(), Some(Expired::Body));
    }

    #[tokio::test(start_paused = true)]
    async fn connection_in_use_never_expires_and_is_idle_only_after_its_last_hold() {
        let watch = watch();
        let first = watch.hold();
        let second = first.clone();
        drop(first);
        pass(1000).await;
        watch.check(Instant::now());
        assert_eq!(watch.expired(), None);
        drop(second);
        pass(75).await;
        watch.check(Instant::now());
        assert_eq!(watch.expired(), Some(Expired::Idle));
    }

    #[tokio::test(start_paused = true)]
    async fn next_look_is_never_later_than_the_shortest_limit() {
        let watch = watch();
        let now = Instant::now();
        assert_eq!(watch.check(now), Some(now + Duration::from_secs(20)));
    }

    #[test]
    fn kept_head_is_that_of_the_first_request_after_idleness() {
        let watch = watch();
        watch.arrived(b"GET / HT");
        watch.arrived(b"TP/1.1\r\n");
        let hold = watch.hold();
        watch.arrived(b"pipelined");
        assert!(watch.head_is(|head| head == b"GET / HTTP/1.1\r\n"));
        drop(hold);
        assert!(watch.head_is(<[u8]>::is_empty));
    }
}
