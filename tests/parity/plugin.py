"""A pytest plugin which records every HTTP exchange that a test has with an application in process.

`suite` loads it into FastAPI's own test suite as `-p andon_parity.plugin`. The test clients stay as
they are; only the application that they call is put behind the face of the mode. Lifespans and
WebSockets are not touched.
"""

import asyncio
import copy
import functools
import importlib
import random
import threading
import weakref
from collections import Counter
from collections.abc import Generator, MutableMapping
from pathlib import Path
from typing import Any, TextIO

import pytest

from .exchange import Exchange, Key, Outcome, exchange_of, line
from .exclusions import NOT_OVER_SOCKETS
from .face import FACES, PLAIN, WIRE, Face, MakeFace
from .loopback.bridge import SHARED
from .observation import Observation, Receive, Scope, Send, observe

OTHER_LOOP = "not native: the event loop is not asyncio's"
# Methods which hand a request to `self.app`, by the module and class that has them.
TRANSPORTS = (
    ("starlette.testclient", "_TestClientTransport", "handle_request"),
    ("httpx", "ASGITransport", "handle_async_request"),
    ("httpx2", "ASGITransport", "handle_async_request"),
)
# FastAPI's suite has it from pytest-xdist, which is not used here.
MARKERS = ("xdist_group(name): tests that may not run beside each other",)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the mode, and where the recording goes."""
    group = parser.getgroup("parity")
    group.addoption("--parity-face", default=PLAIN, help="a name of FACES, or module:callable")
    group.addoption("--parity-record", required=False, help="the file to write")


def pytest_configure(config: pytest.Config) -> None:
    """Put the recorder between the test clients and their applications."""
    for marker in MARKERS:
        config.addinivalue_line("markers", marker)
    path = config.getoption("--parity-record")
    if path:
        recorder = Recorder(_face(config.getoption("--parity-face")), Path(path))
        config.pluginmanager.register(recorder)
        recorder.install()


def _face(name: str) -> MakeFace:
    if name in FACES:
        return FACES[name]
    module, _, attribute = name.partition(":")
    make: MakeFace = getattr(importlib.import_module(module), attribute)
    return make


class Recorder:
    """Knows which test is running, and writes what its clients exchange."""

    def __init__(self, make_face: MakeFace, path: Path) -> None:
        self.make_face = make_face
        self.output: TextIO = path.open("w", encoding="utf-8")
        self.lock = threading.Lock()
        self.test = ""
        self.numbers: Counter[tuple[str, str]] = Counter()
        self.results: dict[str, Outcome] = {}
        self.done: set[str] = set()
        # A transport stands for a server: its application is inspected with its first request.
        self.faces: MutableMapping[Any, Face] = weakref.WeakKeyDictionary()

    def install(self) -> None:
        """Patch every kind of transport that is there."""
        for module, name, method in TRANSPORTS:
            try:
                transport = getattr(importlib.import_module(module), name)
            except ModuleNotFoundError:
                continue
            setattr(transport, method, self._through_recorder(getattr(transport, method)))

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        """Remember the test; its exchanges are counted anew."""
        self.test = item.nodeid
        self.numbers.clear()
        # What a test leaves to chance is the same in each mode.
        random.seed(0)
        try:
            return (yield)
        finally:
            self.test = ""

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep how the test ended; its last word is that of its teardown."""
        known = self.results.get(report.nodeid)
        if known is None or (known.result == "passed" and report.outcome != "passed"):
            self.results[report.nodeid] = _outcome(report)
        if report.when == "teardown":
            self.done.add(report.nodeid)
            self._write(self.results.pop(report.nodeid))

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Tell which tests were not run because something ended the session."""
        for item in session.items:
            if item.nodeid not in self.done:
                self._write(Outcome(item.nodeid, "not run"))

    def pytest_unconfigure(self) -> None:
        """Close the recording, and end what the face has started."""
        self.output.close()
        SHARED.close()

    def _through_recorder(self, original: Any) -> Any:
        @functools.wraps(original)
        def handle(transport: Any, request: Any) -> Any:
            # The transport itself is left alone: others may look at its application.
            stand_in = copy.copy(transport)
            stand_in.app = Exchanger(self, transport, request).call
            return original(stand_in, request)

        return handle

    def face_of(self, transport: Any) -> Face:
        """The face of the application which the transport calls."""
        if transport not in self.faces:
            self.faces[transport] = self.make_face(transport.app)
        return self.faces[transport]

    def next_key(self, method: str, url: str) -> Key:
        """The key of an exchange that begins now."""
        with self.lock:
            number = self.numbers[method, url]
            self.numbers[method, url] += 1
            return self.test, method, url, number

    def write_exchange(self, exchange: Exchange) -> None:
        """Add it to the recording."""
        self._write(exchange)

    def _write(self, record: Exchange | Outcome) -> None:
        with self.lock:
            if not self.output.closed:
                self.output.write(line(record))


class Exchanger:
    """What a client calls instead of its application, for one request."""

    def __init__(self, recorder: Recorder, transport: Any, request: Any) -> None:
        self.recorder = recorder
        self.transport = transport
        self.key = recorder.next_key(str(request.method), str(request.url))
        self.served_by = ""

    async def call(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Call the face, and record what it did, also when it is cancelled on the way."""
        if scope["type"] != "http":
            await self.transport.app(scope, receive, send)
            return
        seen = Observation()
        face = self._face()
        try:
            await observe(functools.partial(face, served=self._served), scope, receive, send, seen)
        finally:
            self._record(scope, seen)
        if seen.error is not None:
            raise seen.error

    def _face(self) -> Face:
        kept = None if _on_asyncio() else OTHER_LOOP
        if kept is None and self.recorder.make_face is FACES[WIRE]:
            kept = _kept_in_process(self.recorder.test)
        if kept is not None:
            self.served_by = kept
            return FACES[PLAIN](self.transport.app)
        return self.recorder.face_of(self.transport)

    def _served(self, reason: str) -> None:
        self.served_by = self.served_by or reason

    def _record(self, scope: Scope, seen: Observation) -> None:
        route = scope.get("route")
        text = "" if route is None else f"{type(route).__name__} {getattr(route, 'path', '')}"
        self.recorder.write_exchange(exchange_of(self.key, seen, self.served_by, text))


def _kept_in_process(test: str) -> str | None:
    reasons = (reason for name, reason in NOT_OVER_SOCKETS.items() if test.startswith(name))
    return next(reasons, None)


def _on_asyncio() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def _outcome(report: pytest.TestReport) -> Outcome:
    result = "xfailed" if hasattr(report, "wasxfail") else report.outcome
    crash = getattr(report.longrepr, "reprcrash", None)
    message = "" if crash is None else str(crash.message).splitlines()[0]
    return Outcome(report.nodeid, result, message)
