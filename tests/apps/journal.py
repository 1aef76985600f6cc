"""The application's end of the journal: it records what happened, and waits for gates.

Each record is one `write` to a file opened for appending, so that the lines of several workers
do not mix.
"""

import asyncio
import json
import os
import time
from pathlib import Path
from typing import Any

SCRATCH = Path(os.environ.get("TEST_SCRATCH", "."))
GATE_POLL_SECONDS = 0.005
LONGEST_WAIT_SECONDS = 60.0


def record(event: str, **details: Any) -> None:
    """Append one line to the journal."""
    line = json.dumps({"event": event, "pid": os.getpid(), **details}) + "\n"
    descriptor = os.open(SCRATCH / "journal.jsonl", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        os.write(descriptor, line.encode())
    finally:
        os.close(descriptor)


def is_open(gate: str) -> bool:
    """Whether the test has opened this gate."""
    return (SCRATCH / f"gate-{gate}").exists()


async def wait_for_gate(gate: str) -> None:
    """Wait without holding the event loop."""
    deadline = time.monotonic() + LONGEST_WAIT_SECONDS
    while not is_open(gate):
        if time.monotonic() > deadline:
            raise TimeoutError(f"gate {gate} was never opened")
        await asyncio.sleep(GATE_POLL_SECONDS)


def block_until_gate(gate: str) -> None:
    """Wait and hold the calling thread, whichever it is."""
    deadline = time.monotonic() + LONGEST_WAIT_SECONDS
    while not is_open(gate):
        if time.monotonic() > deadline:
            raise TimeoutError(f"gate {gate} was never opened")
        time.sleep(GATE_POLL_SECONDS)
