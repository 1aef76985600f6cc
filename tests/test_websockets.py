"""WebSockets: messages, closing, limits and the rules of RFC 6455 which a server has to enforce."""

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from tests.conftest import StartServer
from tests.support import AndonServer, Opcode, wait_until, wait_until_unchanged
from tests.support.raw_http import request_bytes
from tests.support.raw_websocket import close_payload


@pytest.mark.parametrize(
    "message",
    [
        "text",
        "",
        "caf\xe9 \N{SNOWMAN} \N{GRINNING FACE}",
        b"\0\1\xff",
        b"",
        "x" * 70_000,
        b"y" * 700_000,
    ],
    ids=["text", "empty text", "unicode", "bytes", "empty bytes", "70 kB", "700 kB"],
)
def test_a_message_is_echoed_with_its_type(raw_server: AndonServer, message: str | bytes) -> None:
    with connect(raw_server.websocket_url + "/ws/echo") as socket:
        socket.send(message)
        assert socket.recv() == message


def test_a_received_message_holds_only_the_key_which_applies(raw_server: AndonServer) -> None:
    with connect(raw_server.websocket_url + "/ws/echo?name=keys") as socket:
        for message in ("text", b"bytes"):
            socket.send(message)
            socket.recv()
    keys = [event["keys"] for event in raw_server.journal.events("message", name="keys")]
    assert keys == [["text", "type"], ["bytes", "type"]]


def test_messages_keep_their_order(raw_server: AndonServer) -> None:
    with connect(raw_server.websocket_url + "/ws/echo") as socket:
        for number in range(500):
            socket.send(str(number))
        assert [socket.recv() for _ in range(500)] == [str(number) for number in range(500)]


def test_messages_pushed_without_a_request_arrive_before_the_close(raw_server: AndonServer) -> None:
    with connect(raw_server.websocket_url + "/ws/push?count=300&size=100000") as socket:
        assert [socket.recv() for _ in range(300)] == [str(number) for number in range(300)]
        assert socket.recv() == b"x" * 100_000
        with pytest.raises(ConnectionClosed) as closed:
            socket.recv()
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1000


def test_fragments_are_joined_and_a_ping_between_them_is_answered(raw_server: AndonServer) -> None:
    with raw_server.websocket("/ws/echo") as socket:
        socket.accepted()
        snowman = "\N{SNOWMAN}".encode()
        # A character may be cut in two by the frames, not by the message.
        socket.send_frame(Opcode.TEXT, b"one " + snowman[:1], final=False)
        socket.send_frame(Opcode.PING, b"between")
        socket.send_frame(Opcode.CONTINUATION, snowman[1:], final=False)
        socket.send_frame(Opcode.CONTINUATION, b" two")
        pong, echoed = socket.read_frame(), socket.read_frame()
    assert (pong.opcode, pong.payload) == (Opcode.PONG, b"between")
    assert (echoed.opcode, echoed.payload.decode()) == (Opcode.TEXT, "one \N{SNOWMAN} two")


def test_a_ping_is_answered_and_a_pong_without_a_ping_ignored(raw_server: AndonServer) -> None:
    with raw_server.websocket("/ws/echo") as socket:
        socket.accepted()
        socket.send_frame(Opcode.PONG, b"nobody asked")
        socket.send_frame(Opcode.PING, b"p" * 125)
        pong = socket.read_frame()
    assert (pong.opcode, pong.payload) == (Opcode.PONG, b"p" * 125)


def test_the_server_pings_and_drops_a_client_which_does_not_answer(
    start_server: StartServer,
) -> None:
    server = start_server("raw:app", "--ws-ping-interval", "0.2", "--ws-ping-timeout", "0.3")
    with server.websocket("/ws/echo?name=silent") as socket:
        socket.accepted()
        assert socket.read_frame().opcode is Opcode.PING
        close = socket.read_frame()
        assert (close.opcode, close.close_code) == (Opcode.CLOSE, 1011)
        server.journal.wait_for("closed", name="silent")


def test_the_server_keeps_a_client_which_answers_its_pings(start_server: StartServer) -> None:
    server = start_server("raw:app", "--ws-ping-interval", "0.1", "--ws-ping-timeout", "5")
    with server.websocket("/ws/echo") as socket:
        socket.accepted()
        # The time-out of a ping that was answered must not delay the next one.
        socket.connection.socket.settimeout(3)
        for _ in range(5):
            ping = socket.read_frame()
            assert ping.opcode is Opcode.PING
            socket.send_frame(Opcode.PONG, ping.payload)
        socket.send_frame(Opcode.TEXT, b"still here")
        frames = iter(socket.read_frame, None)
        assert next(frame for frame in frames if frame.opcode is Opcode.TEXT)


