"""The `http.response.early_hint` extension: 103 before the answer (RFC 8297)."""

from tests.support import AndonServer
from tests.support.raw_http import STATUS_LINE, request_bytes


def test_hints_are_sent_before_the_answer_is_known(raw_server: AndonServer) -> None:
    with raw_server.connect() as connection:
        connection.send(request_bytes("GET", "/early-hint?gate=hints"))
        interim = b""
        while not interim.endswith(b"\r\n\r\n"):
            interim += connection.read_exactly(1)
        assert STATUS_LINE.match(interim)
        assert interim.startswith(b"HTTP/1.1 103 ")
        assert interim.lower().count(b"link: ") == 2
        assert b"</style.css>; rel=preload; as=style" in interim
        raw_server.journal.open_gate("hints")
        response = connection.read_response()
        assert (response.status, response.body) == (200, b"page")
        assert connection.request("GET", "/next").status == 200


def test_http_1_0_gets_no_hints(raw_server: AndonServer) -> None:
    # RFC 9110, section 15.2: a server must not send 1xx to an HTTP/1.0 client.
    raw_server.journal.open_gate("old")
    with raw_server.connect() as connection:
        response = connection.request("GET", "/early-hint?gate=old", version="1.0")
    assert (response.status, response.body) == (200, b"page")
    assert response.interim == []
