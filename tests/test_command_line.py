"""The command line: help, wrong options, environment variables, and what cannot be loaded."""

import os
import re
import socket
import subprocess
from pathlib import Path

import pytest

from tests.conftest import StartServer
from tests.support import AndonServer, wait_until
from tests.support.server import APPLICATIONS, EXECUTABLE
from tests.support.server_process import clean_environment

OPTIONS = [
    *("--host", "--port", "--workers", "--loop", "--reload", "--reload-dir", "--app-dir"),
    *("--factory", "--lifespan", "--root-path", "--log-level", "--access-log", "--no-access-log"),
    *("--server-header", "--no-server-header", "--date-header", "--no-date-header"),
    *("--timeout-keep-alive", "--timeout-request-head", "--timeout-request-body"),
    *("--timeout-graceful-shutdown", "--limit-concurrency", "--limit-connections"),
    *("--limit-request-line", "--limit-request-head", "--limit-request-fields"),
    *("--limit-request-body", "--backlog", "--ws-max-size", "--ws-ping-interval"),
    *("--ws-ping-timeout", "--ws-per-message-deflate", "--no-ws-per-message-deflate"),
    *("--max-workers", "--threads", "--on-block", "--stall-after", "--stall-report-after"),
    *("--queue-timeout", "--heavy-queue-timeout", "--queue-requests", "--queue-bytes"),
    *("--request-timeout", "--cancel-on-disconnect", "--explain", "--trusted-peers"),
    *("--config", "--state-dir", "--dispatch-trace", "--log-format", "--native"),
]


def _run(directory: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [EXECUTABLE, *arguments],
        env=clean_environment() | variables,
        cwd=directory,
        capture_output=True,
        text=True,
        timeout=30,
    )


def test_help_names_every_option(tmp_path: Path) -> None:
    completed = _run(tmp_path, "--help")
    assert completed.returncode == 0
    assert [option for option in OPTIONS if option not in completed.stdout] == []


def test_help_names_the_environment_variables(tmp_path: Path) -> None:
    assert "ANDON_LIMIT_REQUEST_BODY" in _run(tmp_path, "--help").stdout


def test_version_is_told(tmp_path: Path) -> None:
    completed = _run(tmp_path, "--version")
    assert completed.returncode == 0
    assert re.search(r"andon [0-9]+\.[0-9]+", completed.stdout)


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["raw:app", "--no-such-option"],
        ["raw:app", "--port", "http"],
        ["raw:app", "--port", "70000"],
        ["raw:app", "--workers", "-1"],
        ["raw:app", "--loop", "tornado"],
        ["raw:app", "--log-level", "loud"],
        ["raw:app", "--timeout-keep-alive", "soon"],
    ],
    ids=" ".join,
)
def test_wrong_options_end_with_2_and_an_explanation(arguments: list[str], tmp_path: Path) -> None:
    completed = _run(tmp_path, *arguments)
    assert completed.returncode == 2
    assert completed.stderr.startswith("error: ")
    assert "Traceback" not in completed.stderr


def test_a_variable_sets_an_option(start_server: StartServer) -> None:
    server = start_server("raw:app", environment={"ANDON_LIMIT_REQUEST_BODY": "10"})
    with server.connect() as connection:
        assert connection.request("POST", "/", body=b"eleven byte").status == 413


def test_the_command_line_wins_over_a_variable(start_server: StartServer) -> None:
    server = start_server(
        "raw:app", "--limit-request-body", "100", environment={"ANDON_LIMIT_REQUEST_BODY": "10"}
    )
    with server.connect() as connection:
        assert connection.request("POST", "/", body=b"eleven byte").status == 200


def test_a_variable_switches_a_flag(start_server: StartServer) -> None:
    server = start_server("raw:app", environment={"ANDON_ACCESS_LOG": "false"})
    assert server.get("/unlogged").status == 200
    assert server.stop() == 0
    assert "/unlogged" not in server.stdout


def test_a_wrong_variable_ends_with_2_and_names_it(tmp_path: Path) -> None:
    completed = _run(tmp_path, "raw:app", ANDON_WORKERS="many")
    assert completed.returncode == 2
    assert "many" in completed.stderr