# --- closing


@pytest.mark.parametrize(
    ("query", "code", "reason"),
    [
        ("", 1000, ""),
        ("code=1000&reason=done", 1000, "done"),
        ("code=1001", 1001, ""),
        ("code=1008&reason=not+allowed", 1008, "not allowed"),
        ("code=1011", 1011, ""),
        ("code=3000", 3000, ""),
        ("code=4999&reason=caf%C3%A9", 4999, "caf\xe9"),
    ],
)
def test_the_code_and_reason_of_the_application_reach_the_client(
    raw_server: AndonServer, query: str, code: int, reason: str
) -> None:
    with (
        connect(raw_server.websocket_url + "/ws/close?" + query) as socket,
        pytest.raises(ConnectionClosed) as closed,
    ):
        socket.recv()
    assert closed.value.rcvd is not None
    assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (code, reason)


@pytest.mark.parametrize(("code", "reason"), [(1000, ""), (1001, "going"), (4000, "own \xe9")])
def test_the_code_and_reason_of_the_client_reach_the_application(
    raw_server: AndonServer, code: int, reason: str
) -> None:
    name = f"client-{code}"
    with connect(raw_server.websocket_url + f"/ws/echo?name={name}") as socket:
        socket.close(code, reason)
    message = raw_server.journal.wait_for("closed", name=name)["message"]
    assert message == {"type": "websocket.disconnect", "code": code, "reason": reason}


def test_a_close_frame_without_a_code_is_1005_for_the_application(raw_server: AndonServer) -> None:
    with raw_server.websocket("/ws/echo?name=no-code") as socket:
        socket.accepted()
        socket.send_frame(Opcode.CLOSE)
        assert socket.read_frame().opcode is Opcode.CLOSE
        socket.connection.assert_closed_by_server()
    assert raw_server.journal.wait_for("closed", name="no-code")["message"]["code"] == 1005


@pytest.mark.parametrize("loss", ["closed", "aborted"])
def test_a_client_lost_without_a_close_frame_is_seen_by_the_application(
    raw_server: AndonServer, loss: str
) -> None:
    socket = raw_server.websocket(f"/ws/echo?name={loss}")
    socket.accepted()
    if loss == "closed":
        socket.connection.close()
    else:
        socket.connection.abort()
    # The specification says 1005 when no code was received; 1006 is what RFC 6455 calls it.
    message = raw_server.journal.wait_for("closed", name=loss)["message"]
    assert message["type"] == "websocket.disconnect"
    assert message["code"] in (1005, 1006)


def test_the_closing_handshake_of_the_client_is_completed(raw_server: AndonServer) -> None:
    with raw_server.websocket("/ws/echo") as socket:
        socket.accepted()
        socket.send_frame(Opcode.CLOSE, close_payload(4321, "bye"))
        answer = socket.read_frame()
        assert (answer.opcode, answer.close_code) == (Opcode.CLOSE, 4321)
        socket.connection.assert_closed_by_server()


@pytest.mark.parametrize("size", [100_000, 1_000_000, 10_000_000])
def test_a_close_after_a_large_message_is_answered_at_once(
    raw_server: AndonServer, size: int
) -> None:
    with raw_server.websocket("/ws/echo") as socket:
        socket.accepted()
        socket.connection.socket.settimeout(5)
        socket.send_frame(Opcode.BINARY, b"x" * size)
        received = 0
        while received < size:
            received += len(socket.read_frame().payload)
        socket.send_frame(Opcode.CLOSE, close_payload(1000))
        assert socket.read_frame().opcode is Opcode.CLOSE
        socket.connection.assert_closed_by_server()


def test_sending_after_the_client_has_gone_raises_an_os_error(raw_server: AndonServer) -> None:
    with connect(raw_server.websocket_url + "/ws/send-after-close"):
        pass
    late = raw_server.journal.wait_for("late send")
    # The ASGI specification, since 2.4: a server raises a subclass of OSError.
    assert late["is_os_error"], late


# --- instead of a WebSocket


def test_closing_before_accepting_is_a_403(raw_server: AndonServer) -> None:
    with pytest.raises(InvalidStatus) as refused, connect(raw_server.websocket_url + "/ws/deny"):
        pass
    assert refused.value.response.status_code == 403


