"""A server that answers late: what an application waits for when it asks somebody else.

It runs on threads of the bench itself, on a loopback address, and waits as long as the query says,
a minute at most.
"""

from __future__ import annotations

import threading
import time
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from bench.calls import HOST

LONGEST_SECONDS = 60.0


class _Late(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        """Answer ``late`` after the ``seconds`` of the query."""
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query)
        time.sleep(min(float(query.get("seconds", ["0"])[0]), LONGEST_SECONDS))
        self.send_response(200)
        self.send_header("content-length", "4")
        self.end_headers()
        self.wfile.write(b"late")

    def log_message(self, format: str, *values: object) -> None:
        """Nobody reads a log of it."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


@contextmanager
def late_server() -> Iterator[int]:
    """The port of a running late server."""
    with _Server((HOST, 0), _Late) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        try:
            yield int(server.server_address[1])
        finally:
            server.shutdown()
