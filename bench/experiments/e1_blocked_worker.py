"""Two workers; `/1` is `async def` and calls `time.sleep(10)`, `/2` answers at once. 200 requests
per second go to `/2`, and after 1.5 s somebody calls `/1` once.

With kept-alive connections, 64 of them already open, a server that binds a connection to a worker
leaves half of its clients with the blocked one. With new connections the question is who accepts
while the worker is blocked. The other tables block for 5 s in other ways, all over kept-alive
connections: `subprocess.run`, a loop in Python, `requests` to a server that answers late, calls of
1 s one after the other, and four calls at the same time, which are enough to block both workers.

But for the last, one worker is free all the time, so nobody has to wait: look at p99 and at its
ratio to that of the same load just before, without the block; at max, and at the errors. Latency
counts from the time at which a request was due. Over several rounds, of which other servers get
one, the tables show the worst value, and how often the server had to be asked over a connection
opened anew because it had closed one.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

from bench.calls import BackgroundCall, Reply, call
from bench.case import Case, Row, Session, distinct, merged, subset
from bench.charts import timelines
from bench.client import Rate, Report, faults
from bench.errors import MeasurementFailed
from bench.late import late_server
from bench.servers import Launch, Server
from bench.svg import Chart, lines
from bench.tables import SERVER, Column, Table, counts, decimals, integer, milliseconds

WORKERS = 2
CALL_AFTER_SECONDS = 1.5


@dataclass(frozen=True)
class Variant:
    """How the loop is blocked: ``path`` is called with ``block`` seconds, ``calls`` times at once,
    and with ``again`` once more whenever it has answered.
    """

    name: str
    title: str
    path: str = "/1"
    block: float = 5
    calls: int = 1
    again: bool = False
    new_connections: bool = False

    def url(self, late_port: int, seconds: float) -> str:
        """Path and query of a blocking call."""
        asked = f"&port={late_port}" if self.path == "/late" else ""
        return f"{self.path}?seconds={seconds}{asked}"


VARIANTS = (
    Variant("kept-alive", "64 kept-alive connections", block=10),
    Variant("new-connections", "a new connection for each request", block=10, new_connections=True),
    Variant("subprocess", "blocked by `subprocess.run`", path="/subprocess"),
    Variant("loop", "blocked by a loop in Python", path="/loop"),
    Variant("requests", "blocked by `requests` to a server that answers late", path="/late"),
    Variant("again", "blocked for 1 s again and again", block=1, again=True),
    Variant("four-calls", "four blocking calls at once on two workers", calls=4),
)
TITLES = {variant.name: variant.title for variant in VARIANTS}
CHARTED = ("kept-alive", "new-connections", "four-calls")


def run(session: Session) -> list[Row]:
    """Measure every way of blocking."""
    with late_server() as late_port:
        for variant in VARIANTS:
            if session.wants(variant.name):
                for server in session.servers:
                    once = partial(_once, session, server, variant, late_port)
                    label = {"variant": variant.name}
                    # One round shows that others wait, and each costs as long as the block.
                    rounds = session.repeat(server, label, once, 1, None if server.ours else 1)
                    session.rows.append(merged(rounds, _worst))
    return session.rows


def _once(session: Session, server: Server, variant: Variant, late_port: int) -> Row:
    block = session.pick(variant.block, min(variant.block, 2))
    load = _load(session, variant, block)
    quiet_load = replace(load, seconds=session.pick(4, 2), interval=None)
    with session.start(server, Launch("blocking:app", workers=WORKERS)) as running:
        quiet = session.client.rate(running.url("/2"), quiet_load)
        with session.client.rate_meanwhile(running.url("/2"), load) as client:
            time.sleep(CALL_AFTER_SECONDS)
            path = variant.url(late_port, block)
            if variant.again:
                # The last call ends before the load does.
                seconds = load.seconds - CALL_AFTER_SECONDS - block
                replies = _one_after_the_other(running.port, path, seconds)
                report = client.report()
            else:
                patience = block * (variant.calls + 2) + 10
                calls = range(variant.calls)
                blocking = [BackgroundCall(running.port, path, timeout=patience) for _ in calls]
                report = client.report()
                replies = [blocked.wait() for blocked in blocking]
    return {**_numbers(report, quiet, replies), "block_seconds": block}


def _load(session: Session, variant: Variant, block: float) -> Rate:
    return Rate(
        rate=200,
        seconds=session.pick(8, 4),
        connections=2000 if variant.new_connections else 64,
        new_connections=variant.new_connections,
        prime=not variant.new_connections,
        timeout=block * variant.calls + 5,
        interval=0.25,
    )


def _one_after_the_other(port: int, path: str, seconds: float) -> list[Reply | None]:
    replies: list[Reply | None] = []
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        replies.append(call(port, path, timeout=60))
    return replies


def _numbers(report: Report, quiet: Report, replies: Sequence[Reply | None]) -> Row:
    latency, usual = report["latency"], quiet["latency"]["p99_ms"]
    if not usual or latency["p99_ms"] is None:
        raise MeasurementFailed(f"`/2` was not answered: {faults(report)}")
    answered = [reply for reply in replies if reply is not None and reply.status == 200]
    return {
        **{key: latency[key] for key in ("p50_ms", "p99_ms", "max_ms")},
        "usual_p99_ms": usual,
        "p99_ratio": latency["p99_ms"] / usual,
        "answers": report["answers"],
        "requests": report["requests"],
        "errors": faults(report),
        "reconnects": report["reconnects"],
        "blocking_call_seconds": max((reply.seconds for reply in answered), default=None),
        "blocking_calls_failed": len(replies) - len(answered),
        "timeline": report["timeline"],
    }


def _worst(rounds: list[Row]) -> Row:
    """One row of several rounds: the worst of each number, all errors, the timeline of the round
    with the worst p99.
    """
    worst = max(rounds, key=lambda row: float(row["p99_ms"]))
    row = {**worst, "p50_ms": statistics.median(row["p50_ms"] for row in rounds)}
    for key in ("max_ms", "p99_ratio"):
        row[key] = max(row[key] for row in rounds)
    for key in ("answers", "requests", "reconnects", "blocking_calls_failed"):
        row[key] = sum(row[key] for row in rounds)
    kinds = {kind for row in rounds for kind in row["errors"]}
    row["errors"] = {kind: sum(row["errors"].get(kind, 0) for row in rounds) for kind in kinds}
    return row


def tables(rows: list[Row]) -> list[Table]:
    """A table for each way of blocking."""
    columns = [
        SERVER,
        Column("p50 ms", milliseconds("p50_ms")),
        Column("p99 ms", milliseconds("p99_ms")),
        Column("p99 ms just before", milliseconds("usual_p99_ms")),
        Column("ratio", decimals("p99_ratio", 1)),
        Column("max ms", milliseconds("max_ms")),
        Column("requests", integer("requests")),
        Column("errors", counts("errors")),
        Column("connections closed", integer("reconnects")),
        Column("the blocking call took s", decimals("blocking_call_seconds", 1)),
    ]
    return [
        Table(TITLES.get(variant, variant), columns, subset(rows, variant=variant))
        for variant in distinct(rows, "variant")
    ]


def charts(rows: list[Row]) -> list[Chart]:
    """The worst latency over time where the variants differ in who is held up."""
    return [
        lines(
            f"e1-{variant}",
            f"E1: worst latency of /2 while workers are blocked, {TITLES[variant]}",
            "seconds at which the request was due",
            "max ms in each quarter of a second",
            timelines(subset(rows, variant=variant), "max_ms"),
        )
        for variant in distinct(rows, "variant")
        if variant in CHARTED
    ]


CASE = Case(
    "e1",
    "E1: a blocked worker and other people's connections",
    __doc__,
    ("variant",),
    run,
    tables,
    charts,
)
