"""Facts about processes from /proc: who is whose child, and how much memory each holds."""

from pathlib import Path

PROC = Path("/proc")


def child_processes(parent: int) -> list[int]:
    """Return the direct children of a process which are not zombies."""
    children = []
    for entry in PROC.iterdir():
        if entry.name.isdigit() and _parent_of(int(entry.name)) == parent:
            children.append(int(entry.name))
    return children


def command_line(process: int) -> str:
    """Return the process's arguments; empty when it is gone."""
    try:
        return (PROC / str(process) / "cmdline").read_bytes().replace(b"\0", b" ").decode()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def resident_bytes(process: int) -> int:
    """Return the process's resident set size now."""
    return _status_kibibytes(process, "VmRSS") * 1024


def peak_resident_bytes(process: int) -> int:
    """Return the largest resident set size the process ever had."""
    return _status_kibibytes(process, "VmHWM") * 1024


def is_running(process: int) -> bool:
    """Whether the process exists and is not a zombie."""
    return _parent_of(process) is not None


def _status_kibibytes(process: int, key: str) -> int:
    for line in (PROC / str(process) / "status").read_text().splitlines():
        if line.startswith(key + ":"):
            return int(line.split()[1])
    raise LookupError(f"{key} of {process}")


def _parent_of(process: int) -> int | None:
    try:
        stat = (PROC / str(process) / "stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The second field, the name in brackets, may itself hold spaces and brackets.
    state, parent = stat.rpartition(")")[2].split()[:2]
    return None if state in "ZX" else int(parent)
