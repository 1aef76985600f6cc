"""The same over sockets: a real Andon beside a real uvicorn, for each generated application."""

import re
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from tests.parity.generated.driving import Counts, Difference, loaded
from tests.parity.over_sockets import FIXED_HASHES, ROOT, UvicornServer, ask
from tests.parity.request import Request
from tests.support import AndonServer

ENVIRONMENT = {**FIXED_HASHES, "PYTHONPATH": str(ROOT)}
TARGET = "generated_application:app"
SERVED_BY = "over the wire"
METHODS = frozenset({"GET", "HEAD", "OPTIONS", "POST", "PUT", "DELETE", "PATCH"})
# What a request line may hold (RFC 3986), and a header's value (RFC 9110, section 5.5): with
# anything else a server may do as it likes.
LINE = re.compile(rb"[A-Za-z0-9%/?:@!$&'()*+,;=._~-]*")
VALUE = re.compile(rb"|[!-~\x80-\xff]([ \t!-~\x80-\xff]*[!-~\x80-\xff])?")
# Servers set limits of their own.
LONGEST_HEAD = 8000


def is_well_formed(request: Request) -> bool:
    """Whether every server has to take it to the application as it is."""
    target = request.path + b"?" + request.query
    # Two hosts, or what closes a connection, are for the server.
    own = [name for name, _ in request.headers if name in (b"host", b"connection")]
    return (
        request.method in METHODS
        and LINE.fullmatch(target) is not None
        and all(VALUE.fullmatch(value) for _, value in request.headers)
        and sum(len(name) + len(value) for name, value in request.headers) < LONGEST_HEAD
        and len(target) < LONGEST_HEAD
        and own == [b"host"]
    )


@dataclass
class WireDriver:
    """Starts both servers anew for each application, and counts what they were asked."""

    counts: Counts = field(default_factory=Counts)
    for_servers: bool = True
    most_tries: int = 40

    def accepts(self, request: Request) -> bool:
        """Whether it can be asked for this."""
        return is_well_formed(request)

    def close(self) -> None:
        """Nothing is kept."""

    def first_difference(self, source: str, requests: Sequence[Request]) -> Difference | None:
        """Serve all of them in order by both servers, until one is not answered the same."""
        with loaded(source):
            # It raises where FastAPI refuses the application.
            pass
        with tempfile.TemporaryDirectory() as directory, ThreadPoolExecutor(1) as pool:
            scratch = Path(directory)
            (scratch / "generated_application.py").write_text(source)
            andon = AndonServer(
                TARGET,
                *("--workers", "1"),
                scratch=scratch / "andon",
                application_directory=scratch,
                environment=ENVIRONMENT,
            )
            # Beside the other, for starting takes most of the time.
            starting = pool.submit(andon.start)
            try:
                with UvicornServer(TARGET, scratch / "uvicorn", scratch, ENVIRONMENT) as address:
                    return self._compare(requests, address, starting.result().address)
            finally:
                starting.result().destroy()

    def _compare(
        self, requests: Sequence[Request], uvicorn: tuple[str, int], andon: tuple[str, int]
    ) -> Difference | None:
        for number, request in enumerate(requests):
            expected, found = ask(uvicorn, request), ask(andon, request)
            self.counts.add(expected.status, SERVED_BY)
            lines = expected.differences(found)
            if lines:
                return Difference(request, lines, SERVED_BY, number)
        return None
