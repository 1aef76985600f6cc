"""The process of a front whose one worker is in this process."""

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from . import hand_over

START_SECONDS = 30.0
STOP_SECONDS = 15.0
LISTENING = re.compile(rb"listening on http://127\.0\.0\.1:([0-9]+)")
# What the console script does, but for the interpreter that runs workers.
COMMAND = "import sys; from andon import _andon; sys.exit(_andon.main(sys.argv[2:], sys.argv[1]))"
OPTIONS = (
    *("--host", "127.0.0.1", "--port", "0", "--workers", "1", "--no-access-log"),
    # The client of the tests has no such limits.
    *("--queue-timeout", "0", "--limit-request-fields", "1000"),
    *("--timeout-graceful-shutdown", "5"),
)


class Front:
    """A started front. Its worker's descriptors are here; it serves when that says `Ready`."""

    def __init__(self) -> None:
        self._scratch = tempfile.TemporaryDirectory(prefix="andon-parity-")
        self._log = Path(self._scratch.name) / "log"
        with contextlib.closing(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)) as listener:
            path = str(Path(self._scratch.name) / "bridge")
            listener.bind(path)
            listener.listen(1)
            self._process = self._launch(path)
            try:
                self._bridge = self._accept(listener)
                _, descriptors, _, _ = socket.recv_fds(self._bridge, 1, 2)
                self.wire, self.memory = descriptors
            except BaseException:
                self._destroy()
                raise

    @property
    def process_id(self) -> int:
        """The process id of the front."""
        return self._process.pid

    def _accept(self, listener: socket.socket) -> socket.socket:
        listener.settimeout(START_SECONDS)
        bridge, _ = listener.accept()
        bridge.settimeout(START_SECONDS)
        return bridge

    def _launch(self, path: str) -> "subprocess.Popen[bytes]":
        worker = Path(self._scratch.name) / "worker"
        worker.write_text(f"#!{sys.executable}\n{Path(hand_over.__file__).read_text()}")
        worker.chmod(0o700)
        with self._log.open("wb") as log:
            return subprocess.Popen(
                [sys.executable, "-c", COMMAND, str(worker), "not:loaded", *OPTIONS],
                env=os.environ | {hand_over.VARIABLE: path},
                cwd=self._scratch.name,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def port(self) -> int:
        """Wait until the front listens, and return its port."""
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end:
            if match := LISTENING.search(self._log.read_bytes()):
                return int(match[1])
            if self._process.poll() is not None:
                break
            time.sleep(0.01)
        raise RuntimeError(f"the front does not listen: {self._log.read_text(errors='replace')}")

    def stop(self) -> None:
        """Have the front send its worker home."""
        self._process.send_signal(signal.SIGTERM)

    def wait(self) -> None:
        """Let the front see that its worker has ended, and wait for its own end."""
        self._bridge.close()
        try:
            self._process.wait(STOP_SECONDS)
        finally:
            self._destroy()

    def _destroy(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(STOP_SECONDS)
        self._scratch.cleanup()
