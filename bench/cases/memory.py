"""One worker answers requests of every kind in turn, over and over: dependencies, sessions, forms,
streams, an application's own exceptions, unknown routes. Its resident memory is noted after every
tenth of them.

Andon is asked five million times in all, the others a tenth as often. Look at the growth between
the first tenth and the end, which should be nothing, and at the worker's memory beside uvicorn's.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from itertools import cycle

from bench import wrk
from bench.case import Case, Row, Session, by_server
from bench.cases.framework import VARIANTS as FRAMEWORK
from bench.cases.throughput import Variant, check_answer, is_json
from bench.errors import MeasurementFailed
from bench.running import Running
from bench.servers import Launch, Server
from bench.tables import SERVER, Column, Table, decimals, integer, mebibytes, ratio
from bench.wrk import Request

REQUESTS, FEWER_REQUESTS = 5_000_000, 500_000
MOST_SECONDS = 1200
SAMPLES = 10
CONNECTIONS = 32
APP = "framework:app"
FORM_TYPE = {"content-type": "application/x-www-form-urlencoded"}
KINDS = (
    *(variant for variant in FRAMEWORK if variant.app == APP),
    Variant(
        "form",
        "a form",
        APP,
        Request("/sign-in", "POST", b"name=ada&remember=1", FORM_TYPE),
        is_json({"name": "ada", "remember": True}),
    ),
    Variant(
        "lines",
        "three lines of JSON",
        APP,
        Request("/lines"),
        lambda body: [json.loads(line)["number"] for line in body.splitlines()] == [0, 1, 2],
    ),
    Variant(
        "failing",
        "an exception without a handler (500)",
        APP,
        Request("/failing"),
        lambda body: body == b"Internal Server Error",
        status=500,
    ),
)


def run(session: Session) -> list[Row]:
    """Measure each server."""
    for server in session.servers:
        session.measure(server, {}, _measure, session, server)
    return session.rows


def _measure(session: Session, server: Server) -> Row:
    target = round(session.pick(REQUESTS if server.ours else FEWER_REQUESTS, 20_000))
    with session.start(server, Launch(APP)) as running:
        for kind in KINDS:
            check_answer(kind, running)
        done, samples = 0, [(0, _resident(running))]
        for requests in _loads(running):
            done += requests
            if done >= target * len(samples) / SAMPLES:
                samples.append((done, _resident(running)))
            if done >= target:
                break
    first, last = samples[1], samples[-1]
    return {
        "requests": done,
        "worker_rss": last[1],
        "grown_bytes": last[1] - first[1],
        "bytes_per_request": (last[1] - first[1]) / max(done - first[0], 1),
        "samples": samples,
    }


def _loads(running: Running) -> Iterator[int]:
    """Load one kind after the other for a second each; how many requests were answered."""
    deadline = time.monotonic() + MOST_SECONDS
    for kind in cycle(KINDS):
        if time.monotonic() > deadline:
            raise MeasurementFailed(f"it did not get there within {MOST_SECONDS} s")
        yield wrk.measure(
            running.url(kind.request.path),
            kind.request,
            connections=CONNECTIONS,
            seconds=1,
            error_wanted=kind.status >= 400,
        ).requests


def _resident(running: Running) -> int:
    return running.memory()["workers"].resident


def tables(rows: list[Row]) -> list[Table]:
    """Memory, its growth, and its ratio to uvicorn's."""
    uvicorn = by_server(rows).get("uvicorn")
    columns = [
        SERVER,
        Column("requests", integer("requests")),
        Column("worker RSS MiB", mebibytes("worker_rss")),
        Column("x uvicorn", ratio("worker_rss", uvicorn)),
        Column("grown since the first tenth, MiB", mebibytes("grown_bytes")),
        Column("bytes per request", decimals("bytes_per_request", 2)),
    ]
    return [Table("Memory of a worker that has answered many requests", columns, rows)]


CASE = Case("memory", "Memory over time", __doc__, (), run, tables)
