"""Each server answers the same request as often as it can, with one worker, loaded by ``wrk`` with
one thread.

Servers are started anew for every measurement and measured in turn, in an order that rotates from
round to round, each after a warm-up; the tables show the median over the rounds. An answer is
checked for its content before the load starts. The machine is shared by the client and the server,
so look at the ratios, not at the absolute numbers. Andon's one worker is a process beside its
front, so the column with processor time per request counts all of a server's processes.

"hyper (no Python)" is no server but the measure of the machine: the Rust HTTP library that Andon's
front and granian use, on one thread, answers the same bytes without calling anything. "x hyper"
says how much of that is left with Python behind it.
"""

from __future__ import annotations

import json
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from bench import wrk
from bench.calls import call
from bench.case import Case, Row, Session, by_server, distinct, subset
from bench.charts import panel
from bench.errors import MeasurementFailed
from bench.running import Running
from bench.servers import BARE_HYPER, Launch, Server
from bench.svg import Chart, bars
from bench.tables import (
    SERVER,
    Column,
    Table,
    decimals,
    integer,
    mebibytes,
    milliseconds,
    ratio,
    server_title,
    whole,
)
from bench.wrk import Request


@dataclass(frozen=True)
class Variant:
    """What is requested, over how many connections, and a right answer's body and status.
    ``beside`` are further rows of Andon with other options.
    """

    name: str
    title: str
    app: str
    request: Request
    is_right: Callable[[bytes], bool]
    connections: int = 32
    status: int = 200
    beside: tuple[Server, ...] = ()


def is_json(expected: Any) -> Callable[[bytes], bool]:
    return lambda body: bool(json.loads(body) == expected)


ITEM = {"name": "lamp", "price": 9.5, "tags": ["red", "green"]}
POSTED = json.dumps(ITEM).encode()
JSON_TYPE = {"content-type": "application/json"}
TEN_KIB = b"0123456789abcdef" * 640
HELLO = is_json({"hello": "world"})

BARE = Request("/")
ASYNC = Request("/async")
SYNC = Request("/sync")
PARAMETERS = Request("/items/42?q=lamp&limit=5")
CREATE = Request("/items", "POST", POSTED, JSON_TYPE)
ECHO = Request("/echo", "POST", TEN_KIB, {"content-type": "application/octet-stream"})

WEBSOCKET = "websocket-c32"
# The variants in which hyper alone is measured too.
REFERENCED = ("bare-c32", "bare-c1", "echo-10k-c32", "async-c32")
VARIANTS = (
    Variant(
        "bare-c32",
        "bare ASGI callable, 5-byte body",
        "bare:app",
        BARE,
        lambda body: body == b"hello",
    ),
    Variant("async-c32", "FastAPI `async def` -> dict", "routes:app", ASYNC, HELLO),
    Variant("sync-c32", "FastAPI `def` -> dict", "routes:app", SYNC, HELLO),
    Variant(
        "parameters-c32",
        "FastAPI GET `/items/{item_id:int}?q=&limit=`",
        "routes:app",
        PARAMETERS,
        is_json({"item_id": 42, "q": "lamp", "limit": 5}),
    ),
    Variant(
        "pydantic-c32",
        "FastAPI POST pydantic body, response_model",
        "routes:app",
        CREATE,
        is_json({"id": 1, **ITEM}),
    ),
    Variant(
        "bare-c1", "bare ASGI, 5-byte body", "bare:app", BARE, lambda body: body == b"hello", 1
    ),
    Variant("async-c1", "FastAPI `async def` -> dict", "routes:app", ASYNC, HELLO, 1),
    Variant("sync-c1", "FastAPI `def` -> dict", "routes:app", SYNC, HELLO, 1),
    Variant(
        "echo-10k-c32",
        "bare ASGI, POST 10 KiB echo",
        "bare:app",
        ECHO,
        lambda body: body == TEN_KIB,
    ),
    Variant(
        "large-c32",
        "bare ASGI, 1 MiB answer",
        "bare:app",
        Request("/large"),
        lambda body: len(body) == 1 << 20,
    ),
)


def _plural(connections: int) -> str:
    return "one connection" if connections == 1 else f"{connections} connections"


def titles_of(variants: Sequence[Variant]) -> dict[str, str]:
    """What tables of these variants are headed."""
    return {
        variant.name: f"{variant.title}, {_plural(variant.connections)}" for variant in variants
    }


TITLES = {
    **titles_of(VARIANTS),
    WEBSOCKET: "bare ASGI, WebSocket echo of 64 bytes, 32 connections",
}


def run(session: Session) -> list[Row]:
    """Measure every wanted variant."""
    measure(session, VARIANTS)
    if session.wants(WEBSOCKET):
        load = partial(_websocket, session)
        _rounds(session, session.servers, WEBSOCKET, "bare:app", load)
    return session.rows


def measure(session: Session, variants: Sequence[Variant]) -> None:
    """Measure those variants that are wanted, and add their rows to the session's."""
    for variant in variants:
        if session.wants(variant.name):
            servers = session.with_andon_as(*variant.beside)
            if variant.name in REFERENCED:
                servers.append(BARE_HYPER)
            load = partial(_load, session, variant)
            _rounds(session, servers, variant.name, variant.app, load)


def _rounds(
    session: Session, servers: list[Server], name: str, app: str, load: Callable[[Running], Row]
) -> None:
    samples: dict[str, list[Row]] = {server.name: [] for server in servers}
    for number in range(session.repeats(3)):
        shift = number % len(servers)
        for server in servers[shift:] + servers[:shift]:
            label = {"variant": name, "round": number + 1}
            samples[server.name].append(
                session.attempt(server, label, _sample, session, server, app, load)
            )
    session.rows += [_median(server, name, samples[server.name]) for server in servers]


