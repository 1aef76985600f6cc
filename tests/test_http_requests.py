"""Requests: targets, headers and bodies as the application sees them, and those refused."""

import pytest

from tests.support import AndonServer
from tests.support.raw_http import chunked, request_bytes


@pytest.mark.parametrize(
    ("target", "path", "query"),
    [
        ("/", "/", ""),
        ("/plain", "/plain", ""),
        ("/a%20b", "/a b", ""),
        ("/caf%C3%A9", "/café", ""),
        ("/a%2Fb", "/a/b", ""),
        ("/a+b", "/a+b", ""),
        ("/%25", "/%", ""),
        ("/bad%ff", "/bad\N{REPLACEMENT CHARACTER}", ""),
        ("/not%zz", "/not%zz", ""),
        ("//double//slash", "//double//slash", ""),
        ("/dots/../up", "/dots/../up", ""),
        ("/semi;colon=1,2", "/semi;colon=1,2", ""),
        ("/q?a=1&b=%20+", "/q", "a=1&b=%20+"),
        ("/q?", "/q", ""),
        ("/q?a?b=/c", "/q", "a?b=/c"),
        ('/with_"quotes"?filter={b}|c', '/with_"quotes"', "filter={b}|c"),
        ("/fragment?a=1#part", "/fragment", "a=1"),
        ("http://example.com:8080/absolute?a=1", "/absolute", "a=1"),
        ("http://[::1]:8080/absolute", "/absolute", ""),
    ],
)
def test_a_target_is_split_and_decoded(
    raw_server: AndonServer, target: str, path: str, query: str
) -> None:
    echoed = raw_server.get(target).json()
    assert (echoed["path"], echoed["query"]) == (path, query)


@pytest.mark.parametrize("target", ['/?a="b"', "/?a=<b>", "/<a>", "/`", "/caf\xe9"])
def test_a_target_with_bytes_which_must_be_encoded_is_refused(
    raw_server: AndonServer, target: str
) -> None:
    with raw_server.connect() as connection:
        connection.send(request_bytes("GET", target))
        assert connection.read_response().status == 400
        connection.assert_closed_by_server()


@pytest.mark.parametrize("target", ["/caf%C3%A9", "/a%2fb", "/a%2Fb", "/%7Euser"])
def test_raw_path_is_the_target_as_sent_without_the_query(
    raw_server: AndonServer, target: str
) -> None:
    assert raw_server.get(target + "?a=%2f").json()["raw_path"] == target


def test_names_of_headers_are_in_lower_case_and_values_keep_their_bytes(
    raw_server: AndonServer,
) -> None:
    headers = [
        ("X-First", "1"),
        ("X-Latin", "caf\xe9"),
        ("X-Empty", ""),
        ("x.odd|name", "ok"),
        ("X-Spaces", "\t padded \t"),
    ]
    assert raw_server.get("/headers-in", *headers).json()["headers"] == [
        ["host", "test.example"],
        ["x-first", "1"],
        ["x-latin", "caf\xe9"],
        ["x-empty", ""],
        ["x.odd|name", "ok"],
        ["x-spaces", "padded"],
    ]


def test_headers_of_one_name_stay_apart_and_in_order(raw_server: AndonServer) -> None:
    # The order among different names means nothing (RFC 9110, section 5.3).
    headers = [("X-Dup", "a"), ("X-Middle", "1"), ("x-dup", "b, c"), ("X-Last", "2"), ("X-DUP", "")]
    echoed = raw_server.get("/headers-in", *headers).json()["headers"]
    assert [value for name, value in echoed if name == "x-dup"] == ["a", "b, c", ""]
    assert sorted(name for name, _ in echoed) == [
        "host",
        "x-dup",
        "x-dup",
        "x-dup",
        "x-last",
        "x-middle",
    ]


def test_a_header_of_thirty_thousand_bytes_arrives_whole(raw_server: AndonServer) -> None:
    value = "v" * 30_000
    assert ["x-large", value] in raw_server.get("/", ("X-Large", value)).json()["headers"]


def test_ninety_headers_arrive_in_order(raw_server: AndonServer) -> None:
    headers = [(f"x-{number}", str(number)) for number in range(90)]
    echoed = raw_server.get("/", *headers).json()["headers"]
    assert echoed[1:] == [list(header) for header in headers]


@pytest.mark.parametrize("method", ["DELETE", "OPTIONS", "PATCH", "PUT", "PROPFIND", "X-OWN"])
def test_any_method_reaches_the_application(raw_server: AndonServer, method: str) -> None:
    with raw_server.connect() as connection:
        assert connection.request(method, "/any", body=b"x").json()["method"] == method


def test_options_asterisk_reaches_the_application(raw_server: AndonServer) -> None:
    with raw_server.connect() as connection:
        assert connection.request("OPTIONS", "*").json()["path"] == "*"


def test_a_get_may_carry_a_body(raw_server: AndonServer) -> None:
    with raw_server.connect() as connection:
        assert connection.request("GET", "/get", body=b"body").json()["body"] == "body"


