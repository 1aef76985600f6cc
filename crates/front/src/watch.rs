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
        atomic::{AtomicBool, AtomicU8, Ordering},
    },
    task::Context,
    time::Duration,
};

use andon_config::Timeouts;
use parking_lot::Mutex;
use tokio::time::{Instant, Sleep};

/// Bytes of a request head that are kept for [`Watch::head_is`].
const KEPT_HEAD: usize = 16 * 1024;

/// After so long without a request a connection gives up its buffers. Short, so that a burst of connections uses the
/// same memory one after the other: what was once taken is not given back to the system by most allocators. Long
/// enough that a client which sends request upon request is never parked.
const PARK_AFTER: Duration = Duration::from_millis(100);

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
    /// The connection has been idle for [`PARK_AFTER`].
    parkable: AtomicBool,
    /// The socket does not take all of an answer; it may be that of the last request, which is not running any more.
    blocked: AtomicBool,
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
            parkable: AtomicBool::new(false),
            blocked: AtomicBool::new(false),
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
        self.parkable.store(false, Ordering::Relaxed);
        Hold { watch: Arc::clone(self) }
    }

    /// Bytes came from the client.
    pub(crate) fn arrived(&self, bytes: &[u8]) {
        let mut state = self.state.lock();
        match state.phase {
            Phase::Idle if !bytes.is_empty() => {
                self.parkable.store(false, Ordering::Relaxed);
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

    /// Whether the connection is idle for long enough to give up its buffers, and has nothing in them.
    pub(crate) fn may_park(&self) -> bool {
        self.parkable.load(Ordering::Relaxed) && !self.blocked.load(Ordering::Relaxed)
    }

    /// The socket took, or did not take, what was written.
    pub(crate) fn set_blocked(&self, blocked: bool) {
        self.blocked.store(blocked, Ordering::Relaxed);
    }

    fn shortest(&self) -> Duration {
        let limits = [self.keep_alive, self.request_head, self.request_body];
        limits.into_iter().flatten().min().map_or(PARK_AFTER, |limit| limit.min(PARK_AFTER))
    }

    /// Marks the present phase as expired if it is, and tells when to look again.
    ///
    /// A phase that begins right after this cannot pass its limit before the next look, which is no later than the
    /// shortest limit from now.
    fn check(&self, now: Instant) -> Instant {
        let state = self.state.lock();
        let next = now + self.shortest();
        let (limit, expired) = match state.phase {
            Phase::Idle => (self.keep_alive, Expired::Idle),
            Phase::Head => (self.request_head, Expired::Head),
            Phase::Body => (self.request_body, Expired::Body),
            Phase::Busy => return next,
        };
        if state.phase == Phase::Idle && state.since + PARK_AFTER <= now {
            self.parkable.store(true, Ordering::Relaxed);
        }
        match limit.map(|limit| state.since + limit) {
            Some(deadline) if deadline <= now => {
                self.expired.store(expired as u8, Ordering::Relaxed);
                next
            }
            // A parked connection wakes only for its end.
            Some(deadline) if self.may_park() => deadline,
            Some(deadline) => next.min(deadline),
            None => next,
        }
    }
}

/// The one timer of a connection.
#[derive(Debug)]
pub(crate) struct WatchTimer<'a> {
    watch: &'a Watch,
    sleep: Pin<Box<Sleep>>,
    registered: bool,
}

impl<'a> WatchTimer<'a> {
    pub(crate) fn new(watch: &'a Watch) -> Self {
        let sleep = Box::pin(tokio::time::sleep(watch.shortest()));
        Self { watch, sleep, registered: false }
    }

    /// Something has happened on a parked connection: it is looked at again within the shortest limit.
    pub(crate) fn restart(&mut self) {
        self.watch.parkable.store(false, Ordering::Relaxed);
        self.sleep.as_mut().reset(Instant::now() + self.watch.shortest());
        self.registered = false;
    }

    /// Checks the watch if it is time to. Must always be called by the same task: it is registered once per wait, and
    /// otherwise a look costs one load.
    pub(crate) fn look(&mut self, context: &mut Context<'_>) {
        while !self.registered || self.sleep.is_elapsed() {
            self.registered = true;
            if self.sleep.as_mut().poll(context).is_pending() {
                return;
            }
            self.sleep.as_mut().reset(self.watch.check(Instant::now()));
            self.registered = false;
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
        assert_eq!(watch.check(Instant::now()), Instant::now() + Duration::from_secs(1));
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
    async fn idle_connection_may_give_up_its_buffers_until_something_arrives() {
        let watch = watch();
        assert_eq!(watch.check(Instant::now()), Instant::now() + PARK_AFTER);
        assert!(!watch.may_park());
        pass(1).await;
        // Nothing but its end is to be waited for then.
        assert_eq!(watch.check(Instant::now()), Instant::now() + Duration::from_secs(74));
        assert!(watch.may_park());
        watch.set_blocked(true);
        assert!(!watch.may_park());
        watch.set_blocked(false);
        watch.arrived(b"GET");
        assert!(!watch.may_park());
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
