"""Faces that are wrong on purpose: what looks for differences must find these.

`suite --face andon_parity.wrong_faces:without_a_header` runs FastAPI's tests with one.
"""

import contextlib
from collections.abc import Awaitable
from typing import Any

from .face import Application, Face, Served
from .observation import Message, Receive, Scope, Send

WRONG = "wrong on purpose"


def without_a_header(application: Application) -> Face:
    """Drops the content type of every error."""

    async def call(scope: Scope, receive: Receive, send: Send, served: Served) -> None:
        served(WRONG)

        async def changed(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] >= 400:
                kept = [field for field in message["headers"] if field[0] != b"content-type"]
                message = {**message, "headers": kept}
            await send(message)

        await application(scope, receive, changed)

    return call


def in_the_application(application: Any) -> Face:
    """Is wrong within the application itself, where native routes under middleware are, too."""
    wrong = without_a_header(application.build_middleware_stack())

    def layer(scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        return wrong(scope, receive, send, lambda _: None)

    def call(scope: Scope, receive: Receive, send: Send, served: Served) -> Awaitable[None]:
        served(WRONG)
        called: Awaitable[None] = application(scope, receive, send)
        return called

    application.middleware_stack = layer
    return call


def in_two_pieces(application: Application) -> Face:
    """Sends an empty piece before the last one: the same bytes in other messages."""

    async def call(scope: Scope, receive: Receive, send: Send, served: Served) -> None:
        served(WRONG)

        async def in_pieces(message: Message) -> None:
            if message["type"] == "http.response.body" and not message.get("more_body"):
                await send({"type": "http.response.body", "body": b"", "more_body": True})
            await send(message)

        await application(scope, receive, in_pieces)

    return call


def without_an_exception(application: Application) -> Face:
    """Keeps exceptions to itself."""

    async def call(scope: Scope, receive: Receive, send: Send, served: Served) -> None:
        served(WRONG)
        with contextlib.suppress(ValueError):
            await application(scope, receive, send)

    return call


def keeping_scopes(application: Application) -> Face:
    """Never lets go of a request."""
    kept = []

    async def call(scope: Scope, receive: Receive, send: Send, served: Served) -> None:
        served(WRONG)
        kept.append(scope)
        await application(scope, receive, send)

    return call


def with_another_query(application: Application) -> Face:
    """Takes a plus sign for a plus sign, not for a space."""

    async def call(scope: Scope, receive: Receive, send: Send, served: Served) -> None:
        served(WRONG)
        query = scope["query_string"].replace(b"+", b"%2B")
        await application({**scope, "query_string": query}, receive, send)

    return call
