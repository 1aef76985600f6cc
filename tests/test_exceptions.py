"""Exceptions and broken promises of the application: a 500 or a cut, and a traceback."""

import re

import pytest

from tests.support import AndonServer, wait_until
from tests.support.raw_http import ConnectionClosed, request_bytes


def test_an_exception_before_the_head_is_a_500(raw_server: AndonServer) -> None:
    response = raw_server.get("/raise-at-once")
    assert (response.status, response.body) == (500, b"Internal Server Error")
    assert (response.header("content-type") or "").startswith("text/plain")
    wait_until(
        lambda: re.search(r"Traceback[^$]*raised at once", raw_server.stderr),
        "the traceback is logged",
    )


def test_an_exception_after_the_head_cuts_the_connection(raw_server: AndonServer) -> None:
    with raw_server.connect() as connection:
        connection.send(request_bytes("GET", "/raise-after-head"))
        answer = connection.read_to_end()
    # What the application sent before is sent, unless nothing was: then a 500 can still be said.
    if not answer.startswith(b"HTTP/1.1 500 "):
        assert answer.startswith(b"HTTP/1.1 200 ")
        assert answer.endswith(b"7\r\npartial\r\n")
    wait_until(lambda: "raised after the head" in raw_server.stderr, "the traceback is logged")


def test_an_exception_after_the_answer_is_only_logged(raw_server: AndonServer) -> None:
    assert raw_server.get("/raise-after-answer").body == b"complete"
    wait_until(lambda: "raised after the answer" in raw_server.stderr, "the traceback is logged")


@pytest.mark.parametrize("route", ["return-nothing", "body-first"])
def test_a_broken_promise_before_the_head_is_a_500(raw_server: AndonServer, route: str) -> None:
    response = raw_server.get(f"/{route}")
    assert (response.status, response.body) == (500, b"Internal Server Error")


def test_a_header_value_cannot_split_the_answer(raw_server: AndonServer) -> None:
    with raw_server.connect() as connection:
        connection.send(request_bytes("GET", "/bad-header"))
        answer = connection.read_to_end()
    assert answer == b"" or answer.startswith(b"HTTP/1.1 500 ")
    assert b"injected" not in answer


@pytest.mark.parametrize("route", ["return-half", "too-short", "too-long"])
def test_an_answer_which_is_not_what_was_announced_is_cut(
    raw_server: AndonServer, route: str
) -> None:
    with raw_server.connect() as connection:
        connection.send(request_bytes("GET", f"/{route}"))
        # Where nothing is on its way yet, a 500 is as good as a cut.
        try:
            response = connection.read_response()
        except (ConnectionClosed, ConnectionResetError):
            return
        assert response.status == 500


def test_the_server_lives_after_each_of_them(raw_server: AndonServer) -> None:
    worker = raw_server.worker_processes()
    for route in ("raise-at-once", "return-nothing", "body-first"):
        assert raw_server.get(f"/{route}").status == 500
        assert raw_server.get("/after").status == 200
    assert raw_server.worker_processes() == worker


@pytest.mark.parametrize("route", ["async", "sync", "group"])
def test_an_unhandled_exception_of_a_route_is_a_500_with_its_traceback(
    fastapi_server: AndonServer, route: str
) -> None:
    response = fastapi_server.get(f"/raise/{route}")
    assert (response.status, response.body) == (500, b"Internal Server Error")
    wait_until(
        lambda: f"in raise_{route}" in fastapi_server.stderr, "the traceback names the route"
    )


def test_a_handler_of_the_application_answers(fastapi_server: AndonServer) -> None:
    response = fastapi_server.get("/raise/handled")
    assert (response.status, response.body) == (418, b"handled well")


def test_an_http_exception_keeps_its_headers(fastapi_server: AndonServer) -> None:
    response = fastapi_server.get("/raise/http")
    assert (response.status, response.json()) == (409, {"detail": "conflict"})
    assert response.header("x-why") == "taken"


def test_a_dependency_with_yield_sees_the_exception_and_ends(fastapi_server: AndonServer) -> None:
    assert fastapi_server.get("/raise/dependency").status == 500
    fastapi_server.journal.wait_for("dependency saw", error="with resource")
    fastapi_server.journal.wait_for("dependency ended")


def test_a_validation_error_is_fastapis_own(fastapi_server: AndonServer) -> None:
    response = fastapi_server.get("/items/not-a-number")
    assert response.status == 422
    assert response.json()["detail"][0]["loc"] == ["path", "item_id"]
