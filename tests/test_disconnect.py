"""A client which goes away: the application is told, promptly, and the server is none the worse."""

import pytest

from tests.support import AndonServer, wait_until
from tests.support.raw_http import request_bytes


@pytest.mark.parametrize("loss", ["close", "abort"])
def test_a_lost_client_reaches_the_waiting_application(raw_server: AndonServer, loss: str) -> None:
    connection = raw_server.connect()
    connection.send(request_bytes("GET", f"/wait-for-disconnect?name={loss}"))
    raw_server.journal.wait_for("received", name=loss, type="http.request")
    getattr(connection, loss)()
    raw_server.journal.wait_for("disconnected", name=loss, again="http.disconnect")
    raw_server.journal.wait_for("sent after the disconnect", name=loss)


def test_a_client_lost_within_its_body_is_not_taken_for_its_end(raw_server: AndonServer) -> None:
    connection = raw_server.connect()
    length = [("Content-Length", "1000000")]
    connection.send(request_bytes("POST", "/wait-for-disconnect?name=cut", length) + b"x" * 100_000)

    def received() -> int:
        events = raw_server.journal.events("received", name="cut", type="http.request")
        return sum(event["size"] for event in events)

    wait_until(lambda: received() == 100_000, "the application has what was sent")
    connection.close()
    raw_server.journal.wait_for("disconnected", name="cut")
    assert received() == 100_000


def test_a_client_lost_within_a_chunked_body_is_seen(raw_server: AndonServer) -> None:
    connection = raw_server.connect()
    chunks = [("Transfer-Encoding", "chunked")]
    connection.send(request_bytes("POST", "/wait-for-disconnect?name=chunks", chunks) + b"3\r\nabc")
    raw_server.journal.wait_for("started", name="chunks")
    connection.close()
    raw_server.journal.wait_for("disconnected", name="chunks")


def test_asking_again_and_again_whether_the_client_is_there_leaves_nothing(
    raw_server: AndonServer,
) -> None:
    assert raw_server.get("/poll").json() < 10


def test_an_application_which_sends_to_a_lost_client_is_told(raw_server: AndonServer) -> None:
    connection = raw_server.connect()
    connection.send(request_bytes("GET", "/endless?name=lost"))
    connection.read_head()
    connection.abort()
    raw_server.journal.wait_for("stopped", name="lost")


def test_a_held_back_application_is_released_when_its_client_goes(raw_server: AndonServer) -> None:
    connection = raw_server.connect(receive_buffer=65_536)
    connection.send(request_bytes("GET", "/endless?name=held"))
    raw_server.journal.wait_for("sent", name="held")
    connection.close()
    raw_server.journal.wait_for("stopped", name="held")


def test_a_request_whose_answer_nobody_awaits_leaves_the_server_well(
    raw_server: AndonServer,
) -> None:
    for number in range(20):
        with raw_server.connect() as connection:
            connection.send(request_bytes("GET", f"/hold?gate=given-up-{number}"))
            raw_server.journal.wait_for("holding", name=f"given-up-{number}")
        raw_server.journal.open_gate(f"given-up-{number}")
    assert raw_server.get("/after").status == 200
