"""A front that is none: it starts a real worker process and speaks the wire with it.

So a test sees the frames that the real front takes in, such as reports of stalls. The formats are
those of the crate `wire`; both ends are of one version, so nothing here is kept compatible.
"""

import contextlib
import json
import mmap
import os
import select
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.server import APPLICATIONS
from tests.support.server_process import clean_environment

MAGIC = 0x6E646E61
VERSION = 2
SLOTS = 16 * 1024
STATE_OFFSET = 64
SIGHT_OFFSET = STATE_OFFSET + 128
SLOTS_OFFSET = 4096
IDLE = 2**64 - 1
NO_SLOT = 2**32 - 1

REQUEST, DISCONNECT, SHUTDOWN = 1, 3, 7
READY, FAILED, RESPONSE, RESPONSE_BODY, FINISHED, USAGE, STALL, ROUTES = 1, 2, 3, 4, 11, 13, 14, 15
END, EXPLAIN, THREAD = 1, 8, 16

PATIENCE = 20.0

HEADER = struct.Struct("<IBBHII")


@dataclass(frozen=True)
class Frame:
    """A frame of the worker."""

    kind: int
    flags: int
    slot: int
    generation: int
    payload: bytes


@dataclass(frozen=True)
class Usage:
    """What a request has used; times in seconds."""

    loop_longest: float
    loop_total: float
    loop_processor: float
    thread_total: float
    thread_processor: float
    excuses: int

    @classmethod
    def parse(cls, payload: bytes) -> "Usage":
        """Read the record of a frame."""
        longest, total, processor, threads, threads_processor, excuses = struct.unpack_from(
            "<5QB", payload
        )
        return cls(
            longest / 1e9,
            total / 1e9,
            processor / 1e9,
            threads / 1e9,
            threads_processor / 1e9,
            excuses,
        )


@dataclass(frozen=True)
class Stall:
    """A report of a stall. Frames are whether it is the user's own code, line, file, function."""

    kind: str
    place: str
    since: int
    elapsed: float
    processor: float
    system_call: str
    frames: list[tuple[bool, int, str, str]] | None

    @classmethod
    def parse(cls, payload: bytes) -> "Stall":
        """Read the report of a frame."""
        reader = _Reader(payload)
        kind, place, marks, _ = reader.take("<4B")
        since, elapsed, processor = reader.take("<3Q")
        call = reader.short()
        (count,) = reader.take("<H")
        frames = []
        for _ in range(count):
            own, line = reader.take("<BI")
            frames.append((bool(own), line, reader.short(), reader.short()))
        kinds = ["computing", "blocked", "GIL held", "starved", "garbage collection"]
        places = ["event loop", "thread"]
        return cls(
            kinds[kind - 1],
            places[place],
            since,
            elapsed / 1e9,
            processor / 1e9,
            call,
            frames if marks & 1 else None,
        )


@dataclass(frozen=True)
class Route:
    """A route of the table. ``kind`` is `function`, `coroutine`, `offloadable` or `unknown`."""

    methods: list[str]
    pattern: str
    template: str
    endpoint: str
    websocket: bool
    mount: bool
    kind: str
    run: int | None
    concurrency: int | None
    timeout: float | None
    priority: int | None


class _Reader:
    def __init__(self, payload: bytes) -> None:
        self.payload = payload
        self.at = 0

    def take(self, layout: str) -> tuple[int, ...]:
        values = struct.unpack_from(layout, self.payload, self.at)
        self.at += struct.calcsize(layout)
        return values

    def short(self) -> str:
        (length,) = self.take("<H")
        text = self.payload[self.at : self.at + length].decode()
        self.at += length
        return text


def parse_routes(payload: bytes) -> list[Route]:
    """Read a route table."""
    reader = _Reader(payload)
    (count,) = reader.take("<H")
    return [_parse_route(reader) for _ in range(count)]


def _parse_route(reader: _Reader) -> Route:
    marks, present, run, priority, concurrency, timeout = reader.take("<BBBBIQ")
    pattern, template, endpoint = reader.short(), reader.short(), reader.short()
    (count,) = reader.take("<B")
    methods = [reader.short() for _ in range(count)]
    kinds = {0: "unknown", 4: "function", 8: "coroutine", 24: "offloadable"}
    return Route(
        methods,
        pattern,
        template,
        endpoint,
        websocket=bool(marks & 1),
        mount=bool(marks & 2),
        kind=kinds[marks & 28],
        run=run if present & 1 else None,
        concurrency=concurrency if present & 2 else None,
        timeout=timeout / 1e9 if present & 4 else None,
        priority=priority if present & 8 else None,
    )


