"""One `andon` process under test: started on a free port, watched through files, and stopped."""

import re
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.support.journal import Journal
from tests.support.processes import child_processes, command_line
from tests.support.raw_http import RawConnection, Response
from tests.support.raw_websocket import RawWebSocket
from tests.support.server_process import START_SECONDS, ServerProcess
from tests.support.waiting import wait_until

EXECUTABLE = Path(sys.executable).with_name("andon")
APPLICATIONS = Path(__file__).parent.parent / "apps"
LISTENING = re.compile(r"listening on http://127\.0\.0\.1:([0-9]+)")


class ServerDidNotStart(Exception):
    """The process ended before it served."""


class AndonServer(ServerProcess):
    """A server process; `scratch` gets its output, and the journal of the application."""

    def __init__(
        self,
        application: str,
        *options: str,
        scratch: Path,
        application_directory: Path = APPLICATIONS,
        environment: Mapping[str, str] | None = None,
        port: int = 0,
    ) -> None:
        arguments = [
            str(EXECUTABLE),
            application,
            *("--port", str(port)),
            *("--app-dir", str(application_directory)),
            *options,
        ]
        own = {"TEST_SCRATCH": str(scratch)} | dict(environment or {})
        super().__init__(arguments, scratch, own)
        self.journal = Journal(scratch)
        self.port = 0

    def launch(self) -> "AndonServer":
        """Start the process without waiting for it to serve."""
        self.spawn()
        return self

    def start(self) -> "AndonServer":
        """Start the process and wait until it says that it serves."""
        self.launch()
        self.port = wait_until(self._port_or_failure, "the server listens", START_SECONDS)
        return self

    @property
    def address(self) -> tuple[str, int]:
        """Where it listens."""
        return "127.0.0.1", self.port

    @property
    def url(self) -> str:
        """Its base URL, without a slash at the end."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def websocket_url(self) -> str:
        """Its base URL for WebSockets."""
        return f"ws://127.0.0.1:{self.port}"

    def worker_processes(self) -> list[int]:
        """The process ids of the workers alive now, in no order."""
        children = child_processes(self.process_id)
        return [child for child in children if "andon.worker" in command_line(child)]

    def connect(self, seconds: float = 10.0, receive_buffer: int | None = None) -> RawConnection:
        """Open a raw connection."""
        return RawConnection(self.address, seconds, receive_buffer)

    def websocket(self, target: str, *headers: tuple[str, str]) -> RawWebSocket:
        """Open a raw WebSocket and send its handshake, without reading the answer."""
        return RawWebSocket(self.address, target, headers)

    def get(self, target: str, *headers: tuple[str, str]) -> Response:
        """Answer of one GET on a connection of its own."""
        with self.connect() as connection:
            return connection.request("GET", target, headers)

    def _port_or_failure(self) -> int | None:
        ended = not self.running
        match = LISTENING.search(self.stderr)
        if match:
            return int(match[1])
        if ended:
            raise ServerDidNotStart(f"exit code {self._started().returncode}\n{self.stderr}")
        return None