def _sample(session: Session, server: Server, app: str, load: Callable[[Running], Row]) -> Row:
    with session.start(server, Launch(app)) as running:
        return load(running)


def check_answer(variant: Variant, running: Running) -> None:
    """Ask once. Raises MeasurementFailed if the answer is not the variant's."""
    request = variant.request
    reply = call(
        running.port,
        request.path,
        timeout=10,
        method=request.method,
        body=request.body or None,
        headers=request.headers,
    )
    if reply.status != variant.status or not variant.is_right(reply.body):
        raise MeasurementFailed(f"{variant.name}: wrong answer: {reply.status} {reply.body[:80]!r}")


def _load(session: Session, variant: Variant, running: Running) -> Row:
    check_answer(variant, running)
    request = variant.request
    url = running.url(request.path)
    load = partial(
        wrk.measure,
        url,
        request,
        connections=variant.connections,
        error_wanted=variant.status >= 400,
    )
    load(seconds=session.pick(2, 1))
    before = running.processor_seconds()
    result = load(seconds=session.pick(5, 1))
    used = running.processor_seconds() - before
    return {
        **result.record(),
        "failed": result.failed(),
        "processor_us": used * 1e6 / max(result.requests, 1),
    }


def _websocket(session: Session, running: Running) -> Row:
    url = running.url("/", "ws")
    session.client.websocket(url, connections=32, size=64, seconds=session.pick(2, 1))
    before = running.processor_seconds()
    report = session.client.websocket(url, connections=32, size=64, seconds=session.pick(5, 1))
    used = running.processor_seconds() - before
    return {
        "requests_per_second": report["exchanges_per_second"],
        "requests": report["exchanges"],
        "p50_ms": report["latency"]["p50_ms"],
        "p99_ms": report["latency"]["p99_ms"],
        "errors": report["failures_by_kind"],
        "failed": report["failures"],
        "processor_us": used * 1e6 / max(report["exchanges"], 1),
    }


def _median(server: Server, name: str, rounds: list[Row]) -> Row:
    good = [sample for sample in rounds if "failure" not in sample and sample["requests"]]
    row: Row = {"server": server.name, "variant": name, "rounds": rounds}
    if not good:
        failures = [sample["failure"] for sample in rounds if "failure" in sample]
        return {**row, "failure": failures[0] if failures else "no request was answered"}
    medians = ("requests_per_second", "bytes_per_second", "p50_ms", "p99_ms", "processor_us")
    for key in medians:
        values = [sample[key] for sample in good if sample.get(key) is not None]
        row[key] = statistics.median(values) if values else None
    rates = [sample["requests_per_second"] for sample in good]
    return {
        **row,
        "lowest": min(rates),
        "highest": max(rates),
        "failed": sum(sample["failed"] for sample in good),
        "failed_rounds": len(rounds) - len(good),
    }


def tables(rows: list[Row]) -> list[Table]:
    """A summary of all variants, then one table for each."""
    return tables_with(TITLES, rows)


def tables_with(titles: dict[str, str], rows: list[Row]) -> list[Table]:
    """A summary of all variants, then one table for each with its title."""
    variants = distinct(rows, "variant")
    overview = [{"server": name, "rates": _rates(rows, name)} for name in distinct(rows, "server")]
    columns = [Column(variant, partial(_rate_of, variant)) for variant in variants]
    result = [Table("Requests (or WebSocket exchanges) per second", [SERVER, *columns], overview)]
    for variant in variants:
        measured = subset(rows, variant=variant)
        result.append(
            Table(
                f"{variant}: {titles.get(variant, variant)}", _columns(variant, measured), measured
            )
        )
    return result


def _rate_of(variant: str, row: Row) -> str:
    return whole(row["rates"].get(variant))


def _rates(rows: list[Row], server: str) -> dict[str, float | None]:
    return {row["variant"]: row.get("requests_per_second") for row in subset(rows, server=server)}


def _columns(variant: str, rows: list[Row]) -> list[Column]:
    uvicorn, hyper = by_server(rows).get("uvicorn"), by_server(rows).get("hyper")
    reference = [Column("x hyper", ratio("requests_per_second", hyper))] if hyper else []
    transfer = [Column("MiB/s", mebibytes("bytes_per_second"))] if variant == "large-c32" else []
    return [
        Column("server", server_title),
        Column("per second", integer("requests_per_second")),
        Column("x uvicorn", ratio("requests_per_second", uvicorn)),
        *reference,
        Column(
            "lowest and highest round",
            lambda row: f"{whole(row['lowest'])} to {whole(row['highest'])}",
        ),
        *transfer,
        Column("p50 ms", milliseconds("p50_ms")),
        Column("p99 ms", milliseconds("p99_ms")),
        Column("processor us per request", decimals("processor_us", 1)),
        Column("errors and non-2xx", integer("failed")),
    ]


def charts(rows: list[Row]) -> list[Chart]:
    """Requests per second for many connections, median latency for one."""
    many = [name for name in distinct(rows, "variant") if not name.endswith("-c1")]
    one = [name for name in distinct(rows, "variant") if name.endswith("-c1")]
    result = []
    if many:
        panels = [
            panel(f"{name}, per second", subset(rows, variant=name), "requests_per_second")
            for name in many
        ]
        result.append(
            bars("throughput", "Throughput, one worker, 32 connections (more is better)", panels)
        )
    if one:
        panels = [panel(f"{name}, p50 ms", subset(rows, variant=name), "p50_ms") for name in one]
        result.append(
            bars("one-connection", "Median latency over one connection (less is better)", panels)
        )
    return result


CASE = Case("throughput", "Throughput", __doc__, ("variant",), run, tables, charts)
