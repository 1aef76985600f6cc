"""Runs ``andon-load`` (``bench/load``) and reads its JSON."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.errors import MeasurementFailed

Report = dict[str, Any]


@dataclass(frozen=True)
class Rate:
    """An open loop: ``rate`` requests per second for ``seconds``, over ``connections`` kept-alive
    connections or, with ``new_connections``, over a new one for each request. ``requests`` bounds
    their number. An answer that takes more than ``timeout`` s from the time at which its request
    was due counts as hung.
    """

    rate: float
    seconds: float
    connections: int = 10
    new_connections: bool = False
    prime: bool = False
    requests: int | None = None
    timeout: float = 30.0
    count_json: str | None = None
    count_header: str | None = None
    interval: float | None = None

    def arguments(self, url: str) -> list[str]:
        """The command line after the program's name."""
        options = [
            *("rate", url, "--rate", str(self.rate), "--duration", str(self.seconds)),
            *("--connections", str(self.connections), "--timeout", str(self.timeout)),
        ]
        options += ["--new-connections"] if self.new_connections else []
        options += ["--prime"] if self.prime else []
        options += ["--requests", str(self.requests)] if self.requests is not None else []
        options += ["--count-json", self.count_json] if self.count_json else []
        options += ["--count-header", self.count_header] if self.count_header else []
        options += ["--interval", str(self.interval)] if self.interval else []
        return options

    def longest(self) -> float:
        """Longest time in s that the client can take."""
        return self.seconds + 2 * self.timeout + 30


def faults(report: Report) -> dict[str, int]:
    """What went wrong in a ``rate`` run by kind: requests without an answer, and error statuses."""
    statuses = report["answers_by_status"].items()
    refused = {f"status {status}": count for status, count in statuses if status >= "400"}
    return {**report["errors_by_kind"], **refused}


class LoadClient:
    """The built client."""

    def __init__(self, program: Path) -> None:
        self._program = program

    def rate(self, url: str, rate: Rate) -> Report:
        """Run an open loop to its end."""
        with self.rate_meanwhile(url, rate) as running:
            return running.report()

    @contextmanager
    def rate_meanwhile(self, url: str, rate: Rate) -> Iterator[RunningClient]:
        """Run an open loop while the experiment does something else."""
        with self._start(rate.arguments(url), rate.longest()) as running:
            yield running

    def websocket(self, url: str, *, connections: int, size: int, seconds: float) -> Report:
        """Echo messages of ``size`` bytes over WebSocket connections."""
        arguments = [
            *("websocket", url, "--connections", str(connections)),
            *("--size", str(size), "--duration", str(seconds)),
        ]
        with self._start(arguments, seconds + 60) as running:
            return running.report()

    @contextmanager
    def idle(self, url: str, connections: int) -> Iterator[RunningClient]:
        """Hold idle connections: ``first_line`` waits until they are open, ``report`` ends it."""
        with self._start(["idle", url, "--connections", str(connections)], 360) as running:
            yield running

    @contextmanager
    def _start(self, arguments: list[str], seconds: float) -> Iterator[RunningClient]:
        process = subprocess.Popen(
            [str(self._program), *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            yield RunningClient(process, seconds)
        finally:
            if process.poll() is None:
                process.kill()
            process.communicate()


class RunningClient:
    """A client that was started; every wait for it is bounded by ``seconds``."""

    def __init__(self, process: subprocess.Popen[str], seconds: float) -> None:
        self._process = process
        self._seconds = seconds

    def first_line(self) -> Report:
        """The first report of a client that prints two; the client bounds its time until then."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise MeasurementFailed("the load client ended early")
        report: Report = json.loads(line)
        return report

    def report(self) -> Report:
        """End the client's standard input, wait for it, and return its last report."""
        try:
            output, errors = self._process.communicate(timeout=self._seconds)
        except subprocess.TimeoutExpired as error:
            raise MeasurementFailed("the load client did not end in time") from error
        if self._process.returncode != 0:
            raise MeasurementFailed(f"the load client failed: {errors.strip()[-300:]}")
        report: Report = json.loads(output.splitlines()[-1])
        return report
