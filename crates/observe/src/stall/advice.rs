//! One sentence on what to change, from the kind of a stall and from the calls that can be recognised in its stack.
//!
//! A call that is written in C has no frame of its own: `time.sleep` shows only in the system call.

use andon_wire::stall::{Place, StackFrame, Stall, StallKind};

/// Frames in which a known call is looked for, from the innermost one on: a library's own depth.
const DEPTH: usize = 24;

/// A call that takes long, by the file in which it is implemented.
struct Known {
    /// A part of the file's path.
    file: &'static str,
    call: &'static str,
    /// What to use, or what to know.
    instead: &'static str,
}

const fn known(file: &'static str, call: &'static str, instead: &'static str) -> Known {
    Known { file, call, instead }
}

/// The more special ones first: a library before what it stands on.
const BLOCKING: [Known; 24] = [
    known("/requests/", "`requests`", "`httpx.AsyncClient` instead of `requests`"),
    known("/httpx/", "a synchronous `httpx` call", "`httpx.AsyncClient` instead of `httpx.get` and `httpx.Client`"),
    known("/botocore/", "`boto3`", "`aioboto3` instead of `boto3`"),
    known("/redis/", "the synchronous Redis client", "`redis.asyncio.Redis` instead of `redis.Redis`"),
    known("/pymongo/", "the synchronous MongoDB client", "`pymongo.AsyncMongoClient` instead of `pymongo.MongoClient`"),
    known(
        "/sqlalchemy/",
        "a synchronous database session",
        "`sqlalchemy.ext.asyncio` instead of a synchronous session",
    ),
    known("/django/db/", "a synchronous database call", "the asynchronous methods of the ORM, such as `aget`"),
    known("/psycopg2/", "`psycopg2`", "`psycopg.AsyncConnection` or `asyncpg` instead of `psycopg2`"),
    known("/psycopg/", "a synchronous database call", "`psycopg.AsyncConnection` instead of `psycopg.Connection`"),
    known("/pymysql/", "`pymysql`", "`asyncmy` or `aiomysql` instead of `pymysql`"),
    known("/sqlite3/", "`sqlite3`", "`aiosqlite` instead of `sqlite3`"),
    known("/grpc/", "a synchronous gRPC call", "`grpc.aio` instead of a synchronous channel"),
    known("/smtplib.py", "`smtplib`", "`aiosmtplib` instead of `smtplib`"),
    known("/paramiko/", "`paramiko`", "`asyncssh` instead of `paramiko`"),
    known("/urllib3/", "`urllib3`", "`httpx.AsyncClient` instead of `urllib3`"),
    known("/urllib/request.py", "`urllib.request`", "`httpx.AsyncClient` instead of `urllib.request`"),
    known("/http/client.py", "`http.client`", "`httpx.AsyncClient` instead of `http.client`"),
    known("/subprocess.py", "`subprocess`", "`asyncio.create_subprocess_exec` instead of `subprocess`"),
    known(
        "/concurrent/futures/",
        "a future's `result()`",
        "`await asyncio.wrap_future(future)` instead of `future.result()`",
    ),
    known("/queue.py", "`queue.Queue`", "`asyncio.Queue` instead of `queue.Queue`"),
    known("/multiprocessing/", "`multiprocessing`", "`loop.run_in_executor` with a `ProcessPoolExecutor`"),
    known(
        "/threading.py",
        "a lock or another wait of `threading`",
        "`asyncio.Lock`, `asyncio.Event` or `await asyncio.to_thread(...)`",
    ),
    known("/ssl.py", "a blocking socket", "an asynchronous client, or `asyncio.open_connection`"),
    known("/socket.py", "a blocking socket", "an asynchronous client, or `asyncio.open_connection`"),
];

/// Work that computes for long and is known for it, and what is known to be faster.
const COMPUTING: [Known; 6] = [
    known("/json/", "`json`", "`orjson` is several times as fast"),
    known("/re/", "a regular expression", "a pattern with nested repetitions takes time without bound"),
    known("/pandas/", "pandas", "a smaller part of the data may do"),
    known("/PIL/", "Pillow", "`draft` and `thumbnail` decode less of an image"),
    known("/passlib/", "password hashing", "it is slow by intention"),
    known("/jinja2/", "rendering a template", "what is rendered can be cached"),
];

/// System calls that are waits by themselves, as the kernel names them.
const SLEEPS: [&str; 2] = ["clock_nanosleep", "nanosleep"];
const WAITS_FOR_CHILDREN: [&str; 3] = ["wait4", "waitid", "waitpid"];
const WAITS_FOR_LOCKS: [&str; 2] = ["futex", "futex_wait"];
const NETWORK: [&str; 9] =
    ["poll", "ppoll", "select", "pselect6", "connect", "recvfrom", "recvmsg", "sendto", "accept4"];
const FILES: [&str; 11] = [
    "read",
    "write",
    "pread64",
    "pwrite64",
    "openat",
    "fsync",
    "fdatasync",
    "flock",
    "fcntl",
    "getdents64",
    "newfstatat",
];

const OFF_THE_LOOP: &str = "or declare the endpoint with `def`: it then runs on a thread and holds up nobody";
const APART: &str = "until then `run = \"heavy\"` for the route in `[tool.andon.routes]` keeps it apart";

