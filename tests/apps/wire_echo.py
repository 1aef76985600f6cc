"""Echoes every request as JSON whose strings stand for bytes (latin-1), whatever its path."""

from asgi_parts import Receive, Scope, Send, answer_json, read_body


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Read the whole body, then say what arrived."""
    assert scope["type"] == "http"
    content = await read_body(receive)
    headers = [
        [name.decode("latin-1"), value.decode("latin-1")] for name, value in scope["headers"]
    ]
    await answer_json(
        send,
        {
            "method": scope["method"],
            "raw_path": scope["raw_path"].decode("latin-1"),
            "query": scope["query_string"].decode("latin-1"),
            "http_version": scope["http_version"],
            "headers": headers,
            "body": content.decode("latin-1"),
        },
    )
