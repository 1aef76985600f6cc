"""The scope, key for key and type for type, for HTTP, WebSockets and the lifespan."""

import json
from typing import Any

from websockets.sync.client import connect

from tests.conftest import StartServer
from tests.support import AndonServer

HTTP_EXTENSIONS: dict[str, dict[str, str]] = {
    "http.response.pathsend": {},
    "http.response.early_hint": {},
}


def test_the_http_scope_is_exactly_this(raw_server: AndonServer) -> None:
    with raw_server.connect() as connection:
        client = connection.local_address
        headers = [("X-Name", "v"), ("X-Name", "w")]
        got = connection.request("PUT", "/scope?a=%20&b", headers).json()
    assert got["class"] == "dict"
    assert got["scope"] == {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": "PUT",
        "scheme": "http",
        "path": "/scope",
        "raw_path": {"bytes": "/scope"},
        "query_string": {"bytes": "a=%20&b"},
        "root_path": "",
        "headers": [
            _header("host", "test.example"),
            _header("x-name", "v"),
            _header("x-name", "w"),
        ],
        "client": {"tuple": list(client)},
        "server": {"tuple": list(raw_server.address)},
        "state": {"plain": "value", "shared": got["scope"]["state"]["shared"]},
        "extensions": HTTP_EXTENSIONS,
    }


def test_the_websocket_scope_is_exactly_this(raw_server: AndonServer) -> None:
    offered = ("Sec-WebSocket-Protocol", "one, two")
    with raw_server.websocket("/ws/scope?q=%2F", offered) as socket:
        client = socket.connection.local_address
        socket.accepted()
        got = json.loads(socket.read_frame().payload)
    scope = got["scope"]
    assert got["class"] == "dict"
    headers = scope.pop("headers")
    assert _header("host", "test.example") in headers
    assert _header("sec-websocket-protocol", "one, two") in headers
    assert _header("connection", "Upgrade") in headers
    assert scope == {
        "type": "websocket",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "scheme": "ws",
        "path": "/ws/scope",
        "raw_path": {"bytes": "/ws/scope"},
        "query_string": {"bytes": "q=%2F"},
        "root_path": "",
        "client": {"tuple": list(client)},
        "server": {"tuple": list(raw_server.address)},
        "subprotocols": ["one", "two"],
        "state": {"plain": "value", "shared": scope["state"]["shared"]},
        "extensions": {"websocket.http.response": {}},
    }


def test_the_lifespan_scope_names_the_versions(raw_server: AndonServer) -> None:
    startup = raw_server.journal.wait_for("startup")
    assert startup["asgi"] == {"version": "3.0", "spec_version": "2.0"}


def test_http_1_0_is_named_in_the_scope(raw_server: AndonServer) -> None:
    with raw_server.connect() as connection:
        scope = connection.request("GET", "/scope", version="1.0").json()["scope"]
    assert scope["http_version"] == "1.0"


def test_the_root_path_is_in_the_path_as_under_uvicorn(start_server: StartServer) -> None:
    server = start_server("raw:app", "--root-path", "/api")
    scope = server.get("/scope").json()["scope"]
    assert scope["root_path"] == "/api"
    assert scope["path"] == "/api/scope"
    assert scope["raw_path"] == {"bytes": "/api/scope"}
    with connect(server.websocket_url + "/ws/scope") as socket:
        websocket_scope = json.loads(socket.recv())["scope"]
    assert websocket_scope["root_path"] == "/api"
    assert websocket_scope["path"] == "/api/ws/scope"


def test_a_request_without_body_is_one_message(raw_server: AndonServer) -> None:
    messages = raw_server.get("/messages").json()
    assert messages == [{"type": "http.request", "body": {"bytes": ""}, "more_body": False}]


def test_a_small_body_comes_whole_and_then_the_disconnect(raw_server: AndonServer) -> None:
    with raw_server.connect() as connection:
        messages = connection.request("POST", "/messages", body=b"body").json()
    assert "".join(message["body"]["bytes"] for message in messages) == "body"
    assert [message["more_body"] for message in messages][-1] is False
    after = raw_server.journal.wait_for("after the answer")["message"]
    assert after == {"type": "http.disconnect"}


def test_a_large_body_comes_in_order_with_more_body_on_all_but_the_last(
    raw_server: AndonServer,
) -> None:
    body = "".join(f"{number:07}," for number in range(50_000))
    with raw_server.connect() as connection:
        messages = connection.request("POST", "/messages", body=body.encode()).json()
    assert "".join(message["body"]["bytes"] for message in messages) == body
    assert [message["more_body"] for message in messages] == [True] * (len(messages) - 1) + [False]


def _header(name: str, value: str) -> dict[str, Any]:
    return {"tuple": [{"bytes": name}, {"bytes": value}]}
