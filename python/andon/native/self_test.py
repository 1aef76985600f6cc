"""Whether native routes answer as the installed FastAPI does, found out before they are used.

For releases that are not known: applications of Andon's own are asked the same by ASGI and by their
plans, in this process. Equal answers are no proof, but what differs is found where it is likeliest.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from andon import _andon
from andon.native.inspection import inspect
from andon.native.trial_application import application, under_layers, under_middleware
from andon.native.trial_requests import Call, calls, calls_under_layers, calls_under_middleware

# Of the answers, so many at least must be native: otherwise too little was compared.
_LEAST = 0.6
# For a single answer, in seconds: one that never ends must not keep a worker from its start.
_LONGEST = 10.0

Asgi = Callable[[dict[str, Any], Any, Any], Awaitable[None]]


@dataclass
class Answer:
    """What came of a request: ASGI messages, and an exception that went on to the server."""

    messages: list[dict[str, Any]] = field(default_factory=list)
    raised: str | None = None


async def first_difference() -> str | None:
    """Return what differs, in words; `None`: nothing."""
    trials = (
        (application, calls),
        (under_middleware, calls_under_middleware),
        (under_layers, calls_under_layers),
    )
    for make, sent in trials:
        difference = await _difference(make(), list(sent()))
        if difference is not None:
            return difference
    return None


async def _difference(app: Any, sent: list[Call]) -> str | None:
    # First of all: what is native under middleware is put into the application itself.
    expected = [await _answer(app, call) for call in sent]
    found = inspect(app, "unknown-ok")
    if found.reason is not None:
        return found.reason
    served: list[str] = []
    described = found.description.to_json()
    native = _andon.NativeApp(
        described, found.objects, found.guards, found.calls(_ignore, served.append)
    )

    def face(scope: dict[str, Any], receive: Any, send: Any) -> Awaitable[None]:
        return native(scope, receive, send, served.append)

    for call, answer in zip(sent, expected, strict=True):
        if await _answer(face, call) != answer:
            return f"`{call.method} {call.path}` is answered otherwise"
    share = served.count("native") / len(sent)
    return None if share >= _LEAST else f"only {share:.0%} of its answers are native"


async def _answer(app: Asgi, call: Call) -> Answer:
    answer = Answer()
    ended = asyncio.Event()
    waiting = [{"type": "http.request", "body": call.body, "more_body": False}]

    async def receive() -> dict[str, Any]:
        if not waiting:
            # The client stays until it has its answer.
            await ended.wait()
            return {"type": "http.disconnect"}
        return waiting.pop()

    async def send(message: dict[str, Any]) -> None:
        answer.messages.append(message)
        if message["type"] == "http.response.body" and not message.get("more_body", False):
            ended.set()

    try:
        await asyncio.wait_for(app(_scope(call), receive, send), _LONGEST)
    except Exception as error:
        answer.raised = f"{type(error).__qualname__}: {error}"
    return answer


def _scope(call: Call) -> dict[str, Any]:
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": call.method,
        "scheme": "http",
        "path": call.path,
        "raw_path": call.path.encode(),
        "query_string": call.query,
        "root_path": "",
        # The first one counts.
        "headers": [*call.headers, (b"host", b"test")],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
        "state": {},
    }


def _ignore() -> None:
    """Nothing of the application changes."""
