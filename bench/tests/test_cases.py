"""What the cases make of reports and logs: pure functions, no server needed."""

from __future__ import annotations

import ast
import json
import urllib.request
from pathlib import Path
from typing import Any

from bench import stall_app, stall_log
from bench.case import merged
from bench.cases import overload, stalls
from bench.experiments import e1_blocked_worker as e1
from bench.experiments import e3_gil as e3
from bench.experiments import e5_forty_threads as e5
from bench.experiments import e6_who_gets_it as e6
from bench.late import late_server
from bench.servers import ANDON, BARE_HYPER, OFFLOAD, SERVERS, TITLES, Launch
from bench.stall_app import KINDS, MODULE
from bench.tables import is_ours, server_title


def round_of_e1(p99_ms: float, **values: Any) -> dict[str, Any]:
    return {
        "server": "andon",
        "round": 1,
        "p50_ms": 1.0,
        "p99_ms": p99_ms,
        "max_ms": p99_ms * 2,
        "p99_ratio": p99_ms / 2,
        "answers": 10,
        "requests": 10,
        "reconnects": 1,
        "blocking_calls_failed": 0,
        "errors": {},
        "timeline": [p99_ms],
        **values,
    }


def test_rounds_of_e1_are_shown_by_their_worst() -> None:
    rounds = [
        round_of_e1(3, errors={"reset": 1}),
        round_of_e1(9),
        {"server": "andon", "round": 3, "failure": "did not start"},
        round_of_e1(4, errors={"reset": 2, "timeout": 1}, p99_ratio=50.0),
    ]
    row = merged(rounds, e1._worst)
    assert (row["p99_ms"], row["max_ms"], row["p99_ratio"]) == (9, 18, 50.0)
    assert row["errors"] == {"reset": 3, "timeout": 1}
    assert (row["requests"], row["reconnects"], row["failed_rounds"]) == (30, 3, 1)
    assert row["timeline"] == [9] and len(row["rounds"]) == 4
    assert not any("timeline" in kept for kept in row["rounds"])


def test_rounds_that_all_failed_are_a_row_that_says_why() -> None:
    row = merged([{"server": "andon", "round": 1, "failure": "no"}], e1._worst)
    assert (row["failure"], row["failed_rounds"]) == ("no", 1)


def test_ideal_of_e3_is_one_call_at_a_time_in_each_process() -> None:
    assert e3.ideal_mean(1.0, at_once=1) == 4.5
    assert e3.ideal_mean(1.0, at_once=2) == 2.5


def test_calls_in_company_are_those_that_did_not_begin_alone() -> None:
    assert e5.in_company({"answers_by_json": {"1": 90, "2": 7, "3": 2, "(absent)": 1}}) == 9


def test_placements_are_compared_with_the_processes_that_answered() -> None:
    report = {
        "answers_by_header": {
            "worker=1; lane=normal; executor=loop; reason=least-busy": 6,
            "worker=1; lane=normal; executor=loop; reason=queued": 1,
            "worker=2; lane=normal; executor=loop; reason=least-busy": 3,
            "(absent)": 1,
        },
        "answers_by_json": {"4711": 7, "4712": 3},
        "answers_by_status": {},
        "errors_by_kind": {},
        "requests": 11,
        "latency": {"max_ms": 1.0},
    }
    row = e6.placed(report)
    assert (row["explained"], row["as_named"]) == (10, "yes")
    assert row["reasons"] == {"least-busy": 9, "queued": 1}


def test_goodput_counts_only_answers_with_200() -> None:
    report = {
        "requests": 400,
        "elapsed_s": 2.0,
        "answers_by_status": {"200": 90, "500": 10, "503": 200},
        "errors_by_kind": {"timeout": 100},
        "latency_by_status": {
            "200": {"p99_ms": 700.0},
            "503": {"p50_ms": 1.0, "p99_ms": 5.0, "max_ms": 9.0},
        },
        "sent_late": {"p99_ms": 0.5},
    }
    row = overload.outcome(report, capacity=50.0)
    assert (row["goodput"], row["p99_ms"]) == (0.9, 700.0)
    assert (row["refused"], row["refused_p99_ms"]) == (200, 5.0)
    assert row["errors"] == {"timeout": 100, "status 500": 10}


def test_stalling_application_blocks_on_the_lines_that_are_expected(tmp_path: Path) -> None:
    places = stall_app.write(tmp_path, count=13, late_port=1)
    source = (tmp_path / f"{MODULE}.py").read_text()
    ast.parse(source)
    assert [place.kind for place in places] == [*KINDS, *KINDS, "sleep"]
    for place in places:
        kind = KINDS[place.kind]
        assert source.splitlines()[place.line - 1].strip() == kind.lines[kind.blocks]
    assert len({(place.path, place.line) for place in places}) == 13


def report_line(path: str, line: int | None, **values: Any) -> str:
    record = {"event": "stall", "route": f"GET {path}", "kind": "blocked", "elapsed_ms": 301.5}
    return json.dumps({**record, "file": f"/x/{MODULE}.py", "line": line, **values})


def test_stall_reports_are_found_among_other_lines() -> None:
    lines = ["{", '{"event": "start"}', "stall", report_line("/a", 3), '{"event": "sta']
    (report,) = stall_log.reports(lines)
    assert (report.path, report.kind, report.seconds) == ("/a", "blocked", 0.3015)
    assert report.line == 3


def test_reports_are_judged_by_route_and_line(tmp_path: Path) -> None:
    places = stall_app.write(tmp_path, count=6, late_port=1)
    log = [
        report_line(places[0].path, places[0].line),
        report_line(places[1].path, None),
        report_line(places[2].path, places[2].line + 1),
        report_line(places[3].path, None),
        # A stack that could be had only later.
        report_line(places[3].path, places[3].line),
        report_line("/fast", 1),
    ]
    row = stalls.judged(places, stall_log.reports(log))
    assert (row["made"], row["reported"], row["located"]) == (6, 4, 3)
    assert round(row["right_line"], 3) == 0.667
    assert row["false_reports"] == 1
    assert row["by_kind"]["lock"]["recall"] == 0


def test_stalls_are_shown_by_kind() -> None:
    row = {"server": "andon", "variant": "injected", **stalls.judged([], [])}
    (table,) = stalls.tables([row])
    assert "a C call that holds the GIL" in table.markdown()
    assert table.markdown().count("**Andon**") == len(KINDS) + 1


def test_late_server_answers() -> None:
    with (
        late_server() as port,
        urllib.request.urlopen(f"http://127.0.0.1:{port}/?seconds=0.01", timeout=10) as answer,
    ):
        assert answer.read() == b"late"


def test_variants_are_andon_with_an_option() -> None:
    launch = Launch("bare:app", workers=3)
    given = OFFLOAD.arguments(launch, 8000)
    assert given == [*ANDON.arguments(launch, 8000), "--on-block", "offload"]
    assert OFFLOAD.ours and not BARE_HYPER.ours
    assert all(is_ours({"server": name}) == server.ours for name, server in SERVERS.items())
    assert is_ours({"server": OFFLOAD.name})
    assert server_title({"server": OFFLOAD.name}) == "**Andon, offload**"
    assert len(set(TITLES.values())) == len(TITLES)


def test_servers_find_the_application_where_it_is(tmp_path: Path) -> None:
    launch = Launch("x:app", directory=tmp_path)
    for name in ("andon", "uvicorn", "gunicorn-uvicorn"):
        assert str(tmp_path) in SERVERS[name].arguments(launch, 1)
