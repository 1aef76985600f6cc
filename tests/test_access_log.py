"""The access log: one line on standard output for each answer."""

import re

from tests.conftest import StartServer
from tests.support import AndonServer, wait_until
from tests.support.raw_http import request_bytes

LINE = re.compile(
    r'(?P<client>127\.0\.0\.1:[0-9]+) "(?P<request>[^"]*)" '
    r"(?P<status>[0-9]{3}) (?P<bytes>[0-9]+)B (?P<milliseconds>[0-9]+(\.[0-9]+)?)ms"
    r"( worker=(?P<worker>[0-9]+) lane=[a-z]+ executor=[a-z]+ reason=[a-z-]+"
    r" queue=[0-9.]+ms run=[0-9.]+ms( cpu=[0-9.]+ms)?)?"
)


def _line_with(server: AndonServer, text: str) -> re.Match[str]:
    def find() -> re.Match[str] | None:
        lines = [line for line in server.stdout.splitlines() if text in line]
        assert len(lines) <= 1, lines
        return LINE.fullmatch(lines[0]) if lines else None

    return wait_until(find, f"a line with {text!r} is in the access log")


def test_a_line_names_client_request_status_size_and_time(raw_server: AndonServer) -> None:
    with raw_server.connect() as connection:
        connection.request("GET", "/status?code=404&body=twelve+bytes&line=1")
        host, port = connection.local_address
    line = _line_with(raw_server, "line=1")
    assert line["client"] == f"{host}:{port}"
    assert line["request"] == "GET /status?code=404&body=twelve+bytes&line=1 HTTP/1.1"
    assert (line["status"], line["bytes"]) == ("404", "12")
    assert 0 <= float(line["milliseconds"]) < 10_000
    assert line["worker"] == "1"


def test_the_target_is_logged_as_it_was_sent(raw_server: AndonServer) -> None:
    raw_server.get("/caf%C3%A9%0A%22?line=2%20")
    assert _line_with(raw_server, "line=2")["request"] == "GET /caf%C3%A9%0A%22?line=2%20 HTTP/1.1"


def test_a_quote_in_the_target_cannot_forge_a_line(raw_server: AndonServer) -> None:
    raw_server.get('/forged"?line=3')
    lines = [line for line in _logged(raw_server, "line=3") if "line=3" in line]
    assert len(lines) == 1
    assert lines[0].startswith("127.0.0.1:")


def test_a_streamed_answer_is_logged_with_its_size_at_its_end(raw_server: AndonServer) -> None:
    with raw_server.connect() as connection:
        connection.send(request_bytes("GET", "/gated-stream?gate=log&line=4"))
        connection.read_head()
        assert "line=4" not in raw_server.stdout
        raw_server.journal.open_gate("log")
        assert connection.read_chunk() + connection.read_chunk() == b"firstsecond"
    assert _line_with(raw_server, "line=4")["bytes"] == str(len(b"firstsecond"))


def test_head_and_http_1_0_are_logged_as_such(raw_server: AndonServer) -> None:
    with raw_server.connect() as connection:
        connection.request("HEAD", "/close?line=5")
    line = _line_with(raw_server, "line=5")
    assert (line["request"], line["bytes"]) == ("HEAD /close?line=5 HTTP/1.1", "0")
    with raw_server.connect() as connection:
        connection.request("GET", "/close?line=6", version="1.0")
    assert _line_with(raw_server, "line=6")["request"] == "GET /close?line=6 HTTP/1.0"


def test_an_exception_is_logged_as_a_500(raw_server: AndonServer) -> None:
    raw_server.get("/raise-at-once?line=7")
    assert _line_with(raw_server, "line=7")["status"] == "500"


def test_the_access_log_can_be_switched_off(start_server: StartServer) -> None:
    server = start_server("raw:app", "--no-access-log")
    assert server.get("/unlogged").status == 200
    assert server.stop() == 0
    assert "/unlogged" not in server.stdout + server.stderr


def _logged(server: AndonServer, text: str) -> list[str]:
    wait_until(lambda: text in server.stdout, f"{text!r} is in the access log")
    return server.stdout.splitlines()