/// What to change.
pub(super) fn advice(stall: &Stall) -> String {
    match stall.kind {
        StallKind::Blocked => blocked(stall),
        StallKind::Computing => computing(stall),
        StallKind::GilHeld => format!(
            "code that keeps the GIL stops the whole worker, on whatever thread it runs: move it to a process \
             (`ProcessPoolExecutor`), or use a library that releases the GIL; {APART}"
        ),
        StallKind::GarbageCollection => {
            "keep fewer objects alive, or call `gc.freeze()` after the start and raise `gc.set_threshold(...)`"
                .to_owned()
        }
        StallKind::Starved => {
            "the code is not to blame: the machine has too few processors for all that runs on it".to_owned()
        }
    }
}

fn blocked(stall: &Stall) -> String {
    if stall.place == Place::Thread {
        return "a thread that waits harms nobody; it is the GIL that it keeps meanwhile".to_owned();
    }
    let call = stall.system_call.as_str();
    if let Some(known) = recognised(stall, &BLOCKING) {
        return format!("{} blocks the event loop: use {}, {OFF_THE_LOOP}", known.call, known.instead);
    }
    let instead = if SLEEPS.contains(&call) {
        "`time.sleep` blocks the event loop: use `await asyncio.sleep(...)`"
    } else if WAITS_FOR_CHILDREN.contains(&call) {
        "to wait for a process blocks the event loop: use `asyncio.create_subprocess_exec`"
    } else if WAITS_FOR_LOCKS.contains(&call) {
        "a lock that another thread holds blocks the event loop: use `asyncio.Lock`, or take it on a thread"
    } else if NETWORK.contains(&call) {
        "a blocking network call holds the event loop: use an asynchronous client, such as `httpx.AsyncClient` or `asyncpg`"
    } else if FILES.contains(&call) {
        "a slow file holds the event loop: use `anyio.open_file`, or `await asyncio.to_thread(...)`"
    } else {
        "a blocking call holds the event loop: use `await asyncio.to_thread(...)`"
    };
    format!("{instead}, {OFF_THE_LOOP}")
}

fn computing(stall: &Stall) -> String {
    let first = match recognised(stall, &COMPUTING) {
        Some(known) => format!("{} computes for long ({})", known.call, known.instead),
        None => "it computes for long".to_owned(),
    };
    match stall.place {
        Place::EventLoop => format!(
            "{first}: declare the endpoint with `def`, so that the event loop turns beside it, or move the work to a \
             process (`ProcessPoolExecutor`); {APART}"
        ),
        Place::Thread => format!("{first}: move the work to a process (`ProcessPoolExecutor`); {APART}"),
    }
}

/// The call that is known, if it stands between the user's own code and the innermost frame.
fn recognised(stall: &Stall, table: &'static [Known]) -> Option<&'static Known> {
    let called: Vec<&StackFrame> = stall.frames.iter().flatten().take_while(|frame| !frame.own).take(DEPTH).collect();
    table.iter().find(|known| called.iter().any(|frame| frame.file.contains(known.file)))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn stall(kind: StallKind, system_call: &str, files: &[&str]) -> Stall {
        let own = StackFrame { own: true, line: 3, file: "/srv/main.py".to_owned(), function: "report".to_owned() };
        let frame = |file: &&str| StackFrame { file: (*file).to_owned(), ..StackFrame::default() };
        Stall {
            kind,
            place: Place::EventLoop,
            since: Duration::ZERO,
            elapsed: Duration::from_secs(1),
            processor: Duration::ZERO,
            system_call: system_call.to_owned(),
            frames: Some(files.iter().map(frame).chain([own]).collect()),
            cut: false,
        }
    }

    fn advice_on(kind: StallKind, system_call: &str, files: &[&str]) -> String {
        advice(&stall(kind, system_call, files))
    }

    #[test]
    fn sleep_is_recognised_by_its_system_call() {
        assert!(advice_on(StallKind::Blocked, "clock_nanosleep", &[]).contains("await asyncio.sleep"));
    }

    #[test]
    fn library_is_named_rather_than_what_it_stands_on() {
        let files = [
            "/usr/lib/python3.13/socket.py",
            "/usr/lib/python3.13/http/client.py",
            "/venv/site-packages/urllib3/connection.py",
            "/venv/site-packages/requests/sessions.py",
        ];
        assert!(advice_on(StallKind::Blocked, "recvfrom", &files).contains("httpx.AsyncClient` instead of `requests`"));
        assert!(advice_on(StallKind::Blocked, "recvfrom", &files[..2]).contains("`http.client`"));
        assert!(
            advice_on(StallKind::Blocked, "poll", &["/usr/lib/python3.13/subprocess.py"])
                .contains("create_subprocess_exec")
        );
    }

    #[test]
    fn call_outside_of_the_users_code_is_not_blamed() {
        let mut stall = stall(StallKind::Blocked, "futex", &[]);
        stall
            .frames
            .as_mut()
            .unwrap()
            .push(StackFrame { file: "/lib/requests/x.py".to_owned(), ..StackFrame::default() });
        assert!(advice(&stall).contains("asyncio.Lock"));
    }

    #[test]
    fn every_kind_has_a_sentence_of_its_own() {
        let kinds = [
            StallKind::Computing,
            StallKind::Blocked,
            StallKind::GilHeld,
            StallKind::Starved,
            StallKind::GarbageCollection,
        ];
        let mut told: Vec<String> = kinds.iter().map(|&kind| advice_on(kind, "", &[])).collect();
        told.sort();
        told.dedup();
        assert_eq!(told.len(), kinds.len());
    }

    #[test]
    fn computing_is_sent_off_the_loop() {
        assert!(advice_on(StallKind::Computing, "", &[]).contains("with `def`"));
        assert!(advice_on(StallKind::Computing, "", &["/usr/lib/python3.13/json/decoder.py"]).contains("orjson"));
    }
}
