"""What a file says of single routes, and what was learned of them."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.conftest import StartServer
from tests.support import wait_until
from tests.support.raw_http import request_bytes
from tests.support.server import APPLICATIONS, EXECUTABLE
from tests.support.server_process import clean_environment


def _rules(directory: Path, *rules: str) -> str:
    file = directory / "rules.toml"
    file.write_text("\n".join(["[tool.andon.routes]", *rules]) + "\n")
    return str(file)


def test_the_time_of_a_route_is_its_own(start_server: StartServer, tmp_path: Path) -> None:
    file = _rules(tmp_path, '"GET /wait/{gate}" = { timeout = 0.2 }')
    server = start_server("placing:app", "--config", file)
    assert server.get("/wait/late").status == 504
    assert server.get("/fast").status == 200
    server.journal.open_gate("late")


def test_a_route_runs_as_often_at_once_as_its_rule_says(
    start_server: StartServer, tmp_path: Path
) -> None:
    file = _rules(tmp_path, '"GET /wait/{gate}" = { concurrency = 1 }')
    server = start_server("placing:app", "--config", file)
    with server.connect() as first, server.connect() as second:
        first.send(request_bytes("GET", "/wait/first"))
        server.journal.wait_for("started", gate="first")
        second.send(request_bytes("GET", "/wait/second"))
        assert server.get("/fast").status == 200
        assert server.journal.events("started", gate="second") == []
        server.journal.open_gate("first")
        assert first.read_response().status == 200
        server.journal.wait_for("started", gate="second")
        server.journal.open_gate("second")
        assert second.read_response().status == 200


def test_rules_beside_the_application_are_found(start_server: StartServer, tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text((APPLICATIONS / "placing.py").read_text())
    (tmp_path / "journal.py").write_text((APPLICATIONS / "journal.py").read_text())
    rules = '[project]\nname = "x"\n[tool.andon.routes]\n"GET /wait/{gate}" = { timeout = 0.2 }\n'
    (tmp_path / "pyproject.toml").write_text(rules)
    server = start_server("main:app", application_directory=tmp_path)
    assert server.get("/wait/late").status == 504
    server.journal.open_gate("late")


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        ('"GET /a" = { runs = "heavy" }', "unknown field `runs`"),
        ('"GET /a" = { run = "process" }', "unknown variant `process`"),
        ('"/a" = {}', "no method"),
        ("GET /a = {}", "line 2"),
    ],
)
def test_a_wrong_rule_is_told_with_file_key_and_hint(tmp_path: Path, rule: str, told: str) -> None:
    file = _rules(tmp_path, rule)
    completed = _run(tmp_path, "--config", file)
    assert completed.returncode == 2
    assert completed.stderr.startswith(f"error: `{file}`")
    assert told in completed.stderr
    assert "\n\nhint: " in completed.stderr


def test_a_file_that_was_named_must_be_there(tmp_path: Path) -> None:
    completed = _run(tmp_path, "--config", "nowhere.toml")
    assert completed.returncode == 2
    assert "`nowhere.toml`: cannot be read" in completed.stderr


def test_fewer_workers_at_most_than_at_least_are_refused(tmp_path: Path) -> None:
    completed = _run(tmp_path, "--workers", "4", "--max-workers", "2")
    assert completed.returncode == 2
    assert "--max-workers 2 is less than --workers 4" in completed.stderr


def test_what_was_learned_is_kept(start_server: StartServer, tmp_path: Path) -> None:
    options = ("--state-dir", str(tmp_path / "state"))
    server = start_server("placing:app", *options)
    server.get("/fast")
    assert server.stop() == 0
    file = tmp_path / "state" / "profiles.json"
    assert json.loads(file.read_text())["profiles"]["GET /fast"]["calls"] == 1
    server = start_server("placing:app", *options)
    server.get("/fast")
    assert server.stop() == 0
    assert json.loads(file.read_text())["profiles"]["GET /fast"]["calls"] == 2


def test_a_state_that_cannot_be_read_is_learned_anew(
    start_server: StartServer, tmp_path: Path
) -> None:
    (tmp_path / "profiles.json").write_text("{")
    server = start_server("placing:app", "--state-dir", str(tmp_path))
    wait_until(lambda: "learned anew" in server.stderr, "the loss is told")
    assert server.get("/fast").status == 200


def _run(directory: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [EXECUTABLE, "placing:app", "--app-dir", str(APPLICATIONS), *arguments],
        env=clean_environment(),
        cwd=directory,
        capture_output=True,
        text=True,
        timeout=30,
    )
