"""gunicorn's wire files over real sockets, each in several chunkings."""

from collections.abc import Iterator

import pytest

from tests.compliance.source import source_directory
from tests.compliance.wire import Limits, WireFile, chunkings, wire_files
from tests.compliance.wire_check import ECHO_APPLICATION, invalid_problem, valid_problem
from tests.compliance.wire_differences import INVALID, TRUNCATED_INVALID, TRUNCATED_VALID, VALID
from tests.conftest import StartServer
from tests.support import AndonServer

pytestmark = pytest.mark.compliance
CHUNKINGS = list(chunkings(b"x"))


class Servers:
    """One server for each set of limits, started when it is first needed."""

    def __init__(self, start: StartServer) -> None:
        self.start = start
        self.by_limits: dict[Limits, AndonServer] = {}

    def under(self, limits: Limits) -> AndonServer:
        """The server which has these limits."""
        if limits not in self.by_limits:
            self.by_limits[limits] = self.start(ECHO_APPLICATION, *limits.options)
        return self.by_limits[limits]


@pytest.fixture(scope="module")
def servers(start_module_server: StartServer) -> Iterator[Servers]:
    """The servers of this module."""
    yield Servers(start_module_server)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One test per file and chunking; the files are fetched when tests are collected."""
    for folder in ("valid", "invalid"):
        if f"{folder}_file" in metafunc.fixturenames:
            files = list(wire_files(folder))
            metafunc.parametrize(f"{folder}_file", files, ids=[file.name for file in files])


@pytest.mark.parametrize("chunking", CHUNKINGS)
def test_a_valid_file_is_read_as_its_sidecar_says(
    servers: Servers, valid_file: WireFile, chunking: str
) -> None:
    parts = chunkings(valid_file.data)[chunking]
    assert valid_problem(servers.under(valid_file.limits), valid_file, parts) is None


@pytest.mark.parametrize("chunking", CHUNKINGS)
def test_an_invalid_file_is_refused_and_the_connection_closed(
    servers: Servers, invalid_file: WireFile, chunking: str
) -> None:
    parts = chunkings(invalid_file.data)[chunking]
    assert invalid_problem(servers.under(invalid_file.limits), invalid_file, parts) is None


def test_every_accepted_difference_names_a_file() -> None:
    requests = source_directory() / "tests" / "requests"
    valid = {path.stem for path in (requests / "valid").glob("*.http")}
    invalid = {path.stem for path in (requests / "invalid").glob("*.http")}
    assert VALID.keys() | TRUNCATED_VALID.keys() <= valid
    assert INVALID.keys() | TRUNCATED_INVALID.keys() <= invalid
