"""A request over a socket, its answer byte by byte, and uvicorn as the server to be equal to."""

import contextlib
import os
import re
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.parity.request import Request
from tests.support import RawConnection, wait_until
from tests.support.server import START_SECONDS, STOP_SECONDS, clean_environment

ROOT = Path(__file__).parent.parent.parent
ANSWER_SECONDS = 20.0
# The order of sets is part of some answers.
FIXED_HASHES = {"PYTHONHASHSEED": "0"}
RUNNING = re.compile(r"Uvicorn running on http://127\.0\.0\.1:([0-9]+)")
# They change from one second, or one server, to the next.
UNCOMPARED_LINES = (b"date:", b"server:")


@dataclass(frozen=True)
class Answer:
    """What came back until the server closed the connection.

    The status is the number: a client should ignore the words after it (RFC 9112, section 4).
    """

    status: int
    headers: tuple[bytes, ...]
    body: bytes

    def differences(self, other: "Answer") -> list[str]:
        """In which respects the other one is not like this one."""
        found = []
        if self.status != other.status:
            found.append(f"status: {self.status} / {other.status}")
        if self.headers != other.headers and _reordered(self.headers) != other.headers:
            found.append(f"headers: {self.headers!r} / {other.headers!r}")
        if self.body != other.body:
            found.append(f"body: {self.body!r} / {other.body!r}")
        return found


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
    headers = tuple(line for line in lines if not line.lower().startswith(UNCOMPARED_LINES))
    chunked = any(line.lower() == b"transfer-encoding: chunked" for line in lines)
    return Answer(int(status.split()[1]), headers, _without_chunks(rest) if chunked else rest)


def _reordered(headers: tuple[bytes, ...]) -> tuple[bytes, ...]:
    """The headers in the order in which hyper writes them, which is the front's affair.

    Fields of one name stand together (their order is kept, that of different names does not matter:
    RFC 9110, section 5.3), and a length of zero is written by hyper itself.
    """
    grouped: dict[bytes, list[bytes]] = {}
    for line in headers:
        if line != b"content-length: 0":
            grouped.setdefault(line.partition(b":")[0], []).append(line)
    lines = [line for lines in grouped.values() for line in lines]
    return (*lines, *(line for line in headers if line == b"content-length: 0"))


def _without_chunks(data: bytes) -> bytes:
    """The body; how it was cut into chunks is the server's affair, but not whether it ended."""
    body = b""
    while True:
        size, _, data = data.partition(b"\r\n")
        if not size or size == b"0":
            return body if size else body + b"(cut)"
        length = int(size, 16)
        body, data = body + data[:length], data[length + 2 :]


class UvicornServer:
    """One uvicorn process, whose answers are what Andon's must be."""

    def __init__(
        self,
        application: str,
        scratch: Path,
        directory: Path = ROOT,
        environment: Mapping[str, str] = FIXED_HASHES,
    ) -> None:
        self.log = scratch / "uvicorn.log"
        self.arguments = [
            *(sys.executable, "-m", "uvicorn", application, "--app-dir", str(directory)),
            *("--host", "127.0.0.1", "--port", "0", "--no-proxy-headers", "--log-level", "info"),
            *("--http", "httptools", "--loop", "uvloop"),
        ]
        self.scratch = scratch
        self.environment = clean_environment() | dict(environment)
        self.process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> tuple[str, int]:
        self.scratch.mkdir(parents=True, exist_ok=True)
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                self.arguments,
                env=self.environment,
                cwd=self.scratch,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        return "127.0.0.1", wait_until(self._port, "uvicorn listens", START_SECONDS)

    def __exit__(self, *_: object) -> None:
        assert self.process is not None
        self.process.terminate()
        try:
            self.process.wait(STOP_SECONDS)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)

    def _port(self) -> int | None:
        text = self.log.read_text(errors="replace")
        match = RUNNING.search(text)
        assert match or (self.process is not None and self.process.poll() is None), text
        return int(match[1]) if match else None
