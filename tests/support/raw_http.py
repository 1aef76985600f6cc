"""A deliberately strict HTTP/1.1 client over a plain socket.

It sends the bytes it is given, and fails on anything in an answer that RFC 9112 does not allow a
server to send, so that each test which uses it also checks the framing.
"""

import contextlib
import json
import re
import socket
import struct
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

# HTTP/1.0 may be answered with the server's version or with that one (RFC 9112, section 2.3).
STATUS_LINE = re.compile(
    rb"HTTP/(?P<version>1\.[01]) (?P<code>[1-5][0-9][0-9]) (?P<reason>[\t\x20-\x7e\x80-\xff]*)\r\n"
)
FIELD_LINE = re.compile(
    rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*([\t\x20-\x7e\x80-\xff]*?)[ \t]*\r\n"
)
CHUNK_SIZE_LINE = re.compile(rb"([0-9a-fA-F]+)\r\n")
RECEIVE_BYTES = 65536
LONGEST_LINE = 1 << 20

Headers = list[tuple[str, str]]


class ConnectionClosed(Exception):
    """The server closed the connection before the answer was complete."""


@dataclass(frozen=True)
class Response:
    """One answer; names of headers in lower case, the body without its transfer coding."""

    status: int
    reason: str
    headers: Headers
    body: bytes = b""
    interim: list["Response"] = field(default_factory=list)
    version: str = "1.1"

    def values(self, name: str) -> list[str]:
        """Return each value of the header, in order."""
        return [value for key, value in self.headers if key == name.lower()]

    def header(self, name: str) -> str | None:
        """Return the value of a header which may occur at most once."""
        values = self.values(name)
        assert len(values) <= 1, f"{name} occurs {len(values)} times: {values}"
        return values[0] if values else None

    def json(self) -> Any:
        """Return the decoded body."""
        return json.loads(self.body)

    @property
    def closes(self) -> bool:
        """Whether the server announced that it closes the connection; HTTP/1.0 means it does."""
        connection = (self.header("connection") or "").lower()
        return "close" in connection or (self.version == "1.0" and "keep-alive" not in connection)


def request_bytes(
    method: str,
    target: str,
    headers: Iterable[tuple[str, str]] = (),
    body: bytes = b"",
    version: str = "1.1",
) -> bytes:
    """Return a request with a Host header, and a Content-Length where there is a body."""
    fields = [("Host", "test.example"), *headers]
    if body:
        fields.append(("Content-Length", str(len(body))))
    lines = [f"{method} {target} HTTP/{version}", *(f"{name}: {value}" for name, value in fields)]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


def chunked(*chunks: bytes) -> bytes:
    """Return a complete chunked body."""
    coded = b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks)
    return coded + b"0\r\n\r\n"


class RawConnection:
    """One TCP connection to the server."""

    def __init__(
        self, address: tuple[str, int], seconds: float = 10.0, receive_buffer: int | None = None
    ) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        if receive_buffer is not None:
            # Has to be set before connecting: the window scale is agreed on in the handshake.
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(seconds)
        self.socket.connect(address)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # Not `bytes`: adding to them copies all that is there, seconds long for a large body.
        self.buffer = bytearray()

    def __enter__(self) -> "RawConnection":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close in the ordinary way (FIN)."""
        self.socket.close()

    def abort(self) -> None:
        """Close with a reset, as a client which crashed or lost its network does."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    @property
    def local_address(self) -> tuple[str, int]:
        """The client's address, as the server sees it."""
        host, port = self.socket.getsockname()
        return host, port

    def send(self, data: bytes) -> None:
        """Send all bytes."""
        self.socket.sendall(data)

    def send_until_refused(self, *parts: bytes) -> None:
        """Send as much as the server takes; its answer may come before the end of the request."""
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            for part in parts:
                self.send(part)

    def request(
        self,
        method: str,
        target: str,
        headers: Iterable[tuple[str, str]] = (),
        body: bytes = b"",
        version: str = "1.1",
    ) -> Response:
        """Send one request and return its answer."""
        self.send(request_bytes(method, target, headers, body, version))
        return self.read_response(method)

    def read_response(self, method: str = "GET") -> Response:
        """Read one whole answer, with the interim ones (1xx) before it."""
        head = self.read_head()
        body = self._read_body(head, method)
        return replace(head, body=body)

    def read_head(self) -> Response:
        """Read up to the end of the final answer's head."""
        interim: list[Response] = []
        while True:
            status = STATUS_LINE.fullmatch(self._read_line())
            assert status, "not a status line"
            head = Response(
                status=int(status["code"]),
                reason=status["reason"].decode("latin-1"),
                headers=self._read_fields(),
                version=status["version"].decode(),
            )
            if head.status >= 200 or head.status == 101:
                return replace(head, interim=interim)
            interim.append(head)

    def read_chunk(self) -> bytes:
        """Read one chunk; empty at the end of the body."""
        size_line = CHUNK_SIZE_LINE.fullmatch(self._read_line())
        assert size_line, "not a chunk size"
        size = int(size_line[1], 16)
        if size == 0:
            assert self._read_fields() == [], "unexpected trailer"
            return b""
        chunk = self.read_exactly(size)
        assert self.read_exactly(2) == b"\r\n", "chunk does not end in CRLF"
        return chunk

    def read_exactly(self, count: int) -> bytes:
        """Read so many bytes."""
        while len(self.buffer) < count:
            self._fill()
        return self._take(count)

    def read_to_end(self) -> bytes:
        """Read what is there until the server closes; a reset counts as closed."""
        parts = [bytes(self.buffer)]
        self.buffer.clear()
        while True:
            try:
                data = self.socket.recv(RECEIVE_BYTES)
            except ConnectionResetError:
                data = b""
            if not data:
                return b"".join(parts)
            parts.append(data)

    def assert_closed_by_server(self) -> None:
        """Wait until the server closes, and fail when it sends anything before it does."""
        assert self.read_to_end() == b""

    def _read_body(self, head: Response, method: str) -> bytes:
        coding = head.header("transfer-encoding")
        length = head.header("content-length")
        assert not (coding and length), "both Transfer-Encoding and Content-Length"
        if method == "HEAD" or head.status in (204, 304):
            assert head.status != 204 or (coding is None and length is None), "framing on a 204"
            return b""
        if coding is not None:
            assert coding == "chunked"
            return b"".join(iter(self.read_chunk, b""))
        if length is not None:
            assert length.isascii() and length.isdigit()
            return self.read_exactly(int(length))
        assert head.closes, "neither length nor chunks nor Connection: close"
        return self.read_to_end()

    def _read_fields(self) -> Headers:
        fields: Headers = []
        while (line := self._read_line()) != b"\r\n":
            match = FIELD_LINE.fullmatch(line)
            assert match, f"not a header line: {line!r}"
            fields.append((match[1].decode("ascii").lower(), match[2].decode("latin-1")))
        return fields

    def _read_line(self) -> bytes:
        while (end := self.buffer.find(b"\n")) < 0:
            assert len(self.buffer) < LONGEST_LINE
            self._fill()
        line = self._take(end + 1)
        assert line.endswith(b"\r\n"), f"line ends in a bare LF: {line!r}"
        return line

    def _fill(self) -> None:
        data = self.socket.recv(RECEIVE_BYTES)
        if not data:
            raise ConnectionClosed(f"closed after {bytes(self.buffer[:200])!r}")
        self.buffer += data

    def _take(self, count: int) -> bytes:
        data = bytes(self.buffer[:count])
        del self.buffer[:count]
        return data