def test_an_application_may_answer_the_handshake_with_a_response(raw_server: AndonServer) -> None:
    with raw_server.websocket("/ws/deny-with-answer") as socket:
        response = socket.connection.read_response()
    assert (response.status, response.body) == (401, b'{"why":"no token"}')
    assert response.header("content-type") == "application/json"
    assert response.header("x-why") == "no token"


def test_an_exception_before_accepting_is_a_500(raw_server: AndonServer) -> None:
    with raw_server.websocket("/ws/raise-before-accept") as socket:
        assert socket.connection.read_response().status == 500
    wait_until(lambda: "raised before accept" in raw_server.stderr, "the traceback is logged")


def test_returning_before_accepting_is_a_500(raw_server: AndonServer) -> None:
    with raw_server.websocket("/ws/return-at-once") as socket:
        assert socket.connection.read_response().status == 500


@pytest.mark.parametrize("route", ["raise-after-accept", "return-after-accept"])
def test_the_end_of_the_application_ends_the_websocket(raw_server: AndonServer, route: str) -> None:
    url = raw_server.websocket_url + f"/ws/{route}"
    with connect(url) as socket, pytest.raises(ConnectionClosed):
        socket.recv(timeout=10)


def test_a_handshake_without_a_key_is_refused(raw_server: AndonServer) -> None:
    upgrade = [("Connection", "Upgrade"), ("Upgrade", "websocket"), ("Sec-WebSocket-Version", "13")]
    with raw_server.connect() as connection:
        connection.send(request_bytes("GET", "/ws/echo", upgrade))
        assert connection.read_response().status == 400


def test_a_handshake_of_another_version_is_told_which_one_is_spoken(
    raw_server: AndonServer,
) -> None:
    upgrade = [
        ("Connection", "Upgrade"),
        ("Upgrade", "websocket"),
        ("Sec-WebSocket-Version", "8"),
        ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ]
    with raw_server.connect() as connection:
        connection.send(request_bytes("GET", "/ws/echo", upgrade))
        response = connection.read_response()
    # RFC 6455, section 4.4.
    assert response.status in (400, 426)
    assert response.header("sec-websocket-version") == "13"


def test_an_upgrade_to_something_else_is_an_ordinary_request(raw_server: AndonServer) -> None:
    headers = [("Connection", "Upgrade"), ("Upgrade", "h2c")]
    with raw_server.connect() as connection:
        assert connection.request("GET", "/upgrade", headers).json()["path"] == "/upgrade"


def test_the_handshake_of_the_rfc_example_gets_the_accept_key_of_the_rfc(
    raw_server: AndonServer,
) -> None:
    upgrade = [
        ("connection", "keep-alive, upgrade"),
        ("upgrade", "WebSocket"),
        ("sec-websocket-version", "13"),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ]
    with raw_server.connect() as connection:
        connection.send(request_bytes("GET", "/ws/echo", upgrade))
        response = connection.read_head()
    assert response.status == 101
    assert response.header("sec-websocket-accept") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="


# --- subprotocols and headers


def test_the_chosen_subprotocol_and_headers_are_in_the_answer(raw_server: AndonServer) -> None:
    offered = ("Sec-WebSocket-Protocol", "first, second")
    with raw_server.websocket("/ws/subprotocol", offered) as socket:
        response = socket.accepted()
    assert response.header("sec-websocket-protocol") == "second"
    assert response.header("x-offered") == "first,second"


def test_without_subprotocols_none_is_in_the_answer(raw_server: AndonServer) -> None:
    with raw_server.websocket("/ws/subprotocol") as socket:
        assert socket.accepted().header("sec-websocket-protocol") is None


# --- limits and rules


def test_a_message_above_the_limit_is_closed_with_1009(start_server: StartServer) -> None:
    server = start_server("raw:app", "--ws-max-size", "1000", "--no-ws-per-message-deflate")
    with connect(server.websocket_url + "/ws/echo", compression=None) as socket:
        socket.send("x" * 1000)
        assert socket.recv() == "x" * 1000
        socket.send("x" * 1001)
        with pytest.raises(ConnectionClosed) as closed:
            socket.recv()
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1009


def test_fragments_which_together_exceed_the_limit_are_closed_with_1009(
    start_server: StartServer,
) -> None:
    server = start_server("raw:app", "--ws-max-size", "1000")
    with server.websocket("/ws/echo") as socket:
        socket.accepted()
        socket.send_frame(Opcode.BINARY, b"x" * 600, final=False)
        socket.send_frame(Opcode.CONTINUATION, b"x" * 600)
        close = socket.read_frame()
        assert (close.opcode, close.close_code) == (Opcode.CLOSE, 1009)
        socket.answer_close(close)
        socket.connection.assert_closed_by_server()


