"""One `andon` process under test: started on a free port, watched through files, and stopped."""

import contextlib
import os
import re
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.support.journal import Journal
from tests.support.processes import child_processes, command_line
from tests.support.raw_http import RawConnection, Response
from tests.support.raw_websocket import RawWebSocket
from tests.support.waiting import wait_until

EXECUTABLE = Path(sys.executable).with_name("andon")
APPLICATIONS = Path(__file__).parent.parent / "apps"
LISTENING = re.compile(r"listening on http://127\.0\.0\.1:([0-9]+)")
START_SECONDS = 30.0
STOP_SECONDS = 15.0


class ServerDidNotStart(Exception):
    """The process ended before it served."""


class AndonServer:
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
        self.scratch = scratch
        self.journal = Journal(scratch)
        self.arguments = [
            str(EXECUTABLE),
            application,
            *("--port", str(port)),
            *("--app-dir", str(application_directory)),
            *options,
        ]
        self.environment = clean_environment() | {"TEST_SCRATCH": str(scratch)}
        self.environment |= environment or {}
        self.process: subprocess.Popen[bytes] | None = None
        self.port = 0

    def launch(self) -> "AndonServer":
        """Start the process without waiting for it to serve."""
        self.scratch.mkdir(parents=True, exist_ok=True)
        with (
            self._output("stdout").open("wb") as stdout,
            self._output("stderr").open("wb") as stderr,
        ):
            self.process = subprocess.Popen(
                self.arguments,
                env=self.environment,
                cwd=self.scratch,
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
                # A session of its own, so that what is left of it can be ended as one group.
                start_new_session=True,
            )
        return self

    def start(self) -> "AndonServer":
        """Start the process and wait until it says that it serves."""
        self.launch()
        self.port = wait_until(self._port_or_failure, "the server listens", START_SECONDS)
        return self

    def stop(self, number: int = signal.SIGTERM, seconds: float = STOP_SECONDS) -> int:
        """Ask the server to end and return its exit code."""
        self.signal(number)
        return self.wait(seconds)

    def wait(self, seconds: float = STOP_SECONDS) -> int:
        """Wait for the server to end by itself and return its exit code."""
        return self._started().wait(seconds)

    def signal(self, number: int) -> None:
        """Send a signal to the server process only."""
        self._started().send_signal(number)

    def destroy(self) -> None:
        """End whatever is left of the server and its workers, whatever state they are in."""
        if self.process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(STOP_SECONDS)

    @property
    def running(self) -> bool:
        """Whether the server process has not ended."""
        return self._started().poll() is None

    @property
    def process_id(self) -> int:
        """The process id of the server, which is the front and the supervisor."""
        return self._started().pid

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

    @property
    def stdout(self) -> str:
        """All that was written to standard output so far."""
        return self._output("stdout").read_text(errors="replace")

    @property
    def stderr(self) -> str:
        """All that was written to standard error so far."""
        return self._output("stderr").read_text(errors="replace")

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

    def _started(self) -> subprocess.Popen[bytes]:
        assert self.process is not None, "the server was not started"
        return self.process

    def _output(self, name: str) -> Path:
        return self.scratch / f"server.{name}"

    def _port_or_failure(self) -> int | None:
        ended = not self.running
        match = LISTENING.search(self.stderr)
        if match:
            return int(match[1])
        if ended:
            raise ServerDidNotStart(f"exit code {self._started().returncode}\n{self.stderr}")
        return None


def clean_environment() -> dict[str, str]:
    """The tests' own environment without what would change the server's behaviour."""
    ignored = ("ANDON_", "PYTHON", "UVICORN_")
    return {name: value for name, value in os.environ.items() if not name.startswith(ignored)}
