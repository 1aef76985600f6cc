"""Two workers; `/1` is `async def` and calls `time.sleep(10)`, `/2` answers at once. 200 requests
per second go to `/2`, and after 1.5 s somebody calls `/1` once.

With kept-alive connections, 64 of them already open, a server that binds a connection to a worker
leaves half of its clients with the blocked one. With new connections the question is who accepts
while the worker is blocked. One worker is free all the time, so nobody has to wait: look at p99 and
max, which should stay in milliseconds, and at the errors. Latency counts from the time at which a
request was due.
"""

from __future__ import annotations

import time

from bench.calls import BackgroundCall
from bench.case import Case, Row, Session, distinct, subset
from bench.charts import timelines
from bench.client import Rate, faults
from bench.servers import Launch, Server
from bench.svg import Chart, lines
from bench.tables import SERVER, Column, Table, counts, decimals, integer, milliseconds

KEPT = "kept-alive"
NEW = "new-connections"
TITLES = {KEPT: "64 kept-alive connections", NEW: "a new connection for each request"}
CALL_AFTER_SECONDS = 1.5


def run(session: Session) -> list[Row]:
    """Measure both ways of connecting."""
    for variant in (KEPT, NEW):
        if session.wants(variant):
            for server in session.servers:
                session.measure(
                    server,
                    {"variant": variant},
                    _measure,
                    session,
                    server,
                    variant,
                )
    return session.rows


def _measure(session: Session, server: Server, variant: str) -> Row:
    block = session.pick(10, 2)
    load = Rate(
        rate=200,
        seconds=session.pick(8, 4),
        connections=64 if variant == KEPT else 2000,
        new_connections=variant == NEW,
        prime=variant == KEPT,
        timeout=block + 5,
        interval=0.25,
    )
    with (
        session.start(server, Launch("blocking:app", workers=2)) as running,
        session.client.rate_meanwhile(running.url("/2"), load) as client,
    ):
        time.sleep(CALL_AFTER_SECONDS)
        blocking = BackgroundCall(running.port, f"/1?seconds={block}", timeout=block * 3 + 10)
        report = client.report()
        reply = blocking.wait()
    return {
        **{key: report["latency"][key] for key in ("p50_ms", "p99_ms", "max_ms")},
        "answers": report["answers"],
        "requests": report["requests"],
        "errors": faults(report),
        "reconnects": report["reconnects"],
        "blocking_call_seconds": reply.seconds if reply else None,
        "blocking_call_status": reply.status if reply else None,
        "blocking_call_error": blocking.error,
        "block_seconds": block,
        "timeline": report["timeline"],
    }


def tables(rows: list[Row]) -> list[Table]:
    """A table for each way of connecting."""
    columns = [
        SERVER,
        Column("p50 ms", milliseconds("p50_ms")),
        Column("p99 ms", milliseconds("p99_ms")),
        Column("max ms", milliseconds("max_ms")),
        Column("requests", integer("requests")),
        Column("errors", counts("errors")),
        Column("the call of `/1` took s", decimals("blocking_call_seconds", 1)),
    ]
    return [
        Table(TITLES.get(variant, variant), columns, subset(rows, variant=variant))
        for variant in distinct(rows, "variant")
    ]


def charts(rows: list[Row]) -> list[Chart]:
    """The worst latency over time for each way of connecting."""
    return [
        lines(
            f"e1-{variant}",
            f"E1: worst latency of /2, one of two workers blocked, {TITLES.get(variant, variant)}",
            "seconds at which the request was due",
            "max ms in each quarter of a second",
            timelines(subset(rows, variant=variant), "max_ms"),
        )
        for variant in distinct(rows, "variant")
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
