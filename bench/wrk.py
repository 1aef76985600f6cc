"""Runs ``wrk`` and reads its result, through a Lua script that only prints at the end."""

from __future__ import annotations

import json
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.errors import MeasurementFailed

REPORT = """
done = function(summary, latency, requests)
  local e = summary.errors
  io.write(string.format(
    'RESULT {"requests":%d,"duration_us":%d,"bytes":%d,"connect":%d,"read":%d,"write":%d,' ..
    '"status":%d,"timeout":%d,"p50_us":%d,"p90_us":%d,"p99_us":%d,"max_us":%d}\\n',
    summary.requests, summary.duration, summary.bytes, e.connect, e.read, e.write,
    e.status, e.timeout,
    latency:percentile(50), latency:percentile(90), latency:percentile(99), latency.max))
end
"""


@dataclass(frozen=True)
class Request:
    """What ``wrk`` sends again and again."""

    path: str
    method: str = "GET"
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)

    def script(self) -> str:
        """The Lua script for this request. JSON strings of ASCII text are Lua strings too."""
        lines = [f"wrk.method = {json.dumps(self.method)}"]
        if self.body:
            lines.append(f"wrk.body = {json.dumps(self.body.decode('ascii'))}")
        lines += [
            f"wrk.headers[{json.dumps(k)}] = {json.dumps(v)}" for k, v in self.headers.items()
        ]
        return "\n".join(lines) + REPORT


@dataclass(frozen=True)
class Result:
    """One run of ``wrk``; only answers without an error status count as requests per second.
    ``errors`` counts by kind: connect, read, write, timeout, and status (not 2xx or 3xx).
    """

    requests_per_second: float
    bytes_per_second: float
    requests: int
    p50_ms: float
    p90_ms: float
    p99_ms: float
    max_ms: float
    errors: dict[str, int]

    def failed(self) -> int:
        """Exchanges that failed or were answered with an error status."""
        return sum(self.errors.values())

    def record(self) -> dict[str, Any]:
        """All numbers, for the results file."""
        return dict(vars(self))


def measure(
    url: str,
    request: Request,
    *,
    connections: int,
    seconds: float,
    timeout: float = 10.0,
    error_wanted: bool = False,
) -> Result:
    """Load ``url`` for ``seconds`` with one thread. ``timeout`` is the time in s after which an
    answer counts as lost. With ``error_wanted`` the right answer has an error status, and counts.
    """
    with tempfile.TemporaryDirectory(prefix="andon-bench-") as directory:
        script = Path(directory) / "request.lua"
        script.write_text(request.script())
        command = [
            *("wrk", "--threads", "1", "--connections", str(connections)),
            *(
                "--duration",
                f"{max(1, round(seconds))}s",
                "--timeout",
                f"{max(1, round(timeout))}s",
            ),
            *("--script", str(script), url),
        ]
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, timeout=seconds + timeout + 30, check=False
            )
        except subprocess.TimeoutExpired as error:
            raise MeasurementFailed("wrk did not end in time") from error
    for line in done.stdout.splitlines():
        if line.startswith("RESULT "):
            numbers = json.loads(line.removeprefix("RESULT "))
            if error_wanted:
                numbers["status"] = numbers["requests"] - numbers["status"]
            return _read(numbers)
    raise MeasurementFailed(f"wrk failed: {(done.stderr or done.stdout).strip()[-200:]}")


def _read(numbers: dict[str, int]) -> Result:
    seconds = numbers["duration_us"] / 1e6
    return Result(
        requests_per_second=(numbers["requests"] - numbers["status"]) / seconds,
        bytes_per_second=numbers["bytes"] / seconds,
        requests=numbers["requests"],
        p50_ms=numbers["p50_us"] / 1e3,
        p90_ms=numbers["p90_us"] / 1e3,
        p99_ms=numbers["p99_us"] / 1e3,
        max_ms=numbers["max_us"] / 1e3,
        errors={kind: numbers[kind] for kind in ("connect", "read", "write", "status", "timeout")},
    )
