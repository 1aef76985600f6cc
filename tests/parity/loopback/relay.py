"""Stands between the front and the worker, and passes on every frame (see the crate `wire`).

The heads of requests are changed: they get the addresses and the scheme of the test client, and
lose the fields that were added for the way. Nothing else is changed. What the worker sends tells
when a request has ended.
"""

import contextlib
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass

# Names a request on its way; neither the worker nor the application sees it.
NAME = b"andon-parity-request"

REQUEST, FINISHED = 1, 11
SECURE, FAILED = 1, 4
HEADER = struct.Struct("<IBBHII")
READ_BYTES = 256 * 1024

Name = tuple[int, int]


@dataclass(frozen=True)
class Frame:
    """A frame. The name is that of its exchange: slot and generation."""

    kind: int
    flags: int
    name: Name
    payload: bytes

    def encoded(self) -> bytes:
        """The frame as it is on the wire."""
        return HEADER.pack(len(self.payload), self.kind, self.flags, 0, *self.name) + self.payload


@dataclass(frozen=True)
class Origin:
    """From where a request comes: what a socket of the test client's would tell."""

    client: tuple[str, int | None] | None
    server: tuple[str, int | None] | None
    secure: bool
    # Names of header fields that it has for the way only.
    added: frozenset[bytes]


@dataclass(frozen=True)
class Watcher:
    """Who is told. `offered` returns the origin of the request of that number."""

    offered: Callable[[int, Name], Origin]
    finished: Callable[[Name, bool], None]


def start(front: socket.socket, worker: socket.socket, watcher: Watcher) -> list[threading.Thread]:
    """Pass frames on in both directions, until one of the sockets ends."""

    def to_worker() -> None:
        for frame in _frames(front):
            changed = _with_origin(frame, watcher) if frame.kind == REQUEST else frame
            worker.sendall(changed.encoded())

    def to_front() -> None:
        for frame in _frames(worker):
            front.sendall(frame.encoded())
            if frame.kind == FINISHED:
                watcher.finished(frame.name, bool(frame.flags & FAILED))

    def run(direction: Callable[[], None], target: socket.socket) -> None:
        try:
            with contextlib.suppress(OSError):
                direction()
        finally:
            with contextlib.suppress(OSError):
                target.shutdown(socket.SHUT_WR)

    threads = [
        threading.Thread(target=run, args=arguments, name="relay", daemon=True)
        for arguments in ((to_worker, worker), (to_front, front))
    ]
    for thread in threads:
        thread.start()
    return threads


def _frames(source: socket.socket) -> Iterator[Frame]:
    buffer = b""
    while received := source.recv(READ_BYTES):
        buffer += received
        while len(buffer) >= HEADER.size:
            length, kind, flags, _, slot, generation = HEADER.unpack_from(buffer)
            end = HEADER.size + length
            if len(buffer) < end:
                break
            yield Frame(kind, flags, (slot, generation), buffer[HEADER.size : end])
            buffer = buffer[end:]


def _with_origin(frame: Frame, watcher: Watcher) -> Frame:
    reader = _Reader(frame.payload)
    method, version, marks = reader.short(), *reader.take("<BB")
    path, query = reader.long(), reader.long()
    for _ in ("client", "server"):
        reader.short()
        reader.take("<H")
    (count,) = reader.take("<H")
    fields = [(reader.short(), reader.long()) for _ in range(count)]
    origin = watcher.offered(int(dict(fields)[NAME]), frame.name)
    fields = [field for field in fields if field[0] not in origin.added]
    parts = [
        *(_short(method), bytes([version, marks | SECURE if origin.secure else marks])),
        *(_long(path), _long(query), _address(origin.client), _address(origin.server)),
        struct.pack("<H", len(fields)),
        *(_short(name) + _long(value) for name, value in fields),
        frame.payload[reader.at :],
    ]
    return Frame(frame.kind, frame.flags, frame.name, b"".join(parts))


def _short(data: bytes) -> bytes:
    return struct.pack("<H", len(data)) + data


def _long(data: bytes) -> bytes:
    return struct.pack("<I", len(data)) + data


def _address(address: tuple[str, int | None] | None) -> bytes:
    host, port = address or ("", 0)
    return _short(host.encode()) + struct.pack("<H", port or 0)


class _Reader:
    def __init__(self, payload: bytes) -> None:
        self.payload = payload
        self.at = 0

    def take(self, layout: str) -> tuple[int, ...]:
        values = struct.unpack_from(layout, self.payload, self.at)
        self.at += struct.calcsize(layout)
        return values

    def short(self) -> bytes:
        return self._bytes(*self.take("<H"))

    def long(self) -> bytes:
        return self._bytes(*self.take("<I"))

    def _bytes(self, length: int) -> bytes:
        self.at += length
        return self.payload[self.at - length : self.at]