def test_a_port_in_use_ends_with_3(new_server: StartServer) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        server = new_server("raw:app", port=port).launch()
        assert server.wait(30) == 3
    _assert_error(server, str(port))


def test_a_host_which_is_not_ours_ends_with_3(new_server: StartServer) -> None:
    server = new_server("raw:app", "--host", "192.0.2.1").launch()
    assert server.wait(30) == 3
    _assert_error(server, "192.0.2.1")


@pytest.mark.parametrize(
    ("application", "told"),
    [
        ("no_such_module:app", "no_such_module"),
        ("raw:no_such_attribute", "no_such_attribute"),
        ("raw:app.no_such_attribute", "no_such_attribute"),
        ("imports_missing:app", "a_package_which_is_not_installed"),
        ("import_raises:app", "DATABASE_URL"),
        ("factories:not_callable", "not_callable"),
    ],
)
def test_what_cannot_be_loaded_ends_with_4_and_a_hint(
    new_server: StartServer, application: str, told: str
) -> None:
    server = new_server(application).launch()
    assert server.wait(30) == 4
    _assert_error(server, told)
    assert re.search(r"\n\nhint: \S", server.stderr), server.stderr
    assert server.journal.events("startup") == []


@pytest.mark.parametrize(
    ("application", "frame"),
    [("imports_missing:app", "imports_missing.py"), ("import_raises:app", "in read_setting")],
)
def test_the_traceback_shows_the_application_and_nothing_of_the_machinery(
    new_server: StartServer, application: str, frame: str
) -> None:
    server = new_server(application).launch()
    assert server.wait(30) == 4
    assert frame in server.stderr
    files = re.findall(r'File "([^"]+)"', server.stderr)
    assert files
    assert all(file.startswith(str(APPLICATIONS)) for file in files), files


def test_a_syntax_error_is_shown_with_its_place(new_server: StartServer, tmp_path: Path) -> None:
    (tmp_path / "mistyped.py").write_text("app = (\n")
    server = new_server("mistyped:app", application_directory=tmp_path).launch()
    assert server.wait(30) == 4
    assert "mistyped.py" in server.stderr
    assert "SyntaxError" in server.stderr


def test_an_error_is_shown_once_with_many_workers(new_server: StartServer) -> None:
    server = new_server("import_raises:app", "--workers", "4").launch()
    assert server.wait(30) == 4
    assert server.stderr.count("error: ") == 1


def test_a_factory_is_called(start_server: StartServer) -> None:
    assert start_server("factories:make", "--factory").get("/").status == 200


def test_a_factory_which_raises_ends_with_4(new_server: StartServer) -> None:
    server = new_server("factories:make_failing", "--factory").launch()
    assert server.wait(30) == 4
    assert "the factory is closed" in server.stderr


def test_an_attribute_of_an_attribute_is_found(start_server: StartServer) -> None:
    assert start_server("factories:holder.inner.app").get("/").status == 200


def test_the_working_directory_is_searched_without_app_dir(tmp_path: Path) -> None:
    (tmp_path / "local_application.py").write_text("raise RuntimeError('found it')\n")
    completed = _run(tmp_path, "local_application:app", "--port", "0")
    assert completed.returncode == 4
    assert "found it" in completed.stderr


@pytest.mark.parametrize("loop", ["auto", "asyncio", "uvloop"])
def test_each_loop_serves(start_server: StartServer, loop: str) -> None:
    server = start_server("raw:app", "--loop", loop)
    assert server.get("/").status == 200


def test_a_host_can_be_an_ipv6_address(new_server: StartServer) -> None:
    if not _has_ipv6():
        pytest.skip("this machine has no IPv6 loopback")
    server = new_server("raw:app", "--host", "::1").launch()
    found = wait_until(
        lambda: re.search(r"listening on http://\[::1\]:([0-9]+)", server.stderr), "it listens", 20
    )
    with socket.create_connection(("::1", int(found[1])), 10) as connection:
        connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
        assert connection.recv(12).endswith(b" 200")


def _has_ipv6() -> bool:
    return socket.has_ipv6 and os.path.exists("/proc/net/if_inet6")


def _assert_error(server: AndonServer, told: str) -> None:
    errors = [line for line in server.stderr.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1, server.stderr
    assert told in server.stderr
