"""Four workers, 200 requests per second over 32 kept-alive connections to a route that takes 20 ms
in `async def`; each second one worker is killed with SIGKILL, the one that has lived longest first,
for 30 s.

A dead worker can only take with it what its handlers had started, about one request in a kill here.
Look at what became of every request: an error status is a clear answer, a lost connection is not,
and a time-out (10 s) is a hang. Peers that can replace workers are told to.
"""

from __future__ import annotations

import signal
import time

from bench.case import Case, Row, Session
from bench.client import Rate
from bench.errors import MeasurementFailed
from bench.running import Running
from bench.servers import Launch, Server
from bench.tables import SERVER, Column, Table, counts, integer, milliseconds

WORKERS = 4


def run(session: Session) -> list[Row]:
    """Measure each server."""
    for server in session.servers:
        session.measure(server, {"workers": WORKERS}, _measure, session, server)
    return session.rows


def _measure(session: Session, server: Server) -> Row:
    seconds = session.pick(30, 4)
    load = Rate(rate=200, seconds=seconds, connections=32, prime=True, timeout=10)
    with (
        session.start(server, Launch("waiting:app", workers=WORKERS, respawn=True)) as running,
        session.client.rate_meanwhile(running.url("/await?seconds=0.02"), load) as client,
    ):
        kills = _kill_each_second(running, seconds - 1)
        report = client.report()
        survived = running.front() is not None
    statuses = report["answers_by_status"]
    return {
        "kills": kills,
        "requests": report["requests"],
        "ok": statuses.get("200", 0),
        "statuses": statuses,
        "errors": report["errors_by_kind"],
        "hangs": report["errors_by_kind"].get("timeout", 0)
        + report["errors_by_kind"].get("no_free_connection", 0),
        "p50_ms": report["latency"]["p50_ms"],
        "p99_ms": report["latency"]["p99_ms"],
        "max_ms": report["latency"]["max_ms"],
        "survived": "yes" if survived else "no",
    }


def _kill_each_second(running: Running, seconds: float) -> int:
    kills = 0
    start = time.monotonic()
    for second in range(1, int(seconds) + 1):
        time.sleep(max(0.0, start + second - time.monotonic()))
        front = running.front()
        if front is None:
            return kills
        workers = [process for process in running.workers() if process.pid != front.pid]
        if not workers and not kills:
            raise MeasurementFailed("no worker process was found")
        for worker in sorted(workers, key=lambda process: process.start_ticks)[:1]:
            worker.send(signal.SIGKILL)
            kills += 1
    return kills


def tables(rows: list[Row]) -> list[Table]:
    """One table."""
    columns = [
        SERVER,
        Column("kills", integer("kills")),
        Column("requests", integer("requests")),
        Column("answers by status", counts("statuses")),
        Column("requests without an answer", counts("errors")),
        Column("hangs", integer("hangs")),
        Column("p50 ms", milliseconds("p50_ms")),
        Column("p99 ms", milliseconds("p99_ms")),
        Column("max ms", milliseconds("max_ms")),
        Column("server survived", lambda row: str(row["survived"])),
    ]
    return [Table("", columns, rows)]


CASE = Case("kill", "Killed workers", __doc__, (), run, tables)
