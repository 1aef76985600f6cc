"""Answers: framing, headers which the server adds, and statuses which have no body."""

import re
from email.utils import parsedate_to_datetime

import pytest

from tests.conftest import StartServer
from tests.support import AndonServer


def test_an_answer_with_a_length_is_not_chunked(raw_server: AndonServer) -> None:
    response = raw_server.get("/close")
    assert response.header("content-length") == "3"
    assert response.header("transfer-encoding") is None


def test_an_answer_without_a_length_is_chunked(raw_server: AndonServer) -> None:
    response = raw_server.get("/stream?count=10&size=1000")
    assert response.header("transfer-encoding") == "chunked"
    assert response.body == b"".join(bytes([number]) * 1000 for number in range(10))


def test_an_answer_with_nothing_in_it_is_complete(raw_server: AndonServer) -> None:
    with raw_server.connect() as connection:
        response = connection.request("GET", "/empty")
        assert (response.status, response.body) == (200, b"")
        assert connection.request("GET", "/next").status == 200


@pytest.mark.parametrize("target", ["/echo", "/stream?count=3&size=5", "/status?code=200&length=7"])
def test_head_has_the_head_of_get_and_no_body(raw_server: AndonServer, target: str) -> None:
    with raw_server.connect() as connection:
        head = connection.request("HEAD", target)
        get = connection.request("GET", target)
    assert head.body == b""
    assert head.status == get.status
    if target != "/echo":
        assert head.header("content-length") == get.header("content-length")


@pytest.mark.parametrize("code", [204, 205, 304])
@pytest.mark.parametrize("length", ["", "&length=7", "&length=9"])
def test_a_status_without_content_gets_none_even_if_the_application_sends_some(
    raw_server: AndonServer, code: int, length: str
) -> None:
    # RFC 9110, sections 8.6 and 15.3.6: a 304 may tell the length that a 200 would have.
    told = {204: None, 205: "0", 304: length[-1:] or None}[code]
    with raw_server.connect() as connection:
        response = connection.request("GET", f"/status?code={code}{length}")
        assert response.status == code
        assert response.header("x-status") == str(code)
        assert (response.header("content-length"), response.body) == (told, b"")
        assert connection.request("GET", "/next").json()["path"] == "/next"


@pytest.mark.parametrize("code", [200, 201, 206, 226, 301, 307, 400, 404, 418, 429, 499, 500, 599])
def test_the_status_of_the_application_is_sent(raw_server: AndonServer, code: int) -> None:
    response = raw_server.get(f"/status?code={code}")
    assert (response.status, response.body) == (code, b"content")


def test_known_statuses_carry_their_reason(raw_server: AndonServer) -> None:
    assert raw_server.get("/status?code=404").reason == "Not Found"
    assert raw_server.get("/empty").reason == "OK"


def test_headers_of_the_application_keep_order_duplicates_and_bytes(
    raw_server: AndonServer,
) -> None:
    response = raw_server.get("/headers")
    assert response.values("set-cookie") == ["a=1; Path=/", "b=2"]
    assert response.header("x-empty") == ""
    assert response.header("x-latin") == "caf\xe9"


def test_a_large_header_of_the_application_is_sent(raw_server: AndonServer) -> None:
    assert raw_server.get("/headers?large=60000").header("x-large") == "v" * 60_000


def test_date_and_server_are_added(raw_server: AndonServer) -> None:
    response = raw_server.get("/empty")
    date = response.header("date")
    assert date is not None
    assert re.fullmatch(r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT", date)
    assert parsedate_to_datetime(date).tzinfo is not None
    assert "andon" in (response.header("server") or "").lower()


def test_date_and_server_of_the_application_are_not_doubled(raw_server: AndonServer) -> None:
    response = raw_server.get("/own-server-header")
    assert response.values("server") == ["mine"]
    assert response.values("date") == ["Thu, 01 Jan 1970 00:00:00 GMT"]


def test_date_and_server_can_be_left_out(start_server: StartServer) -> None:
    server = start_server("raw:app", "--no-date-header", "--no-server-header")
    response = server.get("/empty")
    assert response.values("date") == []
    assert response.values("server") == []
