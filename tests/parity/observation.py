"""What the caller of an ASGI application can observe of one request, in a form that compares.

`observe` is the one way in which the suite, the generated applications and the cases drive a face,
so that all of them mean the same by "identical".
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from typing import Any

from starlette.middleware import gzip

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Headers = tuple[tuple[bytes, bytes], ...]

# Two runs of the same code need not have the same objects at the same addresses.
ADDRESS = re.compile(r"\b0x[0-9a-f]{6,}\b")
ADDRESS_TEXT = "0x"
# RFC 1952, section 2.3.1: these, and a byte of flags, are followed by the time, of four bytes.
GZIP = b"\x1f\x8b\x08"
# Starlette's middleware writes it where it still leaves the header to Python's module.
COMPRESSES_WITH_TIME = hasattr(gzip, "gzip")


@dataclass(frozen=True)
class Start:
    """The message that opens an answer."""

    status: int
    headers: Headers
    trailers: bool = False


@dataclass(frozen=True)
class Body:
    """A piece of an answer's body."""

    data: bytes
    more: bool


@dataclass(frozen=True)
class Other:
    """A message of any other type, by its text."""

    type: str
    text: str


@dataclass(frozen=True)
class Raised:
    """The exception with which the application ended."""

    type: str
    text: str
    cause: str | None


@dataclass
class Observation:
    """Messages in order and the exception; `events` is for what the application itself noted."""

    messages: list[Start | Body | Other] = field(default_factory=list)
    raised: Raised | None = None
    error: BaseException | None = field(default=None, repr=False)
    events: list[str] = field(default_factory=list)

    @property
    def start(self) -> Start | None:
        """The head of the answer, if there was one."""
        return next((item for item in self.messages if isinstance(item, Start)), None)

    @property
    def body(self) -> bytes:
        """The whole body."""
        return b"".join(item.data for item in self.messages if isinstance(item, Body))


async def observe(
    application: Callable[[Scope, Receive, Send], Awaitable[None]],
    scope: Scope,
    receive: Receive,
    send: Send | None = None,
    observation: Observation | None = None,
) -> Observation:
    """Call the application, pass its messages on to `send`, and return what was observed.

    An exception is noted and not raised, unless it is no `Exception`, such as a cancellation.
    """
    seen = Observation() if observation is None else observation

    async def note(message: Message) -> None:
        seen.messages.append(_as_compared(message))
        if send is not None:
            await send(message)

    try:
        await application(scope, receive, note)
    except BaseException as error:
        seen.raised, seen.error = as_raised(error), error
        if not isinstance(error, Exception):
            raise
    return seen


def as_raised(error: BaseException) -> Raised:
    """An exception in a form that compares, members of groups included."""
    cause = error.__cause__
    return Raised(_name(error), _text(error), None if cause is None else _name(cause))


def differences(plain: Observation, other: Observation) -> list[str]:
    """Say in which respects the other observation is not as the plain one, a line each."""
    found = []
    if plain.messages != other.messages:
        found.extend(_message_differences(plain, other))
    if plain.raised != other.raised:
        found.append(f"exception: {plain.raised} / {other.raised}")
    if plain.events != other.events:
        found.append(f"events: {plain.events} / {other.events}")
    return found


def _message_differences(plain: Observation, other: Observation) -> list[str]:
    kinds = [[_kind(item) for item in seen.messages] for seen in (plain, other)]
    found = [f"messages: {kinds[0]} / {kinds[1]}"] if kinds[0] != kinds[1] else []
    for one, two in zip(plain.messages, other.messages, strict=False):
        if one != two:
            found.append(f"{one} / {two}")
    return found


def _kind(message: Start | Body | Other) -> str:
    return message.type if isinstance(message, Other) else type(message).__name__.lower()


def _as_compared(message: Message) -> Start | Body | Other:
    kind = message["type"]
    if kind == "http.response.start":
        headers = tuple((bytes(name), bytes(value)) for name, value in message.get("headers", ()))
        return Start(message["status"], headers, message.get("trailers", False))
    if kind == "http.response.body":
        data = _without_time(bytes(message.get("body", b"")))
        return Body(data, message.get("more_body", False))
    # What is in the extensions' messages may be objects: templates, contexts.
    names = ", ".join(f"{key}: {_shape(message[key])}" for key in sorted(message) if key != "type")
    return Other(kind, names)


def _without_time(data: bytes) -> bytes:
    """What is compressed, without the second in which it was."""
    if not COMPRESSES_WITH_TIME or not data.startswith(GZIP):
        return data
    return data[:4] + bytes(4) + data[8:]


def _shape(value: Any) -> str:
    if isinstance(value, dict):
        return f"{{{', '.join(sorted(map(str, value)))}}}"
    return ADDRESS.sub(ADDRESS_TEXT, repr(value))


def _name(error: BaseException) -> str:
    return f"{type(error).__module__}.{type(error).__qualname__}"


def _text(error: BaseException) -> str:
    if isinstance(error, asyncio.CancelledError):
        # It tells names of Tasks and addresses of scopes.
        return ""
    # Groups exist from Python 3.11 on; on 3.10 they come from a backport with the same attribute.
    members = getattr(error, "exceptions", ())
    inner = [f"{_name(member)}: {_text(member)}" for member in members]
    return ADDRESS.sub(ADDRESS_TEXT, "; ".join([str(error), *inner]))