@dataclass
class FakeFront:
    """One worker process, and this end of its wire."""

    target: str
    app_dir: Path = APPLICATIONS
    options: dict[str, object] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.frames: list[Frame] = []
        self._buffer = b""
        self._next_slot = 0
        self._memory_file = os.memfd_create("fake-front")
        os.ftruncate(self._memory_file, SLOTS_OFFSET + 8 * SLOTS)
        self.memory = mmap.mmap(self._memory_file, 0)
        struct.pack_into("<III", self.memory, 0, MAGIC, VERSION, SLOTS)
        struct.pack_into("<Q", self.memory, STATE_OFFSET, IDLE)
        self.wire, workers_end = socket.socketpair()
        orders = {
            "wire": workers_end.fileno(),
            "memory": self._memory_file,
            "number": 1,
            "target": self.target,
            "factory": False,
            "app_dir": str(self.app_dir),
            "root_path": "",
            "lifespan": "auto",
            "loop": "auto",
            "log_level": "info",
            "graceful_shutdown": 10.0,
        }
        self.process = subprocess.Popen(
            [sys.executable, "-m", "andon.worker"],
            env=clean_environment()
            | self.environment
            | {"ANDON_WORKER": json.dumps(orders | self.options)},
            pass_fds=[workers_end.fileno(), self._memory_file],
        )
        workers_end.close()

    def __enter__(self) -> "FakeFront":
        self.wait_for(lambda frame: frame.kind == READY)
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self._send(SHUTDOWN, 0, NO_SLOT, 0, b"")
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.wire.close()
        self.memory.close()
        os.close(self._memory_file)

    def _send(self, kind: int, flags: int, slot: int, generation: int, payload: bytes) -> None:
        header = HEADER.pack(len(payload), kind, flags, 0, slot, generation)
        self.wire.sendall(header + payload)

    def request(self, target: str, flags: int = 0, method: str = "GET") -> int:
        """Offer a request in a slot of its own, and return the slot. Its generation is 1."""
        slot = self._next_slot
        self._next_slot += 1
        struct.pack_into("<Q", self.memory, SLOTS_OFFSET + 8 * slot, 1 << 32 | 1)
        path, _, query = target.partition("?")
        payload = struct.pack("<H", len(method)) + method.encode() + bytes([1, 0])
        for text in (path, query):
            payload += struct.pack("<I", len(text)) + text.encode()
        payload += struct.pack("<HHHH", 0, 0, 0, 0) + struct.pack("<H", 0)
        self._send(REQUEST, flags | END, slot, 1, payload)
        return slot

    def disconnect(self, slot: int) -> None:
        """Tell the worker that the client of a request has gone."""
        self._send(DISCONNECT, 0, slot, 1, b"")

    def wait_for(self, wanted: Callable[[Frame], bool]) -> Frame:
        """Return the first frame that is wanted, waiting for it if it has not come yet."""
        end = time.monotonic() + PATIENCE
        while True:
            for frame in self.frames:
                if wanted(frame):
                    return frame
            assert self._receive(end), f"the frame has not come, but {self._names()}"

    def _names(self) -> list[tuple[int, int]]:
        """Kind and slot of what has come."""
        return [(frame.kind, frame.slot) for frame in self.frames]

    def _receive(self, end: float) -> bool:
        ready, _, _ = select.select([self.wire], [], [], max(0.0, end - time.monotonic()))
        received = self.wire.recv(65536) if ready else b""
        self._buffer += received
        while len(self._buffer) >= HEADER.size:
            length, kind, flags, _, slot, generation = HEADER.unpack_from(self._buffer)
            whole = HEADER.size + length
            if len(self._buffer) < whole:
                break
            payload = self._buffer[HEADER.size : whole]
            self.frames.append(Frame(kind, flags, slot, generation, payload))
            self._buffer = self._buffer[whole:]
        return bool(received)

    def of(self, slot: int, kind: int) -> Frame:
        """Return the frame of this kind about a request."""
        return self.wait_for(lambda frame: (frame.slot, frame.kind) == (slot, kind))

    def used(self, slot: int) -> Usage:
        """Wait for the end of a request and return what it has used."""
        return Usage.parse(self.of(slot, FINISHED).payload)

    def stall(self, slot: int) -> Stall:
        """Wait for a report with a stack about a request."""
        return Stall.parse(
            self.wait_for(
                lambda frame: (
                    (frame.slot, frame.kind) == (slot, STALL)
                    and Stall.parse(frame.payload).frames is not None
                )
            ).payload
        )

    def answer(self, target: str, flags: int = 0) -> bytes:
        """Make a request and return the body of its answer, which must be one frame."""
        payload = self.of(self.request(target, flags), RESPONSE).payload
        reader = _Reader(payload)
        _, count = reader.take("<HH")
        for _ in range(count):
            reader.short()
            (length,) = reader.take("<I")
            reader.at += length
        return payload[reader.at :]

    def routes(self) -> list[Route]:
        """Return the route table."""
        return parse_routes(self.wait_for(lambda frame: frame.kind == ROUTES).payload)

    def sight(self) -> dict[str, int]:
        """Return what the worker's watch thread has published of the call on a thread."""
        name, since, processor, _ = struct.unpack_from("<4Q", self.memory, SIGHT_OFFSET + 40)
        calls, waiting = struct.unpack_from("<II", self.memory, SIGHT_OFFSET + 72)
        return {
            "name": name,
            "since": since,
            "processor": processor,
            "calls": calls,
            "waiting": waiting,
        }
