"""The parts of the bench that need no server: how numbers are written, merged and drawn."""

from __future__ import annotations

import os
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

from bench import processes, report, results
from bench.catalogue import CASES
from bench.svg import Bar, Line, Panel, bars, lines
from bench.tables import SERVER, Column, Table, counts, integer, three_digits
from bench.wrk import Request

HOW = {
    "measured_at": "2026-01-01T00:00:00Z",
    "quick": False,
    "rounds_wanted": 3,
    "wheel": None,
    "andon_arguments": "",
}


def sample(server: str, **values: Any) -> dict[str, Any]:
    return {"server": server, "kills": 3, "survived": "yes", **HOW, **values}


def test_numbers_keep_three_digits_that_mean_something() -> None:
    assert [three_digits(value) for value in (0.2314, 4.519, 45.16, 9856.4, None)] == [
        "0.231",
        "4.52",
        "45.2",
        "9,856",
        "-",
    ]


def test_failed_row_says_why_below_the_table() -> None:
    columns = [SERVER, Column("requests", integer("requests")), Column("errors", counts("errors"))]
    rows: list[dict[str, Any]] = [
        {"server": "uvicorn", "requests": 1600, "errors": {"timeout": 2, "reset": 0}},
        {"server": "andon", "failure": "ended with 1 | no module"},
    ]
    text = Table("", columns, rows).markdown()
    assert "| uvicorn | 1,600 | timeout: 2 |" in text
    assert "| **Andon** | failed | - |" in text
    assert text.endswith("**Andon**: failed: ended with 1 / no module")


def test_rows_of_one_table_come_from_one_run() -> None:
    measured = results.new({}, {})
    first = [{"server": "andon", "variant": "a"}, {"server": "uvicorn", "variant": "a"}]
    results.add(measured, "e1", ("variant",), [*first, {"server": "andon", "variant": "b"}])
    results.add(measured, "e1", ("variant",), [{"server": "granian", "variant": "a"}])
    assert measured["cases"]["e1"] == [
        {"server": "andon", "variant": "b"},
        {"server": "granian", "variant": "a"},
    ]


def test_page_is_written_from_results_alone(tmp_path: Path) -> None:
    machine = {
        "processor": "one",
        "processors": "2",
        "memory": "4 GiB",
        "system": "Linux",
        "load average at start": "0",
    }
    measured = results.new(machine, {"uvicorn": "1.0"})
    results.add(measured, "kill", (), [sample("uvicorn", statuses={"200": 799}, requests=800)])
    page = tmp_path / "benchmarks.md"
    assert report.write(measured, page) == [page]
    assert "## Killed workers" in page.read_text()
    assert "200: 799" in page.read_text()


def test_every_case_shows_rows_that_failed() -> None:
    values: dict[str, Any] = {"workers": 2, "wait_ms": 50, "variant": "injected"}
    for case in CASES.values():
        row = {"server": "andon", "failure": "did not start", "connections": 5000}
        rows = [{**row, **{key: values.get(key, "x") for key in case.labels}}]
        assert any("did not start" in table.markdown() for table in case.tables(rows)), case.name
        for chart in case.charts(rows):
            ElementTree.fromstring(chart.svg)


def test_charts_are_well_formed_and_escape_their_text() -> None:
    chart = bars("a", "a < b & c", [Panel("p", [Bar("x", 3.0, True), Bar("y", None)])])
    assert "a &lt; b &amp; c" in chart.svg and "failed" in chart.svg
    ElementTree.fromstring(chart.svg)
    ElementTree.fromstring(lines("l", "t", "x", "y", [Line("s", [(0, 0.5), (1, 900)], 0)]).svg)
    ElementTree.fromstring(lines("l", "t", "x", "y", []).svg)


def test_wrk_script_quotes_the_body() -> None:
    script = Request("/", "POST", b'{"a": "b"}', {"content-type": "application/json"}).script()
    assert 'wrk.body = "{\\"a\\": \\"b\\"}"' in script


def test_own_process_is_found_with_its_start_time() -> None:
    process = processes.read(os.getpid())
    assert process is not None and process.is_running()
    assert processes.memory(process).resident > 1 << 20
    assert process.pid in [member.pid for member in processes.tree(process.parent)]
