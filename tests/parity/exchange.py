"""One recorded exchange of FastAPI's test suite, as a line of JSON.

`plugin` writes them while the tests run, `comparing` reads them afterwards. The key of an exchange
is the test that made it, its request line, and how many of these the test had made before: no mode
may change that. (A test may have several requests under way, which come in any order.)
"""

import hashlib
from collections.abc import Iterable
from dataclasses import asdict, dataclass

# By its name: some tests replace it in its module.
from json import dumps, loads
from pathlib import Path
from typing import Any

from .carried import grouped
from .exclusions import masked
from .observation import Body, Observation, Raised, Start

SHOWN_BODY_BYTES = 2000
# Both change from one second, or one server, to the next.
UNCOMPARED_HEADERS = frozenset({"date", "server"})
# They tell how a server writes an answer, not what it is.
HOP_BY_HOP = frozenset({"connection", "transfer-encoding"})
# Of files that a test has just written: made from the time when it did.
FILE_HEADERS = frozenset({"last-modified", "etag"})


Key = tuple[str, str, str, int]


@dataclass(frozen=True)
class Exchange:
    """A request and what came of it."""

    test: str
    number: int
    method: str
    url: str
    status: int | None
    headers: list[list[str]]
    body_digest: str
    body_bytes: int
    body_start: str
    exception: str | None
    messages: list[str]
    served_by: str
    route: str

    @property
    def key(self) -> Key:
        """What pairs it with the same exchange of another mode."""
        return self.test, self.method, self.url, self.number

    def as_compared(self) -> dict[str, Any]:
        """All that must be the same in each mode."""
        fields = asdict(self)
        for name in ("served_by", "route"):
            del fields[name]
        return fields

    def as_carried(self) -> dict[str, Any]:
        """All that must be the same where the answer has come over a socket."""
        fields = self.as_compared()
        # How a body is cut into pieces is the server's affair.
        del fields["messages"]
        kept = [(name, value) for name, value in self.headers if name not in HOP_BY_HOP]
        fields["headers"] = grouped(kept)
        if self.method == "HEAD":
            for name in ("body_digest", "body_bytes", "body_start"):
                del fields[name]
        return fields


@dataclass(frozen=True)
class Outcome:
    """How a test ended: passed, failed, skipped or xfailed, and with what message."""

    test: str
    result: str
    message: str = ""


@dataclass(frozen=True)
class Recording:
    """What one mode gave."""

    exchanges: dict[Key, Exchange]
    outcomes: dict[str, Outcome]


def exchange_of(key: Key, seen: Observation, served_by: str, route: str) -> Exchange:
    """Make the record of what was observed, without what cannot be compared."""
    test, method, url, number = key
    start, raised = seen.start, seen.raised
    body = masked(test, seen.body.decode("latin-1"))
    return Exchange(
        test=test,
        number=number,
        method=method,
        url=url,
        status=None if start is None else start.status,
        headers=[] if start is None else _headers(test, start),
        body_digest=hashlib.sha256(body.encode("latin-1")).hexdigest(),
        body_bytes=len(body),
        body_start=body[:SHOWN_BODY_BYTES],
        exception=None if raised is None else _exception(test, raised),
        messages=[_message(item) for item in seen.messages],
        served_by=served_by,
        route=route,
    )


def line(record: Exchange | Outcome) -> str:
    """The record as a line of a recording."""
    return dumps({"kind": type(record).__name__, **asdict(record)}) + "\n"


def read(paths: Iterable[Path]) -> Recording:
    """Read the recordings of all shards of one mode."""
    recording = Recording({}, {})
    for path in paths:
        with path.open(encoding="utf-8") as lines:
            for text in lines:
                _add(recording, loads(text))
    return recording


def _add(recording: Recording, fields: dict[str, Any]) -> None:
    if fields.pop("kind") == Exchange.__name__:
        exchange = Exchange(**fields)
        recording.exchanges[exchange.key] = exchange
    else:
        outcome = Outcome(**fields)
        recording.outcomes[outcome.test] = outcome


def _exception(test: str, raised: Raised) -> str:
    # Each process of the suite has a folder of its own.
    text = masked(test, raised.text.replace(str(Path.cwd()), "."))
    return f"{raised.type}: {text} <- {raised.cause}"


def _headers(test: str, start: Start) -> list[list[str]]:
    pairs = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in start.headers]
    kept = [(name, value) for name, value in pairs if name.lower() not in UNCOMPARED_HEADERS]
    if any(name == "last-modified" for name, _ in kept):
        kept = [(name, "*" if name in FILE_HEADERS else value) for name, value in kept]
    return [[name, masked(test, value)] for name, value in kept]


def _message(message: object) -> str:
    if isinstance(message, Start):
        return f"start {message.status}"
    if isinstance(message, Body):
        return f"body {len(message.data)} {'more' if message.more else 'end'}"
    return str(message)
