"""Applications whose lifespan does what an ordinary one does not."""

from asgi_parts import Receive, Scope, Send, answer
from journal import record, wait_for_gate


async def _http(scope: Scope, send: Send) -> None:
    await answer(send, str("state" in scope).encode())


async def slow(scope: Scope, receive: Receive, send: Send) -> None:
    """Is not ready before the gate is open."""
    if scope["type"] != "lifespan":
        return await _http(scope, send)
    await receive()
    record("starting")
    await wait_for_gate("start")
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await send({"type": "lifespan.shutdown.complete"})


async def failing(scope: Scope, receive: Receive, send: Send) -> None:
    """Says that it cannot start."""
    assert scope["type"] == "lifespan"
    await receive()
    await send({"type": "lifespan.startup.failed", "message": "the database is down"})


async def failing_at_the_end(scope: Scope, receive: Receive, send: Send) -> None:
    """Says that it could not stop well."""
    if scope["type"] != "lifespan":
        return await _http(scope, send)
    await receive()
    await send({"type": "lifespan.startup.complete"})
    await receive()
    record("failing at the end")
    await send({"type": "lifespan.shutdown.failed", "message": "could not flush"})


async def unsupported(scope: Scope, receive: Receive, send: Send) -> None:
    """Knows HTTP only."""
    if scope["type"] != "http":
        record("asked for", type=scope["type"])
        raise ValueError(f"unknown scope {scope['type']}")
    await _http(scope, send)
