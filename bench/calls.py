"""Single HTTP requests, for checks and for experiments that look at each answer.

Load comes from ``wrk`` and from ``andon-load`` (``bench/client.py``), never from here.
"""

from __future__ import annotations

import http.client
import json
import threading
import time
from dataclasses import dataclass
from typing import Any

from bench.errors import MeasurementFailed

HOST = "127.0.0.1"


@dataclass(frozen=True)
class Reply:
    """An answer. ``seconds`` counts from the connection attempt to the last byte; header names are
    in lower case.
    """

    status: int
    headers: dict[str, str]
    body: bytes
    seconds: float

    def json(self) -> Any:
        """The body of a successful answer as JSON. Raises MeasurementFailed for any other."""
        if self.status != 200:
            raise MeasurementFailed(f"answered {self.status}: {self.body[:80]!r}")
        return json.loads(self.body)


def call(
    port: int,
    path: str,
    *,
    timeout: float,
    method: str = "GET",
    body: bytes | None = None,
    headers: dict[str, str] | None = None,
) -> Reply:
    """One request over a new connection. Raises OSError or http.client.HTTPException; each read
    waits ``timeout`` s.
    """
    connection = http.client.HTTPConnection(HOST, port, timeout=timeout)
    start = time.monotonic()
    try:
        connection.request(method, path, body=body, headers=headers or {})
        answer = connection.getresponse()
        content = answer.read()
    finally:
        connection.close()
    names = {name.lower(): value for name, value in answer.getheaders()}
    return Reply(answer.status, names, content, time.monotonic() - start)


class BackgroundCall:
    """A request that runs on a thread of its own while the experiment goes on."""

    def __init__(self, port: int, path: str, *, timeout: float) -> None:
        self.reply: Reply | None = None
        self.error: str | None = None
        self._arguments = (port, path, timeout)
        self._timeout = timeout
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        port, path, timeout = self._arguments
        try:
            self.reply = call(port, path, timeout=timeout)
        except (OSError, http.client.HTTPException) as error:
            self.error = type(error).__name__

    def wait(self) -> Reply | None:
        """The answer, or None when it failed or did not come within the time-out."""
        self._thread.join(self._timeout + 5)
        return self.reply
