"""Bare ASGI application: a 5-byte answer, an echo, a 1 MiB answer, a WebSocket echo."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

PLAIN = [(b"content-type", b"text/plain"), (b"content-length", b"5")]
LARGE = b"x" * (1 << 20)
LARGE_HEADERS = [(b"content-type", b"text/plain"), (b"content-length", str(len(LARGE)).encode())]


async def app(scope: Message, receive: Receive, send: Send) -> None:
    """Answer by path: ``/echo``, ``/large``, a WebSocket on any path, and five bytes everywhere
    else.
    """
    if scope["type"] == "http":
        if scope["path"] == "/echo":
            await echo(receive, send)
        elif scope["path"] == "/large":
            await answer(send, LARGE_HEADERS, LARGE)
        else:
            await answer(send, PLAIN, b"hello")
    elif scope["type"] == "websocket":
        await websocket(receive, send)
    elif scope["type"] == "lifespan":
        await lifespan(receive, send)


async def answer(send: Send, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
    """Send a complete answer."""
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def echo(receive: Receive, send: Send) -> None:
    """Send the request's body back."""
    parts = []
    more = True
    while more:
        message = await receive()
        parts.append(message.get("body", b""))
        more = message.get("more_body", False)
    body = b"".join(parts)
    await answer(send, [(b"content-length", str(len(body)).encode())], body)


async def websocket(receive: Receive, send: Send) -> None:
    """Accept, then send every message back."""
    await receive()
    await send({"type": "websocket.accept"})
    while (message := await receive())["type"] == "websocket.receive":
        content = message.get("bytes")
        if content is not None:
            await send({"type": "websocket.send", "bytes": content})
        else:
            await send({"type": "websocket.send", "text": message["text"]})


async def lifespan(receive: Receive, send: Send) -> None:
    """Nothing to start, nothing to stop."""
    await receive()
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await send({"type": "lifespan.shutdown.complete"})
