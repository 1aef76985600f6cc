"""Overload: what cannot be queued is refused at once, what waits too long is refused then."""

import contextlib
import time
from collections.abc import Iterator

from tests.conftest import StartServer
from tests.support import AndonServer, RawConnection, wait_until
from tests.support.raw_http import Response, request_bytes


@contextlib.contextmanager
def _held(server: AndonServer, gate: str) -> Iterator[RawConnection]:
    """Hold the event loop of the only worker, which has served the fast route before."""
    assert server.get("/fast").status == 200
    with server.connect() as connection:
        connection.send(request_bytes("GET", f"/hold/{gate}"))
        server.journal.wait_for("started", gate=gate)
        try:
            yield connection
        finally:
            server.journal.open_gate(gate)


def _assert_refused(response: Response) -> None:
    assert response.status == 503
    assert response.header("retry-after") in ("1", "2", "3")
    assert not response.closes


def test_a_request_beyond_the_queue_is_refused_at_once(start_server: StartServer) -> None:
    server = start_server("placing:app", "--queue-requests", "1")
    with _held(server, "full") as holding, contextlib.ExitStack() as waiting:
        refused: list[Response] = []

        def one_more() -> bool:
            connection = waiting.enter_context(server.connect(seconds=0.5))
            connection.send(request_bytes("GET", "/fast"))
            with contextlib.suppress(TimeoutError):
                refused.append(connection.read_response())
            return bool(refused)

        # The first ones were offered to the worker before it was seen to be held.
        wait_until(one_more, "a request is refused")
        _assert_refused(refused[0])
        assert refused[0].body == b"too many requests are waiting"
        server.journal.open_gate("full")
        assert holding.read_response().status == 200


def test_a_request_that_waits_too_long_is_refused(start_server: StartServer) -> None:
    timeouts = ("--queue-timeout", "0.3", "--heavy-queue-timeout", "0.3")
    server = start_server("placing:app", *timeouts)
    with _held(server, "late") as holding:
        began = time.monotonic()
        with server.connect() as connection:
            _assert_refused(connection.request("GET", "/fast"))
            assert time.monotonic() - began < 5
            server.journal.open_gate("late")
            assert holding.read_response().status == 200
            assert connection.request("GET", "/fast").status == 200


def test_a_request_above_the_limit_of_all_is_refused(start_server: StartServer) -> None:
    server = start_server("placing:app", "--limit-concurrency", "1")
    with server.connect() as waiting, server.connect() as connection:
        waiting.send(request_bytes("GET", "/wait/all"))
        server.journal.wait_for("started", gate="all")
        _assert_refused(connection.request("GET", "/fast"))
        server.journal.open_gate("all")
        assert waiting.read_response().status == 200
