//! What a thread of this process does just now, seen from outside and without the GIL: from `/proc`.
//!
//! Where the system does not tell (other systems, hardened kernels), the answer is "not known", and what depends on it
//! is told less exactly.

use std::{fs::File, os::unix::fs::FileExt, sync::OnceLock};

use crate::clock;

/// What a thread does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Activity {
    /// It runs, or could if a processor were free.
    Running,
    /// It waits for the GIL.
    WaitsForGil,
    /// It waits in the system call of this number.
    Waits(u32),
    /// The system does not tell.
    Unknown,
}

/// Watches one thread.
#[derive(Debug)]
pub(crate) struct Probe {
    id: i32,
    system_call: Option<File>,
    /// Opened when it is first asked for, which it is of the event loop's thread only: there may be a thousand threads.
    schedule: OnceLock<Option<File>>,
}

impl Probe {
    /// Watches the calling thread.
    pub(crate) fn of_this_thread() -> Self {
        let id = rustix::thread::gettid().as_raw_nonzero().get();
        Self { id, system_call: open(id, "syscall"), schedule: OnceLock::new() }
    }

    /// Its CPU time in nanoseconds.
    pub(crate) fn processor(&self) -> Option<u64> {
        clock::processor_of(self.id)
    }

    /// How long it has waited for a processor since it began, in nanoseconds.
    pub(crate) fn starved(&self) -> Option<u64> {
        // "time on a processor, time waiting for one, number of time slices" (proc(5), sched-stats.txt of Linux).
        let file = self.schedule.get_or_init(|| open(self.id, "schedstat"));
        read(file.as_ref()?, |text| text.split_ascii_whitespace().nth(1)?.parse().ok())
    }

    /// What it does.
    pub(crate) fn activity(&self) -> Activity {
        let file = self.system_call.as_ref();
        file.and_then(|file| read(file, activity)).unwrap_or(Activity::Unknown)
    }
}

fn open(id: i32, name: &str) -> Option<File> {
    File::open(format!("/proc/self/task/{id}/{name}")).ok()
}

fn read<T>(file: &File, parse: impl FnOnce(&str) -> Option<T>) -> Option<T> {
    let mut buffer = [0; 256];
    let length = file.read_at(&mut buffer, 0).ok()?;
    parse(std::str::from_utf8(&buffer[..length]).ok()?)
}

/// "running", or the number of the system call and its arguments (proc(5)); -1: blocked, but in none.
fn activity(text: &str) -> Option<Activity> {
    let mut words = text.split_ascii_whitespace();
    let Ok(number) = words.next()?.parse::<u32>() else {
        return Some(Activity::Running);
    };
    let mut address = || usize::from_str_radix(words.next()?.strip_prefix("0x")?, 16).ok();
    if i64::from(number) == FUTEX && address().is_some_and(is_in_interpreter) {
        return Some(Activity::WaitsForGil);
    }
    Some(Activity::Waits(number))
}

/// The runtime structure of CPython holds the GIL of the main interpreter; no other lock that threads wait for long is
/// in it. Its length depends on the version (3.10: 60 KiB, 3.13: 700 KiB); what follows it in memory holds no locks.
const RUNTIME_LENGTH: usize = 1024 * 1024;

fn is_in_interpreter(address: usize) -> bool {
    static RUNTIME: OnceLock<usize> = OnceLock::new();
    #[allow(unsafe_code, reason = "a symbol of the interpreter that has no type in PyO3")]
    let start = *RUNTIME.get_or_init(|| {
        // SAFETY: looks a name up among the libraries that are loaded; the address is only compared.
        unsafe { libc::dlsym(libc::RTLD_DEFAULT, c"_PyRuntime".as_ptr()) as usize }
    });
    start != 0 && (start..start + RUNTIME_LENGTH).contains(&address)
}

/// Name of a system call that threads wait in; others as their number.
pub(crate) fn system_call_name(number: u32) -> String {
    let named = NAMES.iter().find(|(known, _)| *known == i64::from(number));
    named.map_or_else(|| format!("system call {number}"), |(_, name)| (*name).to_owned())
}

#[cfg(target_os = "linux")]
macro_rules! names {
    ($($constant:ident $name:literal),+ $(,)?) => {
        [$((libc::$constant, $name)),+]
    };
}

#[cfg(target_os = "linux")]
const FUTEX: i64 = libc::SYS_futex;

#[cfg(not(target_os = "linux"))]
const FUTEX: i64 = -1;

#[cfg(target_os = "linux")]
const NAMES: [(i64, &str); 26] = names![
    SYS_accept4 "accept4", SYS_clock_nanosleep "clock_nanosleep", SYS_connect "connect", SYS_epoll_pwait "epoll_pwait",
    SYS_fdatasync "fdatasync", SYS_fsync "fsync", SYS_flock "flock", SYS_futex "futex", SYS_getrandom "getrandom",
    SYS_nanosleep "nanosleep", SYS_openat "openat", SYS_ppoll "ppoll", SYS_pread64 "pread64", SYS_pselect6 "pselect6",
    SYS_read "read", SYS_readv "readv", SYS_recvfrom "recvfrom", SYS_recvmsg "recvmsg", SYS_sendfile "sendfile",
    SYS_sendmsg "sendmsg", SYS_sendto "sendto", SYS_wait4 "wait4", SYS_waitid "waitid", SYS_write "write",
    SYS_writev "writev", SYS_io_uring_enter "io_uring_enter",
];

#[cfg(not(target_os = "linux"))]
const NAMES: [(i64, &str); 0] = [];

/// Whether it is a call in which an event loop waits for events.
pub(crate) fn waits_for_events(number: u32) -> bool {
    EVENTS.contains(&i64::from(number))
}

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
const EVENTS: [i64; 6] = [
    libc::SYS_epoll_wait,
    libc::SYS_epoll_pwait,
    libc::SYS_poll,
    libc::SYS_ppoll,
    libc::SYS_select,
    libc::SYS_pselect6,
];

#[cfg(all(target_os = "linux", not(target_arch = "x86_64")))]
const EVENTS: [i64; 3] = [libc::SYS_epoll_pwait, libc::SYS_ppoll, libc::SYS_pselect6];

#[cfg(not(target_os = "linux"))]
const EVENTS: [i64; 0] = [];