@pytest.mark.parametrize(
    "coded",
    [
        chunked(b"hello ", b"world"),
        b"00b\r\nhello world\r\n000\r\n\r\n",
        b"B\r\nhello world\r\n0\r\n\r\n",
        b'b;name="quoted value";flag\r\nhello world\r\n0\r\n\r\n',
        b"b\r\nhello world\r\n0\r\nX-Trailer: dropped\r\n\r\n",
    ],
    ids=["two chunks", "leading zeros", "upper-case size", "extensions", "trailer"],
)
def test_a_chunked_body_is_decoded(raw_server: AndonServer, coded: bytes) -> None:
    head = request_bytes("POST", "/chunked", [("Transfer-Encoding", "chunked")])
    with raw_server.connect() as connection:
        connection.send(head + coded)
        echoed = connection.read_response().json()
        assert echoed["body"] == "hello world"
        assert "x-trailer" not in dict(echoed["headers"])
        assert connection.request("GET", "/next").json()["path"] == "/next"


def test_a_chunked_body_reaches_the_application_while_it_is_being_sent(
    raw_server: AndonServer,
) -> None:
    head = request_bytes("POST", "/mirror", [("Transfer-Encoding", "chunked")])
    with raw_server.connect() as connection:
        connection.send(head + b"5\r\nfirst\r\n")
        assert connection.read_head().status == 200
        assert connection.read_chunk() == b"first"
        connection.send(b"6\r\nsecond\r\n0\r\n\r\n")
        assert connection.read_chunk() == b"second"
        assert connection.read_chunk() == b""


def test_expect_continue_is_answered_when_the_application_reads(raw_server: AndonServer) -> None:
    expect = [("Expect", "100-continue"), ("Content-Length", "4")]
    with raw_server.connect() as connection:
        connection.send(request_bytes("POST", "/read-after-gate?gate=continue", expect))
        raw_server.journal.wait_for("waiting to read")
        raw_server.journal.open_gate("continue")
        assert connection.read_exactly(25) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.send(b"body")
        response = connection.read_response()
        assert (response.status, response.body) == (200, b"4")


def test_expect_continue_is_not_answered_when_the_application_never_reads(
    raw_server: AndonServer,
) -> None:
    expect = [("Expect", "100-continue"), ("Content-Length", "4")]
    with raw_server.connect() as connection:
        connection.send(request_bytes("POST", "/ignore-body", expect))
        response = connection.read_response()
        assert (response.status, response.body) == (200, b"not read")
        assert response.interim == []


def test_a_client_which_does_not_wait_for_continue_is_served(raw_server: AndonServer) -> None:
    with raw_server.connect() as connection:
        response = connection.request("POST", "/mirror", [("Expect", "100-continue")], b"body")
        assert (response.status, response.body) == (200, b"body")


REFUSED = {
    "length and chunks": b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "two lengths": b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
    "length with a sign": b"Content-Length: +3\r\n\r\nabc",
    "negative length": b"Content-Length: -1\r\n\r\n",
    "length in hexadecimal": b"Content-Length: 0x3\r\n\r\nabc",
    "last coding is not chunked": b"Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n",
    "two hosts": b"Host: other.example\r\n\r\n",
    "space before the colon": b"X-Name : value\r\n\r\n",
    "folded header": b"X-Name: one\r\n two\r\n\r\n",
    "control character in a value": b"X-Name: a\x07b\r\n\r\n",
    "zero byte in a value": b"X-Name: a\0b\r\n\r\n",
    "header without a colon": b"X-Name\r\n\r\n",
    "empty header name": b": value\r\n\r\n",
}


@pytest.mark.parametrize("headers", REFUSED.values(), ids=REFUSED.keys())
def test_headers_which_could_smuggle_a_request_are_refused(
    raw_server: AndonServer, headers: bytes
) -> None:
    with raw_server.connect() as connection:
        connection.send(b"POST /refused HTTP/1.1\r\nHost: test.example\r\n" + headers)
        response = connection.read_response()
        assert response.status == 400
        assert response.closes
        connection.assert_closed_by_server()


@pytest.mark.parametrize(
    "line",
    [
        b"GET / HTTP/2.0",
        b"GET / HTTP/0.9",
        b"GET / FTP/1.1",
        b"GET /",
        b"GET  / HTTP/1.1",
        b"G@T / HTTP/1.1",
        b"GET relative HTTP/1.1",
        b"GET /nul\0 HTTP/1.1",
    ],
)
def test_a_request_line_out_of_the_grammar_is_refused(raw_server: AndonServer, line: bytes) -> None:
    with raw_server.connect() as connection:
        connection.send(line + b"\r\nHost: test.example\r\n\r\n")
        response = connection.read_response()
        assert response.status in (400, 505)
        connection.assert_closed_by_server()


@pytest.mark.parametrize("size", [b"+5", b"-5", b"0x5", b"5_0", b"", b"g", b"ffffffffffffffffff"])
def test_a_bad_chunk_size_ends_the_request_and_the_connection(
    raw_server: AndonServer, size: bytes
) -> None:
    head = request_bytes("POST", "/refused", [("Transfer-Encoding", "chunked")])
    with raw_server.connect() as connection:
        connection.send(head + size + b"\r\nhello\r\n0\r\n\r\n")
        assert connection.read_response().status == 400
        connection.assert_closed_by_server()
