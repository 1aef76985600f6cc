"""A server under test as a process: launched, watched through files, and ended."""

import contextlib
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

START_SECONDS = 30.0
STOP_SECONDS = 15.0


class ServerProcess:
    """One process of `arguments`; `scratch` gets its output and is where it runs."""

    def __init__(
        self, arguments: Sequence[str], scratch: Path, environment: Mapping[str, str]
    ) -> None:
        self.arguments = arguments
        self.scratch = scratch
        self.environment = clean_environment() | dict(environment)
        self.process: subprocess.Popen[bytes] | None = None

    def spawn(self) -> None:
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
        """End whatever is left of the server and its children, whatever state they are in."""
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
        """The process id of the server."""
        return self._started().pid

    @property
    def stdout(self) -> str:
        """All that was written to standard output so far."""
        return self._output("stdout").read_text(errors="replace")

    @property
    def stderr(self) -> str:
        """All that was written to standard error so far."""
        return self._output("stderr").read_text(errors="replace")

    def _started(self) -> "subprocess.Popen[bytes]":
        assert self.process is not None, "the server was not started"
        return self.process

    def _output(self, name: str) -> Path:
        return self.scratch / f"server.{name}"


def clean_environment() -> dict[str, str]:
    """The tests' own environment without what would change the server's behaviour."""
    ignored = ("ANDON_", "PYTHON", "UVICORN_")
    return {name: value for name, value in os.environ.items() if not name.startswith(ignored)}
