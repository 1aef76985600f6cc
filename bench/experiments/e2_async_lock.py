"""The same wait of 50 ms (then 300 ms) written in three ways: `await asyncio.sleep`, `def` with
`time.sleep`, and the "async lock": `async def` with `time.sleep`, which stops the event loop for
everybody else. 8 workers, 200 connections, loaded by `wrk` with its time-out at 2 s.

The third way can never do more than workers / wait requests per second: 160 at 50 ms, 27 at 300 ms.
Look at how far below that each server falls, because connections wait at blocked workers while
others are free, and at the time-outs. "Andon, offload" is Andon with `--on-block offload`, which
may run such a route on threads: there the bound does not hold, so look at its ratio to the `def`
route of the same server.

The last table is about everybody else: `/fast`, which answers at once, is called 100 times per
second over 32 kept-alive connections, first alone and then beside the saturated third way.
"""

from __future__ import annotations

from bench import wrk
from bench.case import Case, Row, Session, by_server, distinct, subset
from bench.charts import panel
from bench.client import Rate, faults
from bench.running import Running
from bench.servers import OFFLOAD, Launch, Server
from bench.svg import Chart, bars
from bench.tables import SERVER, Column, Table, counts, decimals, integer, milliseconds, ratio
from bench.wrk import Request

WAITS_MS = (50, 300)
ROUTES = {
    "await": "`await asyncio.sleep`",
    "thread": "`def` + `time.sleep`",
    "lock": "`async def` + `time.sleep`",
}
FAST = "fast"
WORKERS = 8
CONNECTIONS = 200
TIMEOUT_SECONDS = 2


def run(session: Session) -> list[Row]:
    """Measure every route with every wait, then the route beside them."""
    servers = session.with_andon_as(OFFLOAD)
    for wait in WAITS_MS:
        for route in ROUTES:
            if session.wants(f"{route}-{wait}"):
                label = {"wait_ms": wait, "route": route}
                for server in servers:
                    session.measure(server, label, _measure, session, server, route, wait)
    for wait in WAITS_MS:
        if session.wants(f"{FAST}-{wait}"):
            label = {"wait_ms": wait, "route": FAST}
            for server in session.servers:
                session.measure(server, label, _measure_beside, session, server, wait)
    return session.rows


def _measure(session: Session, server: Server, route: str, wait_ms: int) -> Row:
    with session.start(server, Launch("waiting:app", workers=WORKERS)) as running:
        result = _load(running, route, wait_ms, session.pick(8, 3))
    return {**result.record(), "answered": result.requests}


def _load(running: Running, route: str, wait_ms: int, seconds: float) -> wrk.Result:
    path = f"/{route}?seconds={wait_ms / 1000}"
    return wrk.measure(
        running.url(path),
        Request(path),
        connections=CONNECTIONS,
        seconds=seconds,
        timeout=TIMEOUT_SECONDS,
    )


def _measure_beside(session: Session, server: Server, wait_ms: int) -> Row:
    seconds = session.pick(8, 3)
    # Without a first request on each connection: they would wait for one another beside the load.
    load = Rate(rate=100, seconds=seconds, connections=32, timeout=20)
    with session.start(server, Launch("waiting:app", workers=WORKERS)) as running:
        alone = session.client.rate(running.url("/fast"), load)
        with session.client.rate_meanwhile(running.url("/fast"), load) as client:
            # A second more, so that the route is saturated to the end of the other load.
            lock = _load(running, "lock", wait_ms, seconds + 1)
            beside = client.report()
    return {
        **{key: beside["latency"][key] for key in ("p50_ms", "p99_ms", "max_ms")},
        "alone_p99_ms": alone["latency"]["p99_ms"],
        "errors": faults(beside),
        "lock_per_second": lock.requests_per_second,
    }


def tables(rows: list[Row]) -> list[Table]:
    """A table for each wait and route, and one for each wait of the route beside."""
    result = []
    for wait in distinct(rows, "wait_ms"):
        for route in distinct(rows, "route"):
            measured = subset(rows, wait_ms=wait, route=route)
            if measured and route == FAST:
                heading = f"`/fast` beside the saturated {ROUTES['lock']}, {wait} ms"
                result.append(Table(heading, _columns_beside(), measured))
            elif measured:
                heading = f"{ROUTES.get(route, route)}, {wait} ms"
                columns = _columns(measured, subset(rows, wait_ms=wait, route="thread"))
                result.append(Table(heading, columns, measured))
    return result


def _columns(rows: list[Row], threads: list[Row]) -> list[Column]:
    gunicorn = by_server(rows).get("gunicorn-uvicorn")
    with_def = by_server(threads)
    return [
        SERVER,
        Column("requests/s", integer("requests_per_second")),
        Column("x gunicorn + uvicorn", ratio("requests_per_second", gunicorn)),
        Column(
            "x the `def` route",
            lambda row: ratio("requests_per_second", with_def.get(row["server"]))(row),
        ),
        Column("p50 ms", milliseconds("p50_ms")),
        Column("p99 ms", milliseconds("p99_ms")),
        Column("errors and time-outs", counts("errors")),
    ]


def _columns_beside() -> list[Column]:
    return [
        SERVER,
        Column("alone: p99 ms", milliseconds("alone_p99_ms")),
        Column("beside: p50 ms", milliseconds("p50_ms")),
        Column("p99 ms", milliseconds("p99_ms")),
        Column("max ms", milliseconds("max_ms")),
        Column("errors", counts("errors")),
        Column("the saturated route, requests/s", decimals("lock_per_second", 0)),
    ]


def charts(rows: list[Row]) -> list[Chart]:
    """Requests per second of each route and wait."""
    panels = [
        panel(
            f"{ROUTES[route]}, {wait} ms".replace("`", ""),
            measured,
            "requests_per_second",
        )
        for wait in distinct(rows, "wait_ms")
        for route in distinct(rows, "route")
        if route in ROUTES and (measured := subset(rows, wait_ms=wait, route=route))
    ]
    if not panels:
        return []
    return [
        bars("e2", "E2: requests per second, 8 workers, 200 connections (more is better)", panels)
    ]


CASE = Case("e2", "E2: the async lock", __doc__, ("wait_ms", "route"), run, tables, charts)
