"""A headless Chromium, driven over its DevTools protocol, so that a test can wait for a text."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from websockets.sync.client import ClientConnection, connect

from tests.support.waiting import wait_until

NAMES = ("chromium", "chromium-browser", "google-chrome-stable")
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--remote-debugging-port=0",
]
START_SECONDS = 60.0
PAGE_SECONDS = 30.0


def installed_browser() -> str:
    """Return the browser's path; without one, skip, or fail where a browser is demanded."""
    path = next(filter(None, map(shutil.which, NAMES)), None)
    if path is not None:
        return path
    message = "NOT TESTED: Chromium is not installed"
    if os.environ.get("ANDON_REQUIRE_BROWSER") == "1":
        pytest.fail(message)
    pytest.skip(message)


class Browser:
    """One browser process with one page; `profile` is an empty folder for it."""

    def __init__(self, profile: Path) -> None:
        self.profile = profile
        self.commands = 0
        self.resources = contextlib.ExitStack()
        self.process = subprocess.Popen(
            [installed_browser(), *FLAGS, f"--user-data-dir={profile}", "about:blank"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            self.page = self._open_page()
        except BaseException:
            self._end()
            raise

    def __enter__(self) -> "Browser":
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def open(self, url: str) -> None:
        """Load a page."""
        self._command("Page.navigate", url=url)

    def wait_for_text(self, text: str) -> None:
        """Wait until the page shows the text."""
        script = "document.body ? document.body.innerText : ''"
        wait_until(lambda: text in self.evaluate(script), f"the page shows {text!r}", PAGE_SECONDS)

    def evaluate(self, script: str) -> Any:
        """Return the value of a JavaScript expression."""
        answer = self._command("Runtime.evaluate", expression=script, returnByValue=True)
        return answer["result"].get("value")

    def _command(self, method: str, **parameters: Any) -> dict[str, Any]:
        self.commands += 1
        command = {"id": self.commands, "method": method, "params": parameters}
        self.page.send(json.dumps(command))
        while True:
            answer = json.loads(self.page.recv(PAGE_SECONDS))
            if answer.get("id") == self.commands:
                assert "error" not in answer, answer
                result: dict[str, Any] = answer["result"]
                return result

    def _open_page(self) -> ClientConnection:
        file = self.profile / "DevToolsActivePort"
        port = wait_until(lambda: _port_in(file), "the browser is up", START_SECONDS)
        request = urllib.request.Request(
            f"http://127.0.0.1:{port}/json/new?about:blank", method="PUT"
        )
        with urllib.request.urlopen(request, timeout=START_SECONDS) as response:
            target = json.load(response)
        return self.resources.enter_context(connect(target["webSocketDebuggerUrl"]))

    def _end(self) -> None:
        self.resources.close()
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(START_SECONDS)


def _port_in(file: Path) -> int | None:
    # The file is there before it is complete: that it has a second line says that the first is.
    lines = file.read_text().splitlines() if file.exists() else []
    return int(lines[0]) if len(lines) > 1 else None
