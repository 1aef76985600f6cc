"""Sends a wire file to a server of the echo application, and says what differs from the sidecar."""

import socket
from collections.abc import Collection
from typing import Any

from tests.compliance.wire import WireFile
from tests.compliance.wire_differences import (
    INVALID,
    TRUNCATED_INVALID,
    TRUNCATED_VALID,
    VALID,
    Accepts,
    Reads,
    Refuses,
)
from tests.support import AndonServer, Response
from tests.support.raw_http import ConnectionClosed

ECHO_APPLICATION = "wire_echo:app"
ANSWER_SECONDS = 5.0
# 501 is for a transfer coding which is not implemented, 505 for a version.
REFUSALS = frozenset({*range(400, 500), 501, 505})


def valid_problem(server: AndonServer, file: WireFile, parts: list[bytes]) -> str | None:
    """Return what is wrong with the answers to a valid file, or none."""
    if file.name in TRUNCATED_VALID:
        return _problem_if_answered(server, parts)
    difference = VALID.get(file.name)
    if isinstance(difference, Refuses):
        return _problem_unless_refused(server, parts, difference.statuses)
    expected = [_expected(request, difference) for request in file.expected]
    answers = _exchange(server, parts, len(expected))
    if any(answer.status != 200 for answer in answers):
        return f"statuses {[answer.status for answer in answers]}"
    got = [answer.json() for answer in answers]
    return None if got == expected else f"{got}\ninstead of\n{expected}"


def invalid_problem(server: AndonServer, file: WireFile, parts: list[bytes]) -> str | None:
    """Return what is wrong with the answers to an invalid file, or none."""
    if file.name in TRUNCATED_INVALID:
        return _problem_if_answered(server, parts)
    difference = INVALID.get(file.name)
    if isinstance(difference, Accepts):
        expected = [200] * difference.answers
        statuses = [answer.status for answer in _exchange(server, parts, len(expected))]
        return None if statuses == expected else f"statuses {statuses} instead of {expected}"
    return _problem_unless_refused(server, parts, REFUSALS)


def _problem_if_answered(server: AndonServer, parts: list[bytes]) -> str | None:
    answered = [answer for answer in _exchange(server, parts, 0) if answer.status < 400]
    return f"answered {answered}" if answered else None


def _problem_unless_refused(
    server: AndonServer, parts: list[bytes], statuses: Collection[int]
) -> str | None:
    with server.connect(ANSWER_SECONDS) as connection:
        connection.send_until_refused(*parts)
        try:
            answer = connection.read_response()
            rest = connection.read_to_end()
        except TimeoutError:
            return "the connection stays open"
        except (ConnectionClosed, ConnectionResetError):
            return "closed without an answer"
    if answer.status not in statuses:
        return f"status {answer.status}"
    if rest:
        return f"more after the refusal: {rest!r}"
    return None if answer.closes else "the refusal does not say that the connection closes"


def _exchange(server: AndonServer, parts: list[bytes], count: int) -> list[Response]:
    """Send all parts, read so many answers, end the sending half, and read whatever else comes.

    The sending half ends last, because a server may take its end for the client going away.
    """
    answers: list[Response] = []
    with server.connect(ANSWER_SECONDS) as connection:
        connection.send_until_refused(*parts)
        try:
            while len(answers) < count:
                answers.append(connection.read_response())
            connection.socket.shutdown(socket.SHUT_WR)
            while True:
                answers.append(connection.read_response())
        except (ConnectionClosed, OSError):
            return answers


def _expected(request: dict[str, Any], difference: Reads | None) -> dict[str, Any]:
    major, minor = request["version"]
    body = request["body"]
    headers = [(name.lower(), value) for name, value in request["headers"]]
    if difference is not None and difference.headers is not None:
        headers = difference.headers
    return {
        "method": request["method"],
        "raw_path": request["uri"]["path"],
        "query": request["uri"]["query"],
        "http_version": f"{major}.{minor}",
        "headers": [list(header) for header in headers],
        "body": body if isinstance(body, str) else body.decode("latin-1"),
        **(difference.fields if difference is not None else {}),
    }
