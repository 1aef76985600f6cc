"""Connections: kept alive, pipelined, closed by either side, and HTTP/1.0 (RFC 9112, section 9)."""

import pytest

from tests.support import AndonServer
from tests.support.raw_http import chunked, request_bytes


def test_a_connection_is_kept_alive_for_the_next_request(raw_server: AndonServer) -> None:
    with raw_server.connect() as connection:
        for number in range(5):
            response = connection.request("GET", f"/request/{number}")
            assert response.status == 200
            assert not response.closes
            assert response.json()["path"] == f"/request/{number}"


def test_a_connection_is_kept_alive_after_bodies_in_both_codings(raw_server: AndonServer) -> None:
    with raw_server.connect() as connection:
        assert connection.request("POST", "/mirror", body=b"with a length").body == b"with a length"
        head = request_bytes("POST", "/mirror", [("Transfer-Encoding", "chunked")])
        connection.send(head + chunked(b"in ", b"chunks"))
        assert connection.read_response().body == b"in chunks"
        assert connection.request("GET", "/stream?count=3&size=2").body == b"\0\0\1\1\2\2"
        assert connection.request("GET", "/last").json()["path"] == "/last"


def test_pipelined_requests_are_answered_in_order(raw_server: AndonServer) -> None:
    requests = [request_bytes("POST", f"/{number}", body=b"%d" % number) for number in range(20)]
    with raw_server.connect() as connection:
        connection.send(b"".join(requests))
        for number in range(20):
            echoed = connection.read_response().json()
            assert (echoed["path"], echoed["body"]) == (f"/{number}", str(number))


def test_a_pipelined_request_waits_for_the_answer_before_it(raw_server: AndonServer) -> None:
    with raw_server.connect() as connection:
        first = request_bytes("GET", "/hold?gate=pipelined")
        connection.send(first + request_bytes("GET", "/second"))
        raw_server.journal.wait_for("holding", name="pipelined")
        raw_server.journal.open_gate("pipelined")
        assert connection.read_response().body == b"released"
        assert connection.read_response().json()["path"] == "/second"


def test_a_request_in_single_bytes_is_understood(raw_server: AndonServer) -> None:
    with raw_server.connect() as connection:
        for byte in request_bytes("POST", "/slow", [("X-Name", "value")], b"body"):
            connection.send(bytes([byte]))
        echoed = connection.read_response().json()
    assert (echoed["path"], echoed["body"]) == ("/slow", "body")


def test_one_empty_line_before_a_request_is_skipped(raw_server: AndonServer) -> None:
    with raw_server.connect() as connection:
        connection.send(b"\r\n" + request_bytes("GET", "/after-empty-line"))
        assert connection.read_response().json()["path"] == "/after-empty-line"


@pytest.mark.parametrize("value", ["close", "Close", "keep-alive, close"])
def test_a_client_which_asks_to_close_gets_a_closed_connection(
    raw_server: AndonServer, value: str
) -> None:
    with raw_server.connect() as connection:
        request = request_bytes("GET", "/first", [("Connection", value)])
        connection.send(request + request_bytes("GET", "/ignored"))
        response = connection.read_response()
        assert response.json()["path"] == "/first"
        assert response.closes
        connection.assert_closed_by_server()


def test_an_application_may_close_the_connection(raw_server: AndonServer) -> None:
    with raw_server.connect() as connection:
        response = connection.request("GET", "/close")
        assert response.body == b"bye"
        assert response.closes
        connection.assert_closed_by_server()


def test_http_1_0_is_answered_with_length_and_closed(raw_server: AndonServer) -> None:
    with raw_server.connect() as connection:
        response = connection.request("POST", "/old", body=b"body", version="1.0")
        assert response.json()["http_version"] == "1.0"
        assert response.json()["body"] == "body"
        connection.assert_closed_by_server()


def test_http_1_0_without_host_is_answered(raw_server: AndonServer) -> None:
    with raw_server.connect() as connection:
        connection.send(b"GET /no-host HTTP/1.0\r\n\r\n")
        assert connection.read_response().json()["path"] == "/no-host"
        connection.assert_closed_by_server()


def test_http_1_0_gets_no_chunked_answer(raw_server: AndonServer) -> None:
    # RFC 9112, section 6.1: a server must not send Transfer-Encoding to an HTTP/1.0 client.
    with raw_server.connect() as connection:
        response = connection.request("GET", "/stream?count=2&size=3", version="1.0")
        assert response.header("transfer-encoding") is None
        assert response.body == b"\0\0\0\1\1\1"


def test_a_connection_closed_without_a_request_harms_nobody(raw_server: AndonServer) -> None:
    for _ in range(20):
        raw_server.connect().close()
        raw_server.connect().abort()
    assert raw_server.get("/after").status == 200


def test_a_body_which_the_application_does_not_read_keeps_the_next_request_intact(
    raw_server: AndonServer,
) -> None:
    with raw_server.connect() as connection:
        unread = request_bytes("POST", "/ignore-body", body=b"GET /smuggled HTTP/1.1\r\n\r\n")
        connection.send(unread + request_bytes("GET", "/next"))
        assert connection.read_response().body == b"not read"
        assert connection.read_response().json()["path"] == "/next"


def test_many_connections_at_once_are_all_answered(raw_server: AndonServer) -> None:
    connections = [raw_server.connect() for _ in range(200)]
    try:
        for number, connection in enumerate(connections):
            connection.send(request_bytes("GET", f"/{number}"))
        for number, connection in enumerate(connections):
            assert connection.read_response().json()["path"] == f"/{number}"
    finally:
        for connection in connections:
            connection.close()