def test_a_compressed_message_which_expands_above_the_limit_is_closed_with_1009(
    start_server: StartServer,
) -> None:
    server = start_server("raw:app", "--ws-max-size", "100000")
    with connect(server.websocket_url + "/ws/echo", compression="deflate") as socket:
        socket.send("x" * 10_000_000)
        with pytest.raises(ConnectionClosed) as closed:
            socket.recv()
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1009


@pytest.mark.parametrize(
    ("opcode", "payload", "keywords", "code"),
    [
        (Opcode.TEXT, b"\xff\xfe", {}, 1007),
        (Opcode.CLOSE, close_payload(1000) + b"\xff", {}, 1007),
        (Opcode.TEXT, b"not masked", {"masked": False}, 1002),
        (Opcode.TEXT, b"reserved", {"reserved": 0b010}, 1002),
        (Opcode.CONTINUATION, b"nothing to continue", {}, 1002),
        (Opcode.PING, b"x" * 126, {}, 1002),
        (Opcode.PING, b"in two", {"final": False}, 1002),
        (Opcode.CLOSE, b"x", {}, 1002),
        (Opcode.CLOSE, close_payload(1005), {}, 1002),
        (Opcode.CLOSE, close_payload(999), {}, 1002),
        (3, b"no such opcode", {}, 1002),
        (11, b"", {}, 1002),
    ],
    ids=lambda value: repr(value) if isinstance(value, bytes) else str(value),
)
def test_a_frame_which_breaks_the_rules_is_answered_with_its_code(
    raw_server: AndonServer,
    opcode: int,
    payload: bytes,
    keywords: dict[str, bool | int],
    code: int,
) -> None:
    with raw_server.websocket("/ws/echo") as socket:
        socket.accepted()
        socket.send_frame(opcode, payload, **keywords)  # type: ignore[arg-type]
        close = socket.read_frame()
        assert (close.opcode, close.close_code) == (Opcode.CLOSE, code)
        socket.answer_close(close)
        socket.connection.assert_closed_by_server()
    assert raw_server.get("/after").status == 200


# --- compression


def test_compression_is_agreed_on_when_the_client_offers_it(raw_server: AndonServer) -> None:
    offer = ("Sec-WebSocket-Extensions", "permessage-deflate; client_max_window_bits")
    with raw_server.websocket("/ws/push?count=1&size=100000", offer) as socket:
        agreed = socket.accepted().header("sec-websocket-extensions") or ""
        assert agreed.startswith("permessage-deflate")
        socket.read_frame()
        compressed = socket.read_frame()
    assert compressed.compressed
    assert len(compressed.payload) < 1000


def test_compression_is_not_used_when_the_client_does_not_offer_it(raw_server: AndonServer) -> None:
    with raw_server.websocket("/ws/push?count=1&size=1000") as socket:
        assert socket.accepted().header("sec-websocket-extensions") is None
        socket.read_frame()
        plain = socket.read_frame()
    assert not plain.compressed
    assert plain.payload == b"x" * 1000


def test_compression_can_be_switched_off(start_server: StartServer) -> None:
    server = start_server("raw:app", "--no-ws-per-message-deflate")
    offer = ("Sec-WebSocket-Extensions", "permessage-deflate")
    with server.websocket("/ws/echo", offer) as socket:
        assert socket.accepted().header("sec-websocket-extensions") is None


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65_535, 65_536, 1_000_000])
def test_compressed_messages_come_back_whole(raw_server: AndonServer, size: int) -> None:
    message = bytes(number * 7 % 256 for number in range(size))
    with connect(raw_server.websocket_url + "/ws/echo", compression="deflate") as socket:
        socket.send(message)
        assert socket.recv() == message


# --- flow


def test_a_client_which_does_not_read_holds_back_the_application(raw_server: AndonServer) -> None:
    name = "websocket-slow"

    def sent() -> int:
        return raw_server.journal.latest("sent", "bytes", name=name)

    with raw_server.websocket(f"/ws/endless?name={name}") as socket:
        socket.accepted()
        held_back_at = wait_until_unchanged(sent, "send() waits for the client")
        assert held_back_at < 32 * 1024 * 1024
        while sent() == held_back_at:
            socket.read_frame()
    raw_server.journal.wait_for("stopped", name=name)
