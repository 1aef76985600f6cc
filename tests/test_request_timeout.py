"""How long a request may take: 504 before its answer begins, a cut after that."""

import pytest

from tests.conftest import StartServer
from tests.support import AndonServer
from tests.support.raw_http import ConnectionClosed, request_bytes


@pytest.fixture(scope="module")
def hurried(start_module_server: StartServer) -> AndonServer:
    """A server whose requests may take half a second, and are cancelled after that."""
    return start_module_server("placing:app", "--request-timeout", "0.5", "--cancel-on-disconnect")


def test_a_request_that_takes_too_long_is_504_and_is_cancelled(hurried: AndonServer) -> None:
    with hurried.connect() as connection:
        response = connection.request("GET", "/wait/never")
        assert (response.status, response.body) == (504, b"the request took too long")
        assert connection.request("GET", "/fast").status == 200
    hurried.journal.wait_for("cancelled", gate="never")


def test_an_answer_that_takes_too_long_is_cut(hurried: AndonServer) -> None:
    with hurried.connect() as connection:
        connection.send(request_bytes("GET", "/stream/never-sent"))
        assert connection.read_head().status == 200
        assert connection.read_chunk() == b"first"
        with pytest.raises(ConnectionClosed):
            connection.read_chunk()


def test_a_trusted_client_may_ask_for_less_time(start_server: StartServer) -> None:
    server = start_server("placing:app")
    assert server.get("/wait/asked", ("Andon-Timeout", "0.2")).status == 504
    server.journal.open_gate("asked")


def test_without_cancellation_the_application_goes_on(start_server: StartServer) -> None:
    server = start_server("placing:app", "--request-timeout", "0.2")
    assert server.get("/wait/on").status == 504
    server.journal.open_gate("on")
    server.journal.wait_for("ended", gate="on")
    assert server.journal.events("cancelled") == []
