"""Eight calls of a CPU-bound route arrive at the same time, each a pure Python loop of 0.45 s
alone.

Two such calls in one process take turns at the GIL, so both end late, while another process may
have none: look at how many calls each process got, and at the mean latency beside the ideal, which
is one call per process and processor at a time, first come first served. Each server is asked
twice: at first nothing is known about the route, then it is.

Meanwhile `/fast`, which answers at once, is called 50 times per second over 16 kept-alive
connections, for as long as the calls would take ideally: look at its p99. An `async def` that
computes holds its whole event loop, so with exactly two workers somebody has to wait: either all
eight calls queue at one worker, which makes their mean 1.8 times the ideal, or `/fast` does.
"Andon, 3 workers at most" may start another worker for that.
"""

from __future__ import annotations

import os
import subprocess

from bench.case import Case, Row, Session, distinct, subset
from bench.charts import panel
from bench.client import Rate, Report, faults
from bench.errors import MeasurementFailed
from bench.running import Running, clean_environment
from bench.servers import ELASTIC, Launch, Server
from bench.svg import Chart, bars
from bench.tables import SERVER, Column, Table, counts, decimals, milliseconds, text

CALLS = 8
FAST_PER_SECOND = 50
ROUTES = {"sync": "`def`", "async": "`async def`"}
TIMING = """
import time, burning
def seconds(loops):
    start = time.perf_counter()
    burning.burn(loops)
    return time.perf_counter() - start
print(min(seconds(1_000_000) for _ in range(5)))
"""


def run(session: Session) -> list[Row]:
    """Measure both routes with two and with four workers."""
    alone = session.pick(0.45, 0.15)
    loops = round(alone / _seconds_of_a_million(session) * 1e6)
    for workers in (2,) if session.quick else (2, 4):
        for route in ROUTES:
            if session.wants(f"{route}-{workers}"):
                label = {"workers": workers, "route": route}
                elastic = route == "async" and workers == 2
                for server in session.with_andon_as(ELASTIC) if elastic else session.servers:
                    session.measure(
                        server,
                        label,
                        _measure,
                        session,
                        server,
                        workers,
                        f"/{route}?loops={loops}",
                        alone,
                    )
    return session.rows


def _seconds_of_a_million(session: Session) -> float:
    done = subprocess.run(
        [str(session.environment.program("python")), "-c", TIMING],
        env=clean_environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    if done.returncode != 0:
        raise MeasurementFailed(f"the loop of E3 cannot be timed: {done.stderr[-200:]}")
    return float(done.stdout)


def _measure(session: Session, server: Server, workers: int, path: str, alone: float) -> Row:
    with session.start(server, Launch("burning:app", workers=workers)) as running:
        first = _burst(session, running, path, alone, workers)
        running.settle()
        again = _burst(session, running, path, alone, workers)
    return {
        "ideal_mean_s": ideal_mean(alone, _at_once(workers)),
        **{f"first_{key}": value for key, value in first.items()},
        **{f"again_{key}": value for key, value in again.items()},
    }


def _at_once(workers: int) -> int:
    """How many calls can run at the same time: one in each process that can have a processor."""
    return min(workers, len(os.sched_getaffinity(0)))


def ideal_mean(alone: float, at_once: int) -> float:
    """Mean latency in s of the calls, ``at_once`` of them at a time."""
    return sum(alone * (number // at_once + 1) for number in range(CALLS)) / CALLS


def _burst(session: Session, running: Running, path: str, alone: float, workers: int) -> Row:
    burst = Rate(
        rate=10_000,
        seconds=1,
        requests=CALLS,
        connections=CALLS,
        new_connections=True,
        timeout=alone * CALLS * 4 + 10,
        count_json="pid",
    )
    quick = Rate(
        rate=FAST_PER_SECOND,
        seconds=alone * CALLS / _at_once(workers),
        connections=16,
        timeout=burst.timeout,
    )
    with session.client.rate_meanwhile(running.url("/fast"), quick) as beside:
        report = session.client.rate(running.url(path), burst)
        return _numbers(report, beside.report(), ideal_mean(alone, _at_once(workers)))


def _numbers(report: Report, beside: Report, ideal: float) -> Row:
    shares = sorted(report["answers_by_json"].values(), reverse=True)
    mean, longest = report["latency"]["mean_ms"], report["latency"]["max_ms"]
    return {
        "calls_per_process": ", ".join(str(share) for share in shares),
        "mean_s": None if mean is None else mean / 1e3,
        "x_ideal": None if mean is None else mean / 1e3 / ideal,
        "max_s": None if longest is None else longest / 1e3,
        "errors": faults(report),
        "fast_p99_ms": beside["latency"]["p99_ms"],
        "fast_errors": faults(beside),
    }


def tables(rows: list[Row]) -> list[Table]:
    """A table for each route and number of workers."""
    columns = [SERVER]
    for name in ("first", "again"):
        columns += [
            Column(f"{name}: calls per process", text(f"{name}_calls_per_process")),
            Column("mean s", decimals(f"{name}_mean_s")),
            Column("x ideal", decimals(f"{name}_x_ideal")),
            Column("errors", counts(f"{name}_errors")),
            Column("`/fast` p99 ms", milliseconds(f"{name}_fast_p99_ms")),
            Column("its errors", counts(f"{name}_fast_errors")),
        ]
    columns.append(Column("ideal mean s", decimals("ideal_mean_s")))
    return [
        Table(f"{ROUTES.get(route, route)}, {workers} workers", columns, measured)
        for workers in distinct(rows, "workers")
        for route in distinct(rows, "route")
        if (measured := subset(rows, workers=workers, route=route))
    ]


def charts(rows: list[Row]) -> list[Chart]:
    """Mean latency of the first burst."""
    panels = [
        panel(
            f"{ROUTES.get(route, route)}, {workers} workers".replace("`", ""),
            measured,
            "first_mean_s",
        )
        for workers in distinct(rows, "workers")
        for route in distinct(rows, "route")
        if (measured := subset(rows, workers=workers, route=route))
    ]
    return [
        bars("e3", "E3: mean latency in s of 8 CPU-bound calls at once (less is better)", panels)
    ]


CASE = Case(
    "e3", "E3: the GIL and blind distribution", __doc__, ("workers", "route"), run, tables, charts
)
