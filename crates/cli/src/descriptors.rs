//! The process's descriptors: standard streams that are there, and room for many connections.

use std::{
    fs::File,
    io::{self, stderr, stdin, stdout},
    os::fd::IntoRawFd,
};

use rustix::{
    io::fcntl_getfd,
    process::{Resource, Rlimit, getrlimit, setrlimit},
};

/// Opens the null device for each standard stream that is closed. Otherwise the listening socket could get the number
/// of one, and workers inherit their standard streams.
pub(crate) fn open_standard_streams() -> io::Result<()> {
    while fcntl_getfd(stdin()).is_err() || fcntl_getfd(stdout()).is_err() || fcntl_getfd(stderr()).is_err() {
        // It gets the lowest number that is free, and stays open for as long as the process lives.
        let _ = File::options().read(true).write(true).open("/dev/null")?.into_raw_fd();
    }
    Ok(())
}

/// Raises the number of descriptors that this process may have to the most that is allowed to it.
pub(crate) fn raise_limit() {
    let limit = getrlimit(Resource::Nofile);
    if limit.current == limit.maximum {
        return;
    }
    let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
    if let Err(error) = setrlimit(Resource::Nofile, raised) {
        tracing::debug!("cannot raise the limit of open descriptors: {error}");
    }
}
