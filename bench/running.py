"""A server under measurement: started, waited for, looked at, and stopped for certain.

It runs in a session of its own. Stopping signals only the processes that were seen in its tree or
session, each checked by its start time.
"""

from __future__ import annotations

import http.client
import os
import shlex
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from bench import processes
from bench.calls import HOST, call
from bench.errors import MeasurementFailed
from bench.processes import Memory, Process
from bench.servers import APPS, Launch, Server

START_SECONDS = 60.0
STOP_SECONDS = 5.0
SETTLE_SECONDS = 20.0
# Variables that would change how a server or an application runs.
FOREIGN_VARIABLES = (
    "ANDON_",
    "FORWARDED_",
    "GRANIAN_",
    "GUNICORN_",
    "HYPERCORN_",
    "OTEL_",
    "PYTHON",
    "UVICORN_",
)


class Running:
    """A started server."""

    def __init__(
        self, server: Server, process: subprocess.Popen[bytes], port: int, log: Path
    ) -> None:
        self.server = server
        self.port = port
        self._process = process
        self._log = log

    def url(self, path: str, scheme: str = "http") -> str:
        """Address of ``path`` on this server."""
        return f"{scheme}://{HOST}:{self.port}{path}"

    def tree(self) -> list[Process]:
        """The server's processes now, the one that was started first."""
        return processes.tree(self._process.pid)

    def front(self) -> Process | None:
        """The process that was started."""
        return processes.read(self._process.pid)

    def workers(self) -> list[Process]:
        """The processes that run the application; the server's only process if it has no others."""
        members = self.tree()
        workers = [process for process in members[1:] if self.server.is_worker(process)]
        return workers or members[:1]

    def processor_seconds(self) -> float:
        """Processor time that all living processes of the server have used so far."""
        return processes.processor_seconds(self.tree())

    def memory(self) -> dict[str, Memory]:
        """Memory of the ``front``, of the ``workers`` together, and of ``all`` processes.

        A server of one process counts as one worker without a front.
        """
        members = self.tree()
        worker_pids = {process.pid for process in self.workers()}
        groups: dict[str, list[Memory]] = {"front": [], "workers": [], "all": []}
        for index, process in enumerate(members):
            used = processes.memory(process)
            groups["all"].append(used)
            if process.pid in worker_pids:
                groups["workers"].append(used)
            elif index == 0:
                groups["front"].append(used)
        return {
            name: Memory(sum(m.resident for m in group), sum(m.proportional for m in group))
            for name, group in groups.items()
        }

    def settle(self) -> None:
        """Wait until the server uses no processor time: imports are over in every worker,
        collections done.
        """
        deadline = time.monotonic() + SETTLE_SECONDS
        used = self.processor_seconds()
        while time.monotonic() < deadline:
            time.sleep(0.3)
            before, used = used, self.processor_seconds()
            if used - before <= 0.05:
                return

    def log_lines(self) -> list[str]:
        """All lines that the server has printed so far."""
        return self._log.read_text(errors="replace").splitlines()

    def log_tail(self, lines: int = 6) -> str:
        """The last lines that the server printed."""
        return " | ".join(self.log_lines()[-lines:])

    def wait_until_ready(self) -> None:
        """Wait for any HTTP answer. Raises MeasurementFailed if the server ends or does not answer
        in time.
        """
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                raise MeasurementFailed(
                    f"ended with {self._process.returncode} at start: {self.log_tail()}"
                )
            try:
                call(self.port, "/ready", timeout=2)
            except (OSError, http.client.HTTPException):
                time.sleep(0.05)
            else:
                return
        raise MeasurementFailed(f"did not answer within {START_SECONDS:.0f} s: {self.log_tail()}")

    def stop(self) -> None:
        """SIGTERM, then SIGKILL after a while for whatever of this server is left."""
        members = {process.pid: process for process in self.tree()}
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(STOP_SECONDS)
        # Children that came since, and those whose parent is gone, are still in the session that
        # this bench founded.
        members.update({process.pid: process for process in processes.session(self._process.pid)})
        for process in members.values():
            process.send(signal.SIGKILL)
        self._process.wait(STOP_SECONDS)
        _wait_for(
            lambda: not any(process.is_running() for process in members.values()), STOP_SECONDS
        )


def _wait_for(condition: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def free_port() -> int:
    """A TCP port of the loopback address on which nothing listens now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def clean_environment(directory: Path = APPS) -> dict[str, str]:
    """This process's environment without what would configure a server behind the bench's back;
    Python finds the modules in ``directory``.
    """
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(FOREIGN_VARIABLES)
    }
    for name in ("PORT", "WEB_CONCURRENCY"):
        kept.pop(name, None)
    # An application that asks a server on this machine must not go through a proxy.
    direct = {"NO_PROXY": HOST, "no_proxy": HOST}
    return kept | direct | {"PYTHONPATH": str(directory), "PYTHONDONTWRITEBYTECODE": "1"}


@contextmanager
def started(server: Server, launch: Launch, program: Path, extra: str = "") -> Iterator[Running]:
    """``server``, run from ``program``, ready for requests. ``extra`` holds further arguments."""
    port = free_port()
    arguments = [
        str(program),
        *server.arguments(launch, port),
        *shlex.split(extra),
    ]
    with tempfile.TemporaryDirectory(prefix="andon-bench-") as directory:
        log = Path(directory) / "server.log"
        try:
            with log.open("wb") as output:
                process = subprocess.Popen(
                    arguments,
                    cwd=launch.directory,
                    env=clean_environment(launch.directory),
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
        except OSError as error:
            raise MeasurementFailed(
                f"cannot be started: {error.strerror}: {server.program}"
            ) from error
        running = Running(server, process, port, log)
        try:
            running.wait_until_ready()
            running.settle()
            yield running
        finally:
            running.stop()
