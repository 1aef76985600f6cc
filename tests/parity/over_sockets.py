"""A request over a socket, its answer byte by byte, and uvicorn as the server to be equal to."""

import contextlib
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.parity.carried import Field, grouped
from tests.parity.exchange import UNCOMPARED_HEADERS
from tests.parity.request import Request
from tests.support import RawConnection, wait_until
from tests.support.server_process import START_SECONDS, ServerProcess

ROOT = Path(__file__).parent.parent.parent
ANSWER_SECONDS = 20.0
# The order of sets is part of some answers.
FIXED_HASHES = {"PYTHONHASHSEED": "0"}
RUNNING = re.compile(r"Uvicorn running on http://127\.0\.0\.1:([0-9]+)")
CHUNKED = ("transfer-encoding", "chunked")
NO_CONTENT = 204
NOT_MODIFIED = 304


@dataclass(frozen=True)
class Answer:
    """What came back until the server closed the connection.

    The status is the number: a client should ignore the words after it (RFC 9112, section 4).
    """

    status: int
    headers: tuple[Field, ...]
    body: bytes

    def differences(self, other: "Answer") -> list[str]:
        """In which respects the other one is not as this one should have been."""
        found = []
        expected = self._without_forbidden_content()
        if expected.status != other.status:
            found.append(f"status: {expected.status} / {other.status}")
        if expected.headers != other.headers and grouped(expected.headers) != list(other.headers):
            found.append(f"headers: {expected.headers!r} / {other.headers!r}")
        if expected.body != other.body:
            found.append(f"body: {expected.body!r} / {other.body!r}")
        return found

    def _without_forbidden_content(self) -> "Answer":
        """Return it without what a server must not send.

        A 204 has neither content nor a length, a 304 no content (RFC 9110, sections 8.6, 15.3.5 and
        15.4.5). uvicorn sends what an application gives, and some middleware gives them content.
        """
        if self.status == NOT_MODIFIED:
            return Answer(self.status, self.headers, b"")
        if self.status != NO_CONTENT:
            return self
        headers = tuple(field for field in self.headers if field[0].lower() != "content-length")
        return Answer(self.status, headers, b"")


def ask(address: tuple[str, int], request: Request) -> Answer:
    """Send the request on a connection of its own, and read until its end."""
    with contextlib.closing(RawConnection(address, ANSWER_SECONDS)) as connection:
        connection.send_until_refused(_head(request), *request.chunks)
        return _answer(connection.read_to_end())


def _head(request: Request) -> bytes:
    target = request.path + (b"?" + request.query if request.query else b"")
    fields = [*request.headers, (b"connection", b"close")]
    if request.body:
        fields.append((b"content-length", b"%d" % len(request.body)))
    lines = [b"%b %b HTTP/1.1" % (request.method.encode(), target)]
    lines += [b"%b: %b" % field for field in fields]
    return b"\r\n".join(lines) + b"\r\n\r\n"


def _answer(data: bytes) -> Answer:
    head, _, rest = data.partition(b"\r\n\r\n")
    status, *lines = head.split(b"\r\n")
    fields = [_field(line) for line in lines]
    headers = tuple(field for field in fields if field[0].lower() not in UNCOMPARED_HEADERS)
    chunked = any((name.lower(), value) == CHUNKED for name, value in fields)
    return Answer(int(status.split()[1]), headers, _without_chunks(rest) if chunked else rest)


def _field(line: bytes) -> Field:
    name, _, value = line.decode("latin-1").partition(": ")
    return name, value


def _without_chunks(data: bytes) -> bytes:
    """The body; how it was cut into chunks is the server's affair, but not whether it ended."""
    body = b""
    while True:
        size, _, data = data.partition(b"\r\n")
        if not size or size == b"0":
            return body if size else body + b"(cut)"
        length = int(size, 16)
        body, data = body + data[:length], data[length + 2 :]


class UvicornServer(ServerProcess):
    """One uvicorn process, whose answers are what Andon's must be."""

    def __init__(
        self,
        application: str,
        scratch: Path,
        directory: Path = ROOT,
        environment: Mapping[str, str] = FIXED_HASHES,
    ) -> None:
        arguments = [
            *(sys.executable, "-m", "uvicorn", application, "--app-dir", str(directory)),
            *("--host", "127.0.0.1", "--port", "0", "--no-proxy-headers", "--log-level", "info"),
            *("--http", "httptools", "--loop", "uvloop"),
        ]
        super().__init__(arguments, scratch, environment)

    def __enter__(self) -> tuple[str, int]:
        self.spawn()
        return "127.0.0.1", wait_until(self._port, "uvicorn listens", START_SECONDS)

    def __exit__(self, *_: object) -> None:
        try:
            self.stop()
        finally:
            self.destroy()

    def _port(self) -> int | None:
        ended = not self.running
        match = RUNNING.search(self.stderr)
        assert match or not ended, self.stderr
        return int(match[1]) if match else None
