"""Writes an application whose routes each block their event loop once, in one of six ways, and on a
line that no other route has.

A server may report a place once and then keep quiet about it for a while, so stalls that are to be
counted need places of their own. The stalls case serves what is written here.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

STALL_SECONDS = 0.3
MODULE = "stalling"
HEAD = '''\
"""Routes that block their event loop; written by bench/stall_app.py."""

import json
import threading
import time

import requests
from fastapi import FastAPI

app = FastAPI()
TEXT = "[" + ",".join(["1234567"] * 6_250_000) + "]"
lock = threading.Lock()


def count_for(seconds: float) -> int:
    """How many numbers take about so long to be summed in one call."""
    start = time.perf_counter()
    sum(range(3_000_000))
    return round(3_000_000 * seconds / (time.perf_counter() - start))


def hold_lock(seconds: float) -> None:
    """Let another thread hold the lock for a while from now on."""
    held = threading.Event()

    def hold() -> None:
        with lock:
            held.set()
            time.sleep(seconds)

    threading.Thread(target=hold).start()
    held.wait()


COUNT = count_for(SECONDS)


@app.get("/fast")
async def fast() -> None:
    pass
'''


@dataclass(frozen=True)
class Kind:
    """A way to block: the lines of the handler, of which ``blocks`` is the one that does."""

    title: str
    lines: tuple[str, ...]
    blocks: int = 0


KINDS = {
    "sleep": Kind("`time.sleep`", ("time.sleep(SECONDS)",)),
    "requests": Kind("`requests` to a late server", ("requests.get(LATE, timeout=60)",)),
    "loop": Kind(
        "a loop in Python",
        ("end = time.monotonic() + SECONDS", "while time.monotonic() < end: pass"),
        blocks=1,
    ),
    "native": Kind("a C call that holds the GIL", ("sum(range(COUNT))",)),
    "json": Kind("`json.loads` of 50 MB", ("json.loads(TEXT)",)),
    "lock": Kind(
        "a lock that another thread holds",
        ("hold_lock(SECONDS)", "lock.acquire()", "lock.release()"),
        blocks=1,
    ),
}


@dataclass(frozen=True)
class Place:
    """A route that blocks, and the line of the module on which it does."""

    kind: str
    path: str
    line: int


def write(directory: Path, count: int, late_port: int) -> list[Place]:
    """Write the module into ``directory``, with ``count`` routes; ``late_port`` is that of a late
    server.
    """
    late = f"http://127.0.0.1:{late_port}/?seconds={STALL_SECONDS}"
    constants = f"SECONDS = {STALL_SECONDS}\nLATE = {late!r}\n"
    lines = HEAD.replace("app = FastAPI()\n", f"app = FastAPI()\n{constants}").splitlines()
    places = []
    for number in range(count):
        name = list(KINDS)[number % len(KINDS)]
        kind = KINDS[name]
        lines += ["", "", f'@app.get("/{name}/{number}")', f"async def {name}_{number}() -> None:"]
        places.append(Place(name, f"/{name}/{number}", len(lines) + 1 + kind.blocks))
        lines += [f"    {line}" for line in kind.lines]
    (directory / f"{MODULE}.py").write_text("\n".join(lines) + "\n")
    return places
