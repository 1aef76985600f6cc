"""One worker, 30 s of `wrk` with 256 connections on a FastAPI route, then 30 s of WebSocket echoes
over 64 connections.

Look at the failed exchanges: there should be none.
"""

from __future__ import annotations

from bench import wrk
from bench.case import Case, Row, Session, distinct, subset
from bench.servers import Launch, Server
from bench.tables import SERVER, Column, Table, counts, integer, milliseconds
from bench.wrk import Request

TITLES = {"http": "HTTP, 256 connections", "websocket": "WebSocket, 64 connections, 256 bytes"}


def run(session: Session) -> list[Row]:
    """Measure both loads."""
    for variant, measure in (("http", _http), ("websocket", _websocket)):
        if session.wants(variant):
            for server in session.servers:
                session.measure(server, {"variant": variant}, measure, session, server)
    return session.rows


def _http(session: Session, server: Server) -> Row:
    with session.start(server, Launch("routes:app")) as running:
        result = wrk.measure(
            running.url("/async"), Request("/async"), connections=256, seconds=session.pick(30, 3)
        )
    return {**result.record(), "exchanges": result.requests, "failed": result.failed()}


def _websocket(session: Session, server: Server) -> Row:
    with session.start(server, Launch("bare:app")) as running:
        report = session.client.websocket(
            running.url("/", "ws"), connections=64, size=256, seconds=session.pick(30, 3)
        )
    return {
        "exchanges": report["exchanges"],
        "requests_per_second": report["exchanges_per_second"],
        "p99_ms": report["latency"]["p99_ms"],
        "max_ms": report["latency"]["max_ms"],
        "failed": report["failures"],
        "errors": report["failures_by_kind"],
    }


def tables(rows: list[Row]) -> list[Table]:
    """A table for each load."""
    columns = [
        SERVER,
        Column("exchanges", integer("exchanges")),
        Column("failed", integer("failed")),
        Column("by kind", counts("errors")),
        Column("per second", integer("requests_per_second")),
        Column("p99 ms", milliseconds("p99_ms")),
        Column("max ms", milliseconds("max_ms")),
    ]
    return [
        Table(TITLES.get(variant, variant), columns, subset(rows, variant=variant))
        for variant in distinct(rows, "variant")
    ]


CASE = Case("endurance", "Endurance", __doc__, ("variant",), run, tables)
