"""Fixtures of the whole suite: servers, shared where a test does not need one of its own."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.support import AndonServer

LIVE_SERVERS: list[AndonServer] = []
SHOWN_OUTPUT_CHARACTERS = 4000

StartServer = Callable[..., AndonServer]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
    """Show the output of the servers which ran while the test failed."""
    report: pytest.TestReport = yield
    if report.failed:
        for server in LIVE_SERVERS:
            report.sections.append((f"stderr of {server.scratch.name}", _tail(server.stderr)))
            report.sections.append((f"stdout of {server.scratch.name}", _tail(server.stdout)))
    return report


def _tail(text: str) -> str:
    return text[-SHOWN_OUTPUT_CHARACTERS:]


@pytest.fixture
def new_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StartServer]:
    """Make servers which are not started; whatever is left of them goes at the end of the test."""
    with ServerFactory(tmp_path_factory) as make:
        yield make


@pytest.fixture
def start_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StartServer]:
    """Start servers for one test."""
    with ServerFactory(tmp_path_factory) as make:
        yield lambda *arguments, **keywords: make(*arguments, **keywords).start()


@pytest.fixture(scope="module")
def start_module_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StartServer]:
    """Start servers for the tests of one module."""
    with ServerFactory(tmp_path_factory) as make:
        yield lambda *arguments, **keywords: make(*arguments, **keywords).start()


@pytest.fixture(scope="session")
def raw_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AndonServer]:
    """The bare ASGI application with one worker and default options."""
    with ServerFactory(tmp_path_factory) as make:
        yield make("raw:app").start()


@pytest.fixture(scope="session")
def fastapi_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AndonServer]:
    """The FastAPI application with one worker and default options."""
    with ServerFactory(tmp_path_factory) as make:
        yield make("fastapi_routes:app").start()


class ServerFactory:
    """Makes servers, and at the end stops each and checks that it ended well."""

    def __init__(self, directories: pytest.TempPathFactory) -> None:
        self.directories = directories
        self.servers: list[AndonServer] = []

    def __enter__(self) -> StartServer:
        return self.make

    def __exit__(self, *_: object) -> None:
        problems = [problem for server in self.servers for problem in _end(server)]
        assert not problems, "\n".join(problems)

    def make(self, application: str, *options: str, **keywords: Any) -> AndonServer:
        """Make a server with one worker unless told otherwise."""
        if "--workers" not in options:
            options = ("--workers", "1", *options)
        keywords.setdefault("scratch", self.directories.mktemp("server"))
        server = AndonServer(application, *options, **keywords)
        self.servers.append(server)
        LIVE_SERVERS.append(server)
        return server


def _end(server: AndonServer) -> list[str]:
    LIVE_SERVERS.remove(server)
    if server.process is None:
        return []
    problems = []
    if server.running:
        try:
            code = server.stop()
        except Exception as error:
            problems.append(f"{server.scratch.name} did not stop: {error!r}")
        else:
            if code != 0:
                problems.append(f"{server.scratch.name} ended with {code}\n{_tail(server.stderr)}")
    server.destroy()
    if "panicked at" in server.stderr:
        problems.append(f"{server.scratch.name} panicked\n{_tail(server.stderr)}")
    return problems
