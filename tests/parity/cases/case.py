"""A case: requests to an application, one after the other, with the status of each answer.

The status is there so that a case cannot lose its point unnoticed: two faces which both answer 404
are the same.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.parity.request import Request

HOST = (b"host", b"testserver")
JSON = ("content-type", "application/json")


@dataclass(frozen=True)
class Step:
    """A request, and what is known of its answer."""

    request: Request
    status: int
    # In process, the exception with which the application ends.
    raises: str | None = None


@dataclass(frozen=True)
class Case:
    """Requests to one new application; a callable among them changes it."""

    title: str
    steps: tuple["Step | Callable[[Any], None]", ...]
    # A server may not let such a request through to the application at all.
    wire: bool = True


def case(title: str, *steps: "Step | Callable[[Any], None]", wire: bool = True) -> Case:
    """A case; one that changes the application cannot be run over sockets."""
    over_sockets = wire and all(isinstance(step, Step) for step in steps)
    return Case(title, steps, over_sockets)


def get(target: str, status: int = 200, *headers: tuple[str, str], **options: Any) -> Step:
    """A GET; the target as it stands in the request line."""
    return send("GET", target, status, headers, **options)


def post(
    target: str, status: int, body: str | bytes, *headers: tuple[str, str], **options: Any
) -> Step:
    """A POST, with JSON's content type unless there are headers."""
    return send("POST", target, status, headers or (JSON,), body, **options)


def send(
    method: str,
    target: str,
    status: int,
    headers: tuple[tuple[str, str], ...] = (),
    body: str | bytes = b"",
    *,
    host: bool = True,
    chunks: tuple[bytes, ...] = (),
    raises: str | None = None,
    leaves_after: int | None = None,
    scheme: str = "http",
) -> Step:
    """Any request; header values are Latin-1."""
    path, _, query = target.partition("?")
    fields = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers]
    data = body.encode() if isinstance(body, str) else body
    return Step(
        Request(
            method,
            path.encode("ascii"),
            query.encode("latin-1"),
            (*((HOST,) if host else ()), *fields),
            chunks or ((data,) if data else ()),
            leaves_after,
            scheme,
        ),
        status,
        raises,
    )
