"""Andon reports what stalls its workers: route, line of code, kind. Here 200 stalls of 0.3 s are
made one after the other, of six kinds and each at a place of its own, while `/fast` is called 50
times per second; then the reports in Andon's log are compared with what was done. A stack can be
had of code that holds the GIL only when it lets go, so not every report has to name a line.

After that an application that never blocks is served for 10 minutes while twice as many other
processes compute as there are processors: whatever is reported then is false, for the application
is not to blame for the machine. The peers have no such reports.

Look at how many stalls were reported, at how many of the lines that were named are right, and at
the number of false reports.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from bench import stall_app, stall_log
from bench.calls import call
from bench.case import Case, Row, Session, subset
from bench.client import Rate, faults
from bench.errors import MeasurementFailed
from bench.late import late_server
from bench.running import Running
from bench.servers import Launch, Server
from bench.stall_app import KINDS, MODULE, Place
from bench.stall_log import StallReport
from bench.tables import SERVER, Column, Table, counts, decimals, integer, milliseconds, text

WORKERS = 2
INJECTED = "injected"
CLEAN = "clean"
# For reports that come after the answer.
PATIENCE_SECONDS = 5.0
BUSY = """
import sys, time
end = time.monotonic() + float(sys.argv[1])
while time.monotonic() < end:
    pass
"""


def run(session: Session) -> list[Row]:
    """Measure Andon, if it was asked for."""
    for asked in session.servers:
        if asked.ours:
            server = asked.having(asked.name, asked.title, "--log-format", "json")
            for variant, measure in ((INJECTED, _injected), (CLEAN, _clean)):
                if session.wants(variant):
                    session.measure(server, {"variant": variant}, measure, session, server)
    return session.rows


def _injected(session: Session, server: Server) -> Row:
    with tempfile.TemporaryDirectory(prefix="andon-bench-") as name, late_server() as late_port:
        places = stall_app.write(Path(name), round(session.pick(200, 12)), late_port)
        launch = Launch(f"{MODULE}:app", workers=WORKERS, directory=Path(name))
        load = Rate(rate=50, seconds=len(places) * 2, connections=16, timeout=30)
        with (
            session.start(server, launch) as running,
            session.client.rate_meanwhile(running.url("/fast"), load),
        ):
            for place in random.Random(1).sample(places, len(places)):
                reply = call(running.port, place.path, timeout=30)
                if reply.status != 200:
                    raise MeasurementFailed(f"{place.path} answered {reply.status}")
            reports = _wait_for_reports(running, {place.path for place in places})
    return judged(places, reports)


def _wait_for_reports(running: Running, paths: set[str]) -> list[StallReport]:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        reports = stall_log.reports(running.log_lines())
        if paths <= {report.path for report in reports} or time.monotonic() > deadline:
            return reports
        time.sleep(0.2)


def judged(places: Sequence[Place], reports: Sequence[StallReport]) -> Row:
    """What was reported of the stalls that were made, by kind and in all."""
    by_path: dict[str, list[StallReport]] = {}
    for report in reports:
        by_path.setdefault(report.path, []).append(report)
    by_kind = {
        name: _share([place for place in places if place.kind == name], by_path) for name in KINDS
    }
    made = {place.path for place in places}
    return {
        **_share(places, by_path),
        "false_reports": sum(report.path not in made for report in reports),
        "by_kind": by_kind,
    }


def _share(places: Sequence[Place], by_path: dict[str, list[StallReport]]) -> Row:
    reported = [place for place in places if place.path in by_path]
    located = [place for place in reported if any(r.line is not None for r in by_path[place.path])]
    right = [place for place in located if any(_is_at(place, r) for r in by_path[place.path])]
    named = Counter(report.kind for place in reported for report in by_path[place.path])
    return {
        "made": len(places),
        "reported": len(reported),
        "recall": len(reported) / len(places) if places else None,
        "located": len(located),
        "right_line": len(right) / len(located) if located else None,
        "named": dict(named),
    }


def _is_at(place: Place, report: StallReport) -> bool:
    return report.line == place.line and Path(report.file or "").name == f"{MODULE}.py"


def _clean(session: Session, server: Server) -> Row:
    seconds = session.pick(600, 30)
    quick = Rate(rate=200, seconds=seconds, connections=32, timeout=30)
    on_threads = Rate(rate=50, seconds=seconds, connections=16, timeout=30)
    with (
        session.start(server, Launch("routes:app", workers=WORKERS)) as running,
        _busy_processes(2 * len(os.sched_getaffinity(0)), seconds + 30),
        session.client.rate_meanwhile(running.url("/async"), quick) as client,
        session.client.rate_meanwhile(running.url("/sync"), on_threads) as other,
    ):
        report, others = client.report(), other.report()
        found = stall_log.reports(running.log_lines())
    return {
        "seconds": seconds,
        "requests": report["requests"] + others["requests"],
        "p99_ms": report["latency"]["p99_ms"],
        "errors": {**faults(report), **faults(others)},
        "false_reports": len(found),
        "named": dict(Counter(report.kind for report in found)),
    }


@contextmanager
def _busy_processes(count: int, seconds: float) -> Iterator[None]:
    """So many processes that compute; they end by themselves even if this one is killed."""
    command = [sys.executable, "-c", BUSY, str(seconds)]
    running = [subprocess.Popen(command, start_new_session=True) for _ in range(count)]
    try:
        yield
    finally:
        for process in running:
            process.kill()
            process.wait()


def tables(rows: list[Row]) -> list[Table]:
    """Stalls by kind, then the clean load."""
    made, clean = subset(rows, variant=INJECTED), subset(rows, variant=CLEAN)
    result = []
    if made:
        kinds = [part for row in made for part in _by_kind(row)]
        result.append(Table("Stalls that were made", _columns_made(), kinds))
    if clean:
        result.append(Table("No stall, beside busy processes", _columns_clean(), clean))
    return result


def _by_kind(row: Row) -> list[Row]:
    if "failure" in row:
        return [row]
    name = {"server": row["server"]}
    parts = [
        {**name, **part, "kind": KINDS[kind].title if kind in KINDS else kind}
        for kind, part in row["by_kind"].items()
    ]
    return [*parts, {**row, "kind": "all"}]


def _columns_made() -> list[Column]:
    return [
        SERVER,
        Column("kind", text("kind")),
        Column("stalls", integer("made")),
        Column("reported", integer("reported")),
        Column("recall", decimals("recall", 3)),
        Column("with a line", integer("located")),
        Column("the right line", decimals("right_line", 3)),
        Column("false reports", integer("false_reports")),
        Column("called", counts("named")),
    ]


def _columns_clean() -> list[Column]:
    return [
        SERVER,
        Column("seconds", integer("seconds")),
        Column("requests", integer("requests")),
        Column("false reports", integer("false_reports")),
        Column("called", counts("named")),
        Column("p99 ms", milliseconds("p99_ms")),
        Column("errors", counts("errors")),
    ]


CASE = Case("stalls", "Stall reports", __doc__, ("variant",), run, tables)
