"""Clients which are not Python: curl, and Node.js with the npm package `ws`."""

import shutil
import subprocess
from pathlib import Path

import pytest

CACHE = Path(__file__).parent.parent.parent / ".cache"
WS_VERSION = "8"


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
