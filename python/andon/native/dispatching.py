"""The body of what ``call_next`` returns, where `BaseHTTPMiddleware` runs in Rust."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any


async def body_stream(receive: Callable[[], Awaitable[Any]]) -> AsyncIterator[Any]:
    """Yield what Starlette's ``body_stream`` does; ``receive`` gives `None` at the end."""
    while (message := await receive()) is not None:
        if message["type"] == "http.response.pathsend":
            yield message
            break
        assert message["type"] == "http.response.body", f"Unexpected message: {message}"
        body = message.get("body", b"")
        if body:
            yield body
        if not message.get("more_body", False):
            break
