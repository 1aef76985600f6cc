//! Descriptors that a child process keeps: the one unsafe line of this crate.

use std::{
    os::{
        fd::{AsFd, BorrowedFd, OwnedFd},
        unix::process::CommandExt,
    },
    process::Command,
};

use rustix::io::{FdFlags, fcntl_setfd};

/// Lets the child of `command`, and no other child, inherit `descriptors` under the numbers that they have here.
///
/// They stay close-on-exec in this process, so that workers which are started at the same time do not get them. They
/// must be above 2 (those of [`above_standard`] are): the child's standard streams are laid over 0 to 2.
#[allow(unsafe_code, reason = "the flag has to be cleared between fork and exec, in the child only")]
pub(crate) fn inherit(command: &mut Command, descriptors: [OwnedFd; 2]) {
    let keep = move || {
        for descriptor in &descriptors {
            fcntl_setfd(descriptor, FdFlags::empty())?;
        }
        Ok(())
    };
    // SAFETY: after fork in a process with threads only async-signal-safe calls are allowed. `keep` makes one fcntl
    // system call per descriptor and touches neither the heap nor a lock; making an `io::Error` from an error number
    // does not allocate. The closure owns the descriptors, so their numbers cannot have been reused.
    unsafe { command.pre_exec(keep) };
}

/// A copy of `descriptor` which is close-on-exec and whose number is above 2, also where this process was started
/// with its standard streams closed.
pub(crate) fn above_standard(descriptor: impl AsFd) -> std::io::Result<OwnedFd> {
    BorrowedFd::try_clone_to_owned(&descriptor.as_fd())
}
