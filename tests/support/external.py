"""Clients which are not Python: curl, Node.js with the npm package `ws`, and Chromium."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

CACHE = Path(__file__).parent.parent.parent / ".cache"
WS_VERSION = "8"
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome-stable")
CHROMIUM_FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
BROWSER_SECONDS = 50


def curl(*arguments: str) -> subprocess.CompletedProcess[bytes]:
    """Run curl, and fail where it does."""
    if shutil.which("curl") is None:
        pytest.skip("NOT TESTED: curl is not installed")
    command = ["curl", "--silent", "--show-error", "--max-time", "30", *arguments]
    completed = subprocess.run(command, capture_output=True, timeout=40)
    assert completed.returncode == 0, completed.stderr.decode()
    return completed


def node_with_ws() -> Path:
    """Return a folder in which Node.js finds the package `ws`, installing it the first time."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("NOT TESTED: Node.js and npm are not installed")
    directory = CACHE / f"ws-{WS_VERSION}"
    if not (directory / "node_modules" / "ws").exists():
        directory.mkdir(parents=True, exist_ok=True)
        (directory / "package.json").write_text('{"private": true}\n')
        subprocess.run(
            ["npm", "install", "--no-audit", "--no-fund", "--silent", f"ws@{WS_VERSION}"],
            cwd=directory,
            check=True,
            timeout=120,
        )
    return directory


def run_node(script: str, *arguments: str) -> str:
    """Run a script, with `ws` at hand, and return what it printed."""
    completed = subprocess.run(
        ["node", "-e", script, "--", *arguments],
        cwd=node_with_ws(),
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert completed.returncode == 0, completed.stdout + completed.stderr
    return completed.stdout


def page_after_scripts(url: str, profile: Path, virtual_milliseconds: int) -> str:
    """Return the page's DOM as text once its scripts had so much time, by a headless Chromium."""
    browser = next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)
    if browser is None:
        message = "NOT TESTED: Chromium is not installed"
        if os.environ.get("ANDON_REQUIRE_BROWSER") == "1":
            pytest.fail(message)
        pytest.skip(message)
    completed = subprocess.run(
        [
            browser,
            *CHROMIUM_FLAGS,
            f"--user-data-dir={profile}",
            f"--virtual-time-budget={virtual_milliseconds}",
            "--dump-dom",
            url,
        ],
        capture_output=True,
        text=True,
        timeout=BROWSER_SECONDS,
    )
    assert completed.returncode == 0, completed.stderr
    return completed.stdout
