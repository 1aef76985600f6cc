"""The same wait of 50 ms (then 300 ms) written in three ways: `await asyncio.sleep`, `def` with
`time.sleep`, and the "async lock": `async def` with `time.sleep`, which stops the event loop for
everybody else. 8 workers, 200 connections, loaded by `wrk` with its time-out at 2 s.

The third way can never do more than workers / wait requests per second: 160 at 50 ms, 27 at 300 ms.
Look at how far below that each server falls, because connections wait at blocked workers while
others are free, and at the time-outs.
"""

from __future__ import annotations

from bench import wrk
from bench.case import Case, Row, Session, distinct, subset
from bench.charts import panel
from bench.servers import Launch, Server
from bench.svg import Chart, bars
from bench.tables import SERVER, Column, Table, counts, integer, milliseconds
from bench.wrk import Request

WAITS_MS = (50, 300)
ROUTES = {
    "await": "`await asyncio.sleep`",
    "thread": "`def` + `time.sleep`",
    "lock": "`async def` + `time.sleep`",
}
WORKERS = 8
CONNECTIONS = 200
TIMEOUT_SECONDS = 2


def run(session: Session) -> list[Row]:
    """Measure every route with every wait."""
    for wait in WAITS_MS:
        for route in ROUTES:
            if session.wants(f"{route}-{wait}"):
                label = {"wait_ms": wait, "route": route}
                for server in session.servers:
                    session.measure(server, label, _measure, session, server, route, wait)
    return session.rows


def _measure(session: Session, server: Server, route: str, wait_ms: int) -> Row:
    path = f"/{route}?seconds={wait_ms / 1000}"
    with session.start(server, Launch("waiting:app", workers=WORKERS)) as running:
        result = wrk.measure(
            running.url(path),
            Request(path),
            connections=CONNECTIONS,
            seconds=session.pick(8, 3),
            timeout=TIMEOUT_SECONDS,
        )
    return {**result.record(), "answered": result.requests}


def tables(rows: list[Row]) -> list[Table]:
    """A table for each wait and route."""
    columns = [
        SERVER,
        Column("requests/s", integer("requests_per_second")),
        Column("p50 ms", milliseconds("p50_ms")),
        Column("p99 ms", milliseconds("p99_ms")),
        Column("errors and time-outs", counts("errors")),
    ]
    return [
        Table(f"{ROUTES.get(route, route)}, {wait} ms", columns, measured)
        for wait in distinct(rows, "wait_ms")
        for route in distinct(rows, "route")
        if (measured := subset(rows, wait_ms=wait, route=route))
    ]


def charts(rows: list[Row]) -> list[Chart]:
    """Requests per second of each route and wait."""
    panels = [
        panel(
            f"{ROUTES.get(route, route)}, {wait} ms".replace("`", ""),
            measured,
            "requests_per_second",
        )
        for wait in distinct(rows, "wait_ms")
        for route in distinct(rows, "route")
        if (measured := subset(rows, wait_ms=wait, route=route))
    ]
    return [
        bars("e2", "E2: requests per second, 8 workers, 200 connections (more is better)", panels)
    ]


CASE = Case("e2", "E2: the async lock", __doc__, ("wait_ms", "route"), run, tables, charts)
