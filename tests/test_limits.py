"""Limits: each is answered with its own status, and what is within them is served."""

import contextlib
from collections.abc import Iterator

import pytest

from tests.conftest import StartServer
from tests.support import AndonServer, RawConnection, wait_until
from tests.support.raw_http import ConnectionClosed, chunked, request_bytes

LINE, HEAD, FIELDS, BODY = 1000, 10_000, 10, 10_000


@pytest.fixture(scope="module")
def limited(start_module_server: StartServer) -> AndonServer:
    """A server with small limits."""
    return start_module_server(
        "raw:app",
        *("--limit-request-line", str(LINE)),
        *("--limit-request-head", str(HEAD)),
        *("--limit-request-fields", str(FIELDS)),
        *("--limit-request-body", str(BODY)),
    )


def _assert_refused(connection: RawConnection, *statuses: int) -> None:
    response = connection.read_response()
    assert response.status in statuses
    assert response.closes
    connection.assert_closed_by_server()


def test_what_is_within_the_limits_is_served(limited: AndonServer) -> None:
    headers = [(f"x-{number}", "v" * 200) for number in range(FIELDS - 2)]
    with limited.connect() as connection:
        response = connection.request("POST", "/" + "p" * (LINE - 100), headers, b"b" * BODY)
    assert response.status == 200
    assert len(response.json()["body"]) == BODY


@pytest.mark.parametrize("size", [LINE + 1, LINE * 3])
def test_a_request_line_above_its_limit_is_414(limited: AndonServer, size: int) -> None:
    with limited.connect() as connection:
        connection.send(request_bytes("GET", "/" + "p" * size))
        _assert_refused(connection, 414)


@pytest.mark.parametrize("size", [HEAD * 2, HEAD * 100])
def test_a_request_line_without_an_end_is_refused(limited: AndonServer, size: int) -> None:
    # It is above the limit of a head as well, whichever is noticed first.
    with limited.connect() as connection:
        connection.send_until_refused(b"GET /" + b"p" * size)
        _assert_refused(connection, 414, 431)


@pytest.mark.parametrize("size", [HEAD + 1, HEAD * 100])
def test_a_head_above_its_limit_is_431(limited: AndonServer, size: int) -> None:
    with limited.connect() as connection:
        connection.send_until_refused(request_bytes("GET", "/", [("X-Large", "v" * size)]))
        _assert_refused(connection, 431)


def test_a_head_without_an_end_is_431(limited: AndonServer) -> None:
    with limited.connect() as connection:
        connection.send_until_refused(b"GET / HTTP/1.1\r\nX-Large: " + b"v" * HEAD * 10)
        _assert_refused(connection, 431)


def test_more_headers_than_allowed_are_431(limited: AndonServer) -> None:
    with limited.connect() as connection:
        connection.send(request_bytes("GET", "/", [(f"x-{n}", "v") for n in range(FIELDS)]))
        _assert_refused(connection, 431)


def test_a_length_above_the_limit_is_413_without_reading_the_body(limited: AndonServer) -> None:
    with limited.connect() as connection:
        connection.send(request_bytes("POST", "/", [("Content-Length", str(BODY + 1))]))
        _assert_refused(connection, 413)


def test_a_length_above_the_limit_is_413_instead_of_continue(limited: AndonServer) -> None:
    headers = [("Content-Length", str(BODY + 1)), ("Expect", "100-continue")]
    with limited.connect() as connection:
        connection.send(request_bytes("POST", "/", headers))
        response = connection.read_response()
    assert (response.status, response.interim) == (413, [])


def test_a_client_which_sends_all_of_a_refused_body_can_read_the_413(limited: AndonServer) -> None:
    with limited.connect() as connection:
        connection.send_until_refused(request_bytes("POST", "/", body=b"b" * 10_000_000))
        assert connection.read_response().status == 413


def test_a_length_far_above_any_number_is_refused(limited: AndonServer) -> None:
    with limited.connect() as connection:
        connection.send(request_bytes("POST", "/", [("Content-Length", "9" * 40)]))
        assert connection.read_response().status in (400, 413)
        connection.assert_closed_by_server()


def test_a_chunked_body_above_the_limit_is_413(limited: AndonServer) -> None:
    head = request_bytes("POST", "/", [("Transfer-Encoding", "chunked")])
    with limited.connect() as connection:
        connection.send(head + chunked(*[b"b" * 1000] * (BODY // 1000 + 1)))
        _assert_refused(connection, 413)


def test_a_chunked_body_at_the_limit_is_served(limited: AndonServer) -> None:
    head = request_bytes("POST", "/digest", [("Transfer-Encoding", "chunked")])
    with limited.connect() as connection:
        connection.send(head + chunked(*[b"b" * 1000] * (BODY // 1000)))
        assert connection.read_response().json()["bytes"] == BODY


def test_a_body_limit_of_zero_is_no_limit(start_server: StartServer) -> None:
    server = start_server("raw:app", "--limit-request-body", "0")
    with server.connect(seconds=30) as connection:
        response = connection.request("POST", "/digest", body=b"b" * 50_000_000)
    assert response.json()["bytes"] == 50_000_000


@pytest.fixture(scope="module")
def two_at_once(start_module_server: StartServer) -> Iterator[AndonServer]:
    """A server which takes two requests at once."""
    yield start_module_server("raw:app", "--limit-concurrency", "2")


def test_requests_above_the_concurrency_limit_are_503_with_retry_after(
    two_at_once: AndonServer,
) -> None:
    with two_at_once.connect() as first, two_at_once.connect() as second:
        for name, connection in (("a", first), ("b", second)):
            connection.send(request_bytes("GET", f"/hold?gate={name}"))
            two_at_once.journal.wait_for("holding", name=name)
        refused = two_at_once.get("/third")
        assert refused.status == 503
        assert (refused.header("retry-after") or "").isdigit()
        two_at_once.journal.open_gate("a")
        assert first.read_response().body == b"released"
        wait_until(lambda: two_at_once.get("/fourth").status == 200, "there is room again")
        two_at_once.journal.open_gate("b")
        assert second.read_response().body == b"released"


def test_idle_connections_do_not_count_as_requests(two_at_once: AndonServer) -> None:
    idle = [two_at_once.connect() for _ in range(10)]
    try:
        assert [connection.request("GET", "/").status for connection in idle] == [200] * 10
    finally:
        for connection in idle:
            connection.close()


def test_connections_above_their_limit_get_no_answer_until_one_is_free(
    start_server: StartServer,
) -> None:
    server = start_server("raw:app", "--limit-connections", "3")
    kept = [server.connect() for _ in range(3)]
    assert [connection.request("GET", "/").status for connection in kept] == [200] * 3
    # Refused at once with a 503, closed, or left to wait: but not served.
    refusals = (ConnectionClosed, ConnectionError, TimeoutError)
    with contextlib.suppress(*refusals), server.connect(seconds=1) as above:
        assert above.request("GET", "/").status == 503
    assert [connection.request("GET", "/").status for connection in kept] == [200] * 3
    for connection in kept:
        connection.close()

    def served() -> bool:
        try:
            return server.get("/").status == 200
        except (ConnectionClosed, ConnectionError):
            return False

    wait_until(served, "a new connection is served")
