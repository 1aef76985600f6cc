"""Stalls are reported in the log: where, why, who had to wait, and what to change."""

import json
from typing import Any

from tests.conftest import StartServer
from tests.support import AndonServer, wait_until
from tests.support.raw_http import request_bytes
from tests.support.server import APPLICATIONS

SOURCE = APPLICATIONS / "placing.py"
LINE = 1 + SOURCE.read_text().splitlines().index("    time.sleep(0.3)")


def _reports(server: AndonServer) -> list[dict[str, Any]]:
    messages = [json.loads(line) for line in server.stderr.splitlines()]
    return [message for message in messages if message.get("event") == "stall"]


def test_a_report_names_route_line_kind_and_what_to_change(start_server: StartServer) -> None:
    server = start_server("placing:app")
    server.get("/sleep")
    wait_until(lambda: "hint:" in server.stderr, "the stall is reported")
    report = server.stderr[server.stderr.index("worker 1: `GET /sleep`") :]
    headline, place, *_ = report.splitlines()
    assert "held the event loop for 0.3" in headline
    assert "a blocking call" in headline
    assert place == f"    at {SOURCE}:{LINE}, in sleep"
    assert "await asyncio.sleep" in report


def test_those_who_had_to_wait_are_named(start_server: StartServer) -> None:
    server = start_server("placing:app", "--workers", "1", "--log-format", "json")
    assert server.get("/fast").status == 200
    with server.connect() as holding, server.connect() as connection:
        holding.send(request_bytes("GET", "/hold/named"))
        server.journal.wait_for("started", gate="named")
        connection.send(request_bytes("GET", "/fast"))
        report = wait_until(lambda: _reports(server), "the stall is reported")[0]
        server.journal.open_gate("named")
        assert connection.read_response().status == 200
        assert holding.read_response().status == 200
    assert (report["route"], report["kind"]) == ("GET /hold/{gate}", "blocked")
    assert report["held_up_count"] == 1
    assert report["held_up"][0]["route"] == "GET /fast"


def test_one_place_is_reported_once_a_minute(start_server: StartServer) -> None:
    server = start_server("placing:app", "--log-format", "json")
    for _ in range(3):
        server.get("/sleep")
    assert server.get("/fast").status == 200
    assert server.stop() == 0
    reports = _reports(server)
    assert len(reports) == 1
    assert (reports[0]["file"], reports[0]["line"]) == (str(SOURCE), LINE)


def test_short_holds_are_not_reported(start_server: StartServer) -> None:
    server = start_server("placing:app", "--stall-report-after", "5", "--log-format", "json")
    server.get("/sleep")
    assert server.stop() == 0
    assert _reports(server) == []
