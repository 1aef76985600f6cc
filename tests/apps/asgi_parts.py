"""The few lines which every bare ASGI handler of the test applications needs."""

import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import parse_qs

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Handler = Callable[[Scope, Receive, Send], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]


def query(scope: Scope) -> dict[str, str]:
    """The query parameters, the last of each name."""
    return {name: values[-1] for name, values in parse_qs(scope["query_string"].decode()).items()}


async def read_body(receive: Receive) -> bytes:
    """The whole body; raises where the client went away before its end."""
    parts = []
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise ConnectionError(message["type"])
        parts.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(parts)


async def start(send: Send, status: int = 200, headers: Headers | None = None) -> None:
    """Send the head."""
    await send({"type": "http.response.start", "status": status, "headers": headers or []})


async def body(send: Send, content: bytes, more: bool = False) -> None:
    """Send a part of the body."""
    await send({"type": "http.response.body", "body": content, "more_body": more})


async def answer(
    send: Send, content: bytes, status: int = 200, content_type: bytes = b"text/plain"
) -> None:
    """Send a whole answer with its length."""
    length = str(len(content)).encode()
    await start(send, status, [(b"content-type", content_type), (b"content-length", length)])
    await body(send, content)


async def answer_json(send: Send, value: Any) -> None:
    """Send a whole JSON answer."""
    await answer(send, json.dumps(value).encode(), content_type=b"application/json")


def describe(value: Any) -> Any:
    """Make a scope fit for JSON such that the types of its values can be seen."""
    if isinstance(value, bytes):
        return {"bytes": value.decode("latin-1")}
    if isinstance(value, tuple):
        return {"tuple": [describe(item) for item in value]}
    if isinstance(value, list):
        return [describe(item) for item in value]
    if type(value) is dict:
        return {name: describe(item) for name, item in value.items()}
    if value is None or type(value) in (str, int, float, bool):
        return value
    if isinstance(value, int):
        return int(value)
    return {"type": type(value).__qualname__}
