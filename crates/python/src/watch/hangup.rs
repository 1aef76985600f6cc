//! A thread that ends the worker when the front is gone, even if the event loop is held.
//!
//! It never takes the GIL. The loop sees the end of the wire as well and ends the lifespan in good order; this thread
//! only acts when that has not happened in time.

use std::{os::fd::OwnedFd, thread, time::Duration};

use rustix::{
    event::{PollFd, PollFlags, poll},
    process::{Signal, getpid, kill_process},
};

/// Watches `wire` (a duplicate of the wire's descriptor) and kills this process when the other end has been closed for
/// longer than `patience`.
pub(crate) fn start(wire: OwnedFd, patience: Duration) -> std::io::Result<()> {
    thread::Builder::new().name("andon-hangup".to_owned()).stack_size(64 * 1024).spawn(move || {
        wait_for_hangup(&wire);
        thread::sleep(patience);
        let _ = kill_process(getpid(), Signal::KILL);
    })?;
    Ok(())
}

fn wait_for_hangup(wire: &OwnedFd) {
    loop {
        // No event is asked for: POLLHUP and POLLERR are always told.
        let mut descriptors = [PollFd::new(wire, PollFlags::empty())];
        match poll(&mut descriptors, None) {
            Ok(_) if descriptors[0].revents().intersects(PollFlags::HUP | PollFlags::ERR) => return,
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(_) => return,
        }
    }
}
