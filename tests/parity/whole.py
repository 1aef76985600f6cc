"""All parts of the parity suite, one after the other: what each supported Python must pass."""

import subprocess
import sys

PARTS = (
    ("suite",),
    ("suite", "--face", "wire"),
    ("cases",),
    ("cases", "--wire"),
    ("fuzz", "--requests", "20000"),
    ("fuzz", "--wire", "--requests", "3000"),
)
# In the quick form: every fifth file of FastAPI's tests, and a fifth of the requests.
QUICK_PARTS = (
    ("suite", "--small"),
    ("suite", "--small", "--face", "wire"),
    ("cases",),
    ("cases", "--wire"),
    ("fuzz", "--requests", "4000"),
    ("fuzz", "--wire", "--requests", "600"),
)


def run(*, quick: bool) -> list[str]:
    """Run all parts, each in a process of its own, and return the names of those that differ."""
    failed = []
    for part in QUICK_PARTS if quick else PARTS:
        name = " ".join(part)
        print(f"== Python {sys.version.split()[0]}: {name}", flush=True)
        command = [sys.executable, "-W", "ignore", "-m", "tests.parity", *part]
        if subprocess.run(command, stdin=subprocess.DEVNULL).returncode != 0:
            failed.append(name)
    return failed
