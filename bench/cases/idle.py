"""One worker. Memory is measured with no connection and then with 5,000 kept-alive connections that
have each done one request and stay open; meanwhile requests come over ten other connections at 200
per second.

Servers are told to keep idle connections for as long as they can be told. Memory is shown per
process as the resident set (RSS), and for all processes of a server together as the proportional
set (PSS), which counts shared pages once. Look at the PSS per connection, at the p99, and at the
connections which the server closed.
"""

from __future__ import annotations

from typing import Any

from bench.case import Case, Row, Session
from bench.charts import panel
from bench.client import Rate, faults
from bench.processes import Memory
from bench.servers import Launch, Server
from bench.svg import Chart, bars
from bench.tables import SERVER, Column, Table, counts, decimals, integer, mebibytes, milliseconds

CONNECTIONS = 5000
# Files that a server or the client has open beside the idle connections.
OTHER_FILES = 200


def run(session: Session) -> list[Row]:
    """Measure each server."""
    possible = max(session.environment.open_files - OTHER_FILES, 1)
    connections = min(round(session.pick(CONNECTIONS, 1000)), possible)
    for server in session.servers:
        session.measure(
            server, {"connections": connections}, _measure, session, server, connections
        )
    return session.rows


def _measure(session: Session, server: Server, connections: int) -> Row:
    launch = Launch("routes:app", idle_connections=connections)
    load = Rate(rate=200, seconds=session.pick(10, 2), connections=10, prime=True, timeout=10)
    with session.start(server, launch) as running:
        # Measured after the first load, so that what a server allocates once is not charged to the
        # connections.
        quiet = session.client.rate(running.url("/async"), load)
        running.settle()
        before = running.memory()
        with session.client.idle(running.url("/async"), connections) as idle:
            opened = idle.first_line()
            running.settle()
            after = running.memory()
            busy = session.client.rate(running.url("/async"), load)
            held = idle.report()
    grown = after["all"].proportional - before["all"].proportional
    return {
        "opened": opened["opened"],
        "failures": opened["failures_by_kind"],
        "closed_by_server": held["closed_by_server"],
        **_flat("empty", before),
        **_flat("full", after),
        "bytes_per_connection": grown / max(opened["opened"], 1),
        "kib_per_connection": grown / max(opened["opened"], 1) / 1024,
        "empty_p99_ms": quiet["latency"]["p99_ms"],
        "full_p50_ms": busy["latency"]["p50_ms"],
        "full_p99_ms": busy["latency"]["p99_ms"],
        "errors": faults(busy),
    }


def _flat(prefix: str, memory: dict[str, Memory]) -> dict[str, Any]:
    flat: dict[str, Any] = {f"{prefix}_{name}_rss": used.resident for name, used in memory.items()}
    flat[f"{prefix}_pss"] = memory["all"].proportional
    return flat


def tables(rows: list[Row]) -> list[Table]:
    """Memory, then latency."""
    amount = f"{rows[0]['connections']:,}" if rows else "many"
    memory = [SERVER]
    for prefix, heading in (("empty", "0"), ("full", amount)):
        memory += [
            Column(f"{heading}: front RSS MiB", mebibytes(f"{prefix}_front_rss")),
            Column("worker RSS MiB", mebibytes(f"{prefix}_workers_rss")),
            Column("all PSS MiB", mebibytes(f"{prefix}_pss")),
        ]
    memory.append(Column("KiB (PSS) per connection", decimals("kib_per_connection", 1)))
    latency = [
        SERVER,
        Column("opened", integer("opened")),
        Column("failed to open", counts("failures")),
        Column("closed by the server", integer("closed_by_server")),
        Column("p99 ms without idle ones", milliseconds("empty_p99_ms")),
        Column("p50 ms meanwhile", milliseconds("full_p50_ms")),
        Column("p99 ms meanwhile", milliseconds("full_p99_ms")),
        Column("errors", counts("errors")),
    ]
    return [
        Table(f"Memory with 0 and with {amount} idle connections", memory, rows),
        Table(f"Requests at 200 per second beside {amount} idle connections", latency, rows),
    ]


def charts(rows: list[Row]) -> list[Chart]:
    """Memory with idle connections, and its growth for each."""
    panels = [
        panel("PSS of all processes, MiB", rows, lambda row: float(row["full_pss"]) / (1 << 20)),
        panel("PSS per connection, KiB", rows, "kib_per_connection"),
    ]
    return [bars("idle", "Memory with idle connections (less is better)", panels)]


CASE = Case("idle", "Idle connections and memory", __doc__, (), run, tables, charts)
