"""Time-outs: slow heads and bodies get 408, idle connections are closed, slow handlers are not."""

import time

import pytest

from tests.conftest import StartServer
from tests.support import AndonServer, RawConnection
from tests.support.raw_http import request_bytes

SECONDS = 1
# A machine under load is late; a time-out which does not work is later than this.
LATEST = 8.0
TRICKLE_SECONDS = 0.2

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def impatient(start_module_server: StartServer) -> AndonServer:
    """A server with short time-outs."""
    return start_module_server(
        "raw:app",
        *("--timeout-keep-alive", str(SECONDS)),
        *("--timeout-request-head", str(SECONDS)),
        *("--timeout-request-body", str(SECONDS)),
    )


def _assert_408(connection: RawConnection, since: float) -> None:
    response = connection.read_response()
    waited = time.monotonic() - since
    assert response.status == 408
    assert response.closes
    connection.assert_closed_by_server()
    assert SECONDS * 0.8 < waited < LATEST


def test_a_head_which_does_not_end_is_408(impatient: AndonServer) -> None:
    with impatient.connect() as connection:
        since = time.monotonic()
        connection.send(b"GET / HTTP/1.1\r\nHost: test.example\r\n")
        _assert_408(connection, since)


def test_a_head_in_single_bytes_does_not_gain_time(impatient: AndonServer) -> None:
    with impatient.connect(seconds=TRICKLE_SECONDS) as connection:
        since = time.monotonic()
        connection.send(b"GET / HTTP/1.1\r\nX-Slow: ")
        while not connection.buffer:
            assert time.monotonic() - since < LATEST, "each byte prolongs the time-out"
            try:
                connection.buffer += connection.socket.recv(1000)
            except TimeoutError:
                connection.send(b"v")
        assert connection.read_response().status == 408


def test_a_connection_without_a_request_is_closed(impatient: AndonServer) -> None:
    with impatient.connect() as connection:
        since = time.monotonic()
        rest = connection.read_to_end()
        assert time.monotonic() - since < LATEST
        assert rest == b"" or rest.startswith(b"HTTP/1.1 408 ")


def test_an_idle_connection_is_closed_without_a_word(impatient: AndonServer) -> None:
    with impatient.connect() as connection:
        assert connection.request("GET", "/").status == 200
        since = time.monotonic()
        connection.assert_closed_by_server()
        assert SECONDS * 0.8 < time.monotonic() - since < LATEST


def test_a_body_of_which_nothing_comes_is_408(impatient: AndonServer) -> None:
    with impatient.connect() as connection:
        since = time.monotonic()
        connection.send(request_bytes("POST", "/digest", [("Content-Length", "100")]) + b"some")
        _assert_408(connection, since)


def test_a_body_which_keeps_coming_is_not_cut(impatient: AndonServer) -> None:
    parts = 10
    assert parts * TRICKLE_SECONDS > 1.5 * SECONDS
    with impatient.connect() as connection:
        connection.send(request_bytes("POST", "/digest", [("Content-Length", str(parts))]))
        connection.socket.settimeout(TRICKLE_SECONDS)
        for _ in range(parts - 1):
            connection.send(b"b")
            # The pause between two parts; an early answer would fail here.
            with pytest.raises(TimeoutError):
                connection.socket.recv(1)
        connection.send(b"b")
        connection.socket.settimeout(10)
        assert connection.read_response().json()["bytes"] == parts


def test_a_slow_handler_is_not_timed_out(impatient: AndonServer) -> None:
    with impatient.connect() as connection:
        connection.send(request_bytes("GET", "/hold?gate=slow-handler"))
        impatient.journal.wait_for("holding", name="slow-handler")
        connection.socket.settimeout(SECONDS * 2)
        with pytest.raises(TimeoutError):
            connection.read_response()
        connection.socket.settimeout(10)
        impatient.journal.open_gate("slow-handler")
        assert connection.read_response().body == b"released"


def test_a_websocket_is_not_an_idle_connection(impatient: AndonServer) -> None:
    with impatient.websocket("/ws/echo") as socket:
        socket.accepted()
        socket.connection.socket.settimeout(SECONDS * 2)
        with pytest.raises(TimeoutError):
            socket.read_frame()
        socket.connection.socket.settimeout(10)
        socket.send_frame(1, b"still open")
        assert socket.read_frame().payload == b"still open"
