"""Gets together what a run needs: tools, the programs in Rust, and ``.venv-bench`` with the peers
and Andon's wheel.

Everything is checked before the first measurement, and what is missing is named with the way to get
it.
"""

from __future__ import annotations

import hashlib
import json
import resource
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.errors import BenchError
from bench.progress import say

ROOT = Path(__file__).resolve().parent.parent
REQUIREMENTS = ROOT / "bench" / "requirements.txt"
VENV = ROOT / ".venv-bench"
BINARIES = VENV / "bin"
STAMP = VENV / "installed.json"
INSTALL_SECONDS = 900
BUILD_SECONDS = 1800
# The packages in Rust that are part of the bench; each has one program of the same name.
PROGRAMS = ("andon-load", "andon-bare-hyper")
WANTED_FILES = 20_000

TOOLS = {
    "wrk": "install it with `apt-get install wrk` (or your system's package of that name)",
    "cargo": "install Rust with https://rustup.rs",
}


@dataclass(frozen=True)
class Environment:
    """What a run works with. ``wheel`` is None when Andon is not measured; ``versions`` are those
    of the packages; ``built`` are the programs in Rust by name.
    """

    built: dict[str, Path]
    versions: dict[str, str]
    wheel: dict[str, str] | None
    open_files: int

    def program(self, name: str) -> Path:
        """Where a program of the bench or of ``.venv-bench`` is."""
        return self.built.get(name, BINARIES / name)


def prepare(with_andon: bool) -> Environment:
    """Check, build and install. Raises BenchError with a hint."""
    for tool, hint in TOOLS.items():
        if shutil.which(tool) is None:
            raise BenchError(f"`{tool}` is not on PATH\n\nhint: {hint}")
    wheel = newest_wheel() if with_andon else None
    open_files = raise_open_files()
    fill_venv(wheel)
    return Environment(
        built=build_programs(),
        versions=installed_versions(),
        wheel=None if wheel is None else {"file": wheel.name, "sha256": digest(wheel)},
        open_files=open_files,
    )


def newest_wheel() -> Path:
    """The wheel that was built last."""
    wheels = list((ROOT / "target" / "wheels").glob("andon-*.whl"))
    if not wheels:
        raise BenchError(
            "there is no wheel of Andon in `target/wheels`\n\n"
            "hint: build it with `make wheel`, or leave Andon out with `--servers uvicorn,granian`"
        )
    return max(wheels, key=lambda wheel: wheel.stat().st_mtime)


def digest(file: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    return hashlib.sha256(file.read_bytes()).hexdigest()


def fill_venv(wheel: Path | None) -> None:
    """Create ``.venv-bench`` and install what changed since the last time."""
    wanted = {"requirements": digest(REQUIREMENTS), "python": sys.version}
    stamp: dict[str, str] = json.loads(STAMP.read_text()) if STAMP.exists() else {}
    python = str(BINARIES / "python")
    if any(stamp.get(name) != value for name, value in wanted.items()):
        say("filling .venv-bench")
        run([sys.executable, "-m", "venv", "--clear", str(VENV)], INSTALL_SECONDS)
        run([python, "-m", "pip", "install", "--quiet", "-r", str(REQUIREMENTS)], INSTALL_SECONDS)
        stamp = wanted
    if wheel is not None and stamp.get("wheel") != digest(wheel):
        say(f"installing {wheel.name}")
        pip = [python, "-m", "pip", "install", "--quiet"]
        # A rebuilt wheel often has the version of the last one, which pip alone would take for the
        # same thing.
        run([*pip, "--force-reinstall", "--no-deps", str(wheel)], INSTALL_SECONDS)
        run([*pip, "-c", str(REQUIREMENTS), str(wheel)], INSTALL_SECONDS)
        stamp = {**stamp, "wheel": digest(wheel)}
    STAMP.write_text(json.dumps(stamp))


def build_programs() -> dict[str, Path]:
    """Build the programs in Rust in release mode and return where cargo put them."""
    say(f"building {' and '.join(PROGRAMS)}")
    output = run(
        [
            *("cargo", "build", "--release", "--manifest-path", str(ROOT / "Cargo.toml")),
            *(part for program in PROGRAMS for part in ("--package", program)),
            *("--message-format", "json-render-diagnostics"),
        ],
        BUILD_SECONDS,
    )
    messages = [json.loads(line) for line in output.splitlines()]
    built = {
        message["target"]["name"]: Path(message["executable"])
        for message in messages
        if message.get("executable")
    }
    for program in PROGRAMS:
        if program not in built:
            raise BenchError(
                f"cargo built no `{program}`\n\nhint: try `cargo build --release -p {program}`"
            )
    return built


def installed_versions() -> dict[str, str]:
    """Name and version of every package in ``.venv-bench``, and of Python and wrk."""
    packages = json.loads(
        run([str(BINARIES / "python"), "-m", "pip", "list", "--format", "json"], 60)
    )
    versions = {package["name"].lower(): package["version"] for package in packages}
    for tool in ("pip", "setuptools"):
        versions.pop(tool, None)
    # `wrk -v` prints its version and usage, and fails.
    text = subprocess.run(
        ["wrk", "-v"], capture_output=True, text=True, timeout=10, check=False
    ).stdout
    versions["wrk"] = text.split()[1] if len(text.split()) > 1 else "unknown"
    versions["python"] = sys.version.split()[0]
    return versions


def raise_open_files() -> int:
    """Allow this process and its children as many open files as they may have, up to what the cases
    need.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    limit = WANTED_FILES if hard == resource.RLIM_INFINITY else min(hard, WANTED_FILES)
    if soft == resource.RLIM_INFINITY or soft >= limit:
        return WANTED_FILES if soft == resource.RLIM_INFINITY else soft
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
    return limit


def run(command: Sequence[str], seconds: float) -> str:
    """Standard output of a command that has to succeed."""
    try:
        result = subprocess.run(
            command, cwd=ROOT, capture_output=True, text=True, timeout=seconds, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise BenchError(f"`{' '.join(command)}` took more than {seconds:.0f} s") from error
    if result.returncode != 0:
        tail = "\n".join(result.stderr.strip().splitlines()[-15:])
        raise BenchError(f"`{' '.join(command)}` failed\n\n{tail}")
    return result.stdout
