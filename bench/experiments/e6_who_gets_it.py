"""Four workers. `/2`, which answers at once, is called 40 times, one call after the other, each
over a new connection: while all workers are free, while one sleeps inside an `async def`, and while
one burns a processor inside a `def`.

Look at which processes answered and how many calls went to the busy one, which no call has to; at
the longest latency; and at whether the answer itself says why it was placed there (`server-timing`
and headers that begin with `andon-`).
"""

from __future__ import annotations

import statistics
import time
from collections import Counter

from bench.calls import BackgroundCall, Reply, call
from bench.case import Case, Row, Session, distinct, subset
from bench.running import Running
from bench.servers import Launch, Server
from bench.tables import SERVER, Column, Table, integer, milliseconds, text

WORKERS = 4
CALLS = 40
PAUSE_SECONDS = 0.02
STATES = {
    "free": ("all workers are free", None),
    "blocked": ("one worker sleeps inside `async def`", "/1"),
    "burning": ("one worker burns a processor inside `def`", "/burn"),
}


def run(session: Session) -> list[Row]:
    """Measure each state."""
    for state, (_, path) in STATES.items():
        if session.wants(state):
            for server in session.servers:
                session.measure(server, {"state": state}, _measure, session, server, path)
    return session.rows


def _measure(session: Session, server: Server, path: str | None) -> Row:
    busy_seconds = session.pick(5, 2)
    with session.start(server, Launch("blocking:app", workers=WORKERS)) as running:
        busy = None
        if path is not None:
            timeout = busy_seconds * 3 + 10
            busy = BackgroundCall(running.port, f"{path}?seconds={busy_seconds}", timeout=timeout)
            # The call has to be inside its handler before the others come; nothing outside shows
            # when it is.
            time.sleep(0.3)
        replies = _calls(running, busy_seconds)
        busy_reply = busy.wait() if busy else None
    processes = Counter(reply.json()["pid"] for reply in replies)
    threads = {(reply.json()["pid"], reply.json()["thread"]) for reply in replies}
    busy_pid = busy_reply.json()["pid"] if busy_reply else None
    latencies = [reply.seconds * 1e3 for reply in replies]
    return {
        "calls": len(replies),
        "calls_per_process": ", ".join(str(count) for _, count in processes.most_common()),
        "threads": len(threads),
        "to_busy": processes.get(busy_pid, 0) if busy_pid else None,
        "p50_ms": statistics.median(latencies),
        "max_ms": max(latencies),
        "explained": _explanation(replies),
    }


def _calls(running: Running, busy_seconds: float) -> list[Reply]:
    """Up to 40 calls, ended early when the busy worker has surely become free."""
    replies: list[Reply] = []
    end = time.monotonic() + busy_seconds - 0.5
    while len(replies) < CALLS and (not replies or time.monotonic() < end):
        replies.append(call(running.port, "/2", timeout=busy_seconds + 10))
        time.sleep(PAUSE_SECONDS)
    return replies


def _explanation(replies: list[Reply]) -> str:
    names = {
        name
        for reply in replies
        for name in reply.headers
        if name.startswith("andon-") or name == "server-timing"
    }
    return ", ".join(f"{name}: {replies[-1].headers.get(name, '')}" for name in sorted(names))


def tables(rows: list[Row]) -> list[Table]:
    """A table for each state."""
    columns = [
        SERVER,
        Column("calls", integer("calls")),
        Column("calls per process", text("calls_per_process")),
        Column("threads", integer("threads")),
        Column("to the busy process", integer("to_busy")),
        Column("p50 ms", milliseconds("p50_ms")),
        Column("max ms", milliseconds("max_ms")),
        Column("what the answer says", text("explained")),
    ]
    return [
        Table(STATES[state][0] if state in STATES else state, columns, subset(rows, state=state))
        for state in distinct(rows, "state")
    ]


CASE = Case("e6", "E6: who gets the request?", __doc__, ("state",), run, tables)
