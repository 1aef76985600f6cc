"""Four workers. `/2`, which answers at once, is called 40 times, one call after the other, each
over a new connection: while all workers are free, while one sleeps inside an `async def`, and while
one burns a processor inside a `def`.

Look at which processes answered and how many calls went to the busy one, which no call has to; at
the longest latency; and at whether the answer itself says why it was placed there (`server-timing`
and headers that begin with `andon-`). Andon runs with `--explain`.

In the last table 10,000 requests go to `/2` at 1,000 per second, and three times meanwhile somebody
calls `/1` for a second. Each answer's `Andon-Placement` is counted: look at whether every answer
has one, and whether the workers that it names answered as often as the processes that did.
"""

from __future__ import annotations

import statistics
import time
from collections import Counter

from bench.calls import BackgroundCall, Reply, call
from bench.case import Case, Row, Session, distinct, subset
from bench.client import Rate, Report, faults
from bench.running import Running
from bench.servers import EXPLAIN, Launch, Server
from bench.tables import SERVER, Column, Table, counts, integer, milliseconds, text

WORKERS = 4
CALLS = 40
PAUSE_SECONDS = 0.02
STATES = {
    "free": ("all workers are free", None),
    "blocked": ("one worker sleeps inside `async def`", "/1"),
    "burning": ("one worker burns a processor inside `def`", "/burn"),
}


RECORDED = "recorded"
PER_SECOND = 1000
BLOCKS = 3


def run(session: Session) -> list[Row]:
    """Measure each state, then many requests of Andon."""
    servers = [EXPLAIN if server.ours else server for server in session.servers]
    for state, (_, path) in STATES.items():
        if session.wants(state):
            for server in servers:
                session.measure(server, {"state": state}, _measure, session, server, path)
    if session.wants(RECORDED):
        for server in servers:
            if server.ours:
                session.measure(server, {"state": RECORDED}, _record, session, server)
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


def _record(session: Session, server: Server) -> Row:
    seconds = session.pick(10, 4)
    load = Rate(
        rate=PER_SECOND,
        seconds=seconds,
        connections=64,
        timeout=30,
        count_json="pid",
        count_header="andon-placement",
    )
    with (
        session.start(server, Launch("blocking:app", workers=WORKERS)) as running,
        session.client.rate_meanwhile(running.url("/2"), load) as client,
    ):
        for _ in range(BLOCKS):
            time.sleep(seconds / BLOCKS - 1)
            call(running.port, "/1?seconds=1", timeout=30)
        return placed(client.report())


def placed(report: Report) -> Row:
    """What the answers say of where they come from, and whether that is so."""
    named: dict[str, Counter[str]] = {"worker": Counter(), "reason": Counter()}
    for placement, count in report["answers_by_header"].items():
        fields = dict(part.strip().partition("=")[::2] for part in placement.split(";"))
        for name, values in named.items():
            if name in fields:
                values[fields[name]] += count
    processes = sorted(report["answers_by_json"].values())
    return {
        "requests": report["requests"],
        "explained": sum(named["worker"].values()),
        "workers": dict(named["worker"].most_common()),
        "reasons": dict(named["reason"].most_common()),
        "as_named": "yes" if sorted(named["worker"].values()) == processes else "no",
        "max_ms": report["latency"]["max_ms"],
        "errors": faults(report),
    }


def tables(rows: list[Row]) -> list[Table]:
    """A table for each state, and one for the requests that were recorded."""
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
        _recorded(subset(rows, state=state))
        if state == RECORDED
        else Table(
            STATES[state][0] if state in STATES else state, columns, subset(rows, state=state)
        )
        for state in distinct(rows, "state")
    ]


def _recorded(rows: list[Row]) -> Table:
    columns = [
        SERVER,
        Column("requests", integer("requests")),
        Column("with a placement", integer("explained")),
        Column("by worker", counts("workers")),
        Column("by reason", counts("reasons")),
        Column("processes answered as often", text("as_named")),
        Column("max ms", milliseconds("max_ms")),
        Column("errors", counts("errors")),
    ]
    return Table("What many answers say of their placement", columns, rows)


CASE = Case("e6", "E6: who gets the request?", __doc__, ("state",), run, tables)
