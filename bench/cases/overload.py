"""First the capacity of a route is measured, with few connections in a closed loop. Then 2 and 10
times as many requests come per second, open loop, over up to 2,000 connections; a client gives up
after 5 s.

Nobody can answer them all: look at how much of the capacity is still answered with 200 in time
("goodput / capacity", over the whole time until the last request was answered or given up), at how
long those took, and at how fast the others were refused. A server that queues everything answers
requests whose clients have gone. One route burns 5 ms of processor time in `def`, served by one
worker, so that clients have a processor too; the other sleeps 0.2 s in `def`, served by two workers
of 40 threads each, and costs next to no processor time. Times count from when a request was due: a
server that holds on to all connections makes late even what it refuses ("sent late"). Andon has a
queue time-out of 0.5 s; the others run with their defaults.
"""

from __future__ import annotations

from dataclasses import dataclass

from bench import wrk
from bench.case import Case, Row, Session, distinct, subset
from bench.charts import panel
from bench.client import Rate, Report, faults
from bench.errors import MeasurementFailed
from bench.running import Running
from bench.servers import BOUNDED, Launch, Server
from bench.svg import Chart, bars
from bench.tables import SERVER, Column, Table, counts, decimals, integer, milliseconds
from bench.wrk import Request

FACTORS = (2, 10)
CONNECTIONS = 2000
PATIENCE_SECONDS = 5


@dataclass(frozen=True)
class Route:
    """A route, how it is served, and how many connections use all of its capacity."""

    title: str
    path: str
    workers: int
    connections: int


ROUTES = {
    "burn": Route("5 ms of processor time, one worker", "/burn?seconds=0.005", 1, 8),
    "sleep": Route("0.2 s asleep, two workers of 40 threads", "/thread?seconds=0.2", 2, 80),
}


def run(session: Session) -> list[Row]:
    """Measure both routes."""
    for name, route in ROUTES.items():
        if session.wants(name):
            for asked in session.servers:
                server = BOUNDED if asked.ours else asked
                session.measure(server, {"route": name}, _measure, session, server, route)
    return session.rows


def _measure(session: Session, server: Server, route: Route) -> Row:
    with session.start(server, Launch("waiting:app", workers=route.workers)) as running:
        capacity = _capacity(session, running, route)
        row: Row = {"capacity": capacity}
        for factor in FACTORS:
            # What the last load has left behind is not charged to this one.
            running.settle()
            load = Rate(
                rate=capacity * factor,
                seconds=session.pick(8, 3),
                connections=CONNECTIONS,
                timeout=PATIENCE_SECONDS,
            )
            report = session.client.rate(running.url(route.path), load)
            numbers = outcome(report, capacity)
            row |= {f"x{factor}_{key}": value for key, value in numbers.items()}
    return row


def _capacity(session: Session, running: Running, route: Route) -> float:
    for seconds in (1, session.pick(5, 2)):
        result = wrk.measure(
            running.url(route.path),
            Request(route.path),
            connections=route.connections,
            seconds=seconds,
        )
    if result.failed() or not result.requests_per_second:
        raise MeasurementFailed(f"the capacity could not be measured: {result.errors}")
    return result.requests_per_second


def outcome(report: Report, capacity: float) -> Row:
    """What became of the requests of an overload; refused are those answered with 503."""
    by_status = report["latency_by_status"]
    admitted, refused = by_status.get("200", {}), by_status.get("503", {})
    answered = report["answers_by_status"].get("200", 0)
    errors = faults(report)
    return {
        "goodput": answered / report["elapsed_s"] / capacity,
        "p99_ms": admitted.get("p99_ms"),
        "refused": errors.pop("status 503", 0),
        **{f"refused_{key}": refused.get(key) for key in ("p50_ms", "p99_ms", "max_ms")},
        "errors": errors,
        "requests": report["requests"],
        # The wait for a free connection, and what the client itself adds.
        "sent_late_p99_ms": report["sent_late"]["p99_ms"],
    }


def tables(rows: list[Row]) -> list[Table]:
    """A table for each route and factor."""
    return [
        Table(
            f"{factor} times the capacity: {ROUTES[name].title if name in ROUTES else name}",
            _columns(f"x{factor}_"),
            subset(rows, route=name),
        )
        for name in distinct(rows, "route")
        for factor in FACTORS
    ]


def _columns(prefix: str) -> list[Column]:
    return [
        SERVER,
        Column("capacity per second", integer("capacity")),
        Column("goodput / capacity", decimals(f"{prefix}goodput")),
        Column("answered 200: p99 ms", milliseconds(f"{prefix}p99_ms")),
        Column("refused", integer(f"{prefix}refused")),
        Column("refused: p50 ms", milliseconds(f"{prefix}refused_p50_ms")),
        Column("p99 ms", milliseconds(f"{prefix}refused_p99_ms")),
        Column("max ms", milliseconds(f"{prefix}refused_max_ms")),
        Column("all: sent late by, p99 ms", milliseconds(f"{prefix}sent_late_p99_ms")),
        Column("requests", integer(f"{prefix}requests")),
        Column("given up and other errors", counts(f"{prefix}errors")),
    ]


def charts(rows: list[Row]) -> list[Chart]:
    """Goodput of each route and factor."""
    panels = [
        panel(f"{factor} x, {name}", subset(rows, route=name), f"x{factor}_goodput")
        for name in distinct(rows, "route")
        for factor in FACTORS
    ]
    return [bars("overload", "Overload: goodput / capacity (1 is best)", panels)]


CASE = Case("overload", "Overload", __doc__, ("route",), run, tables, charts)
