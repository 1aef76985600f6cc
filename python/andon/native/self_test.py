"""Whether native routes answer as the installed FastAPI does, found out before they are used.

For releases that are not known: an application of Andon's own is asked the same by ASGI and by its
plan, in this process. Equal answers are no proof, but what differs is found where it is likeliest.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from andon import _andon
from andon.native.inspection import inspect
from andon.native.trial_application import Call, application, calls

# Of the answers, so many at least must be native: otherwise too little was compared.
_LEAST = 0.75

Asgi = Callable[[dict[str, Any], Any, Any], Awaitable[None]]


@dataclass
class Answer:
    """What came of a request: ASGI messages, and an exception that went on to the server."""

    messages: list[dict[str, Any]] = field(default_factory=list)
    raised: str | None = None


async def first_difference() -> str | None:
    """Return what differs, in words; `None`: nothing."""
    app = application()
    found = inspect(app, "unknown-ok")
    if found.reason is not None:
        return found.reason
    description = found.description.to_json()
    native = _andon.NativeApp(description, found.objects, found.guards, found.calls(_ignore))
    served: list[str] = []

    def face(scope: dict[str, Any], receive: Any, send: Any) -> Awaitable[None]:
        return native(scope, receive, send, served.append)

    for call in calls():
        expected, answer = await _answer(app, call), await _answer(face, call)
        if answer != expected:
            return f"`{call.method} {call.path}` is answered otherwise"
    share = served.count("native") / len(served)
    return None if share >= _LEAST else f"only {share:.0%} of its answers are native"


async def _answer(app: Asgi, call: Call) -> Answer:
    answer = Answer()
    waiting = [{"type": "http.request", "body": call.body, "more_body": False}]

    async def receive() -> dict[str, Any]:
        return waiting.pop() if waiting else {"type": "http.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        answer.messages.append(message)

    try:
        await app(_scope(call), receive, send)
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
        "headers": [(b"host", b"test"), *call.headers],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
        "state": {},
    }


def _ignore() -> None:
    """Nothing of the application changes."""
