"""Reads process trees, processor time and memory from ``/proc``.

A process is named by its id and its start time together, so that an id which the kernel gave to
somebody else meanwhile is never measured nor signalled.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Process:
    """A process as it was when its ``stat`` was read."""

    pid: int
    parent: int
    session: int
    start_ticks: int
    processor_seconds: float
    command: str

    def is_running(self) -> bool:
        """Whether this very process still exists and is not just waiting to be reaped."""
        return read(self.pid) is not None and started_at(self.pid) == self.start_ticks

    def send(self, number: signal.Signals) -> None:
        """Signal this very process; nothing happens if it is gone."""
        if self.is_running():
            try:
                os.kill(self.pid, number)
            except ProcessLookupError:
                return


@dataclass(frozen=True)
class Memory:
    """Memory of one process in bytes: resident, and resident with shared pages divided among their
    users.
    """

    resident: int
    proportional: int


def read(pid: int) -> Process | None:
    """The process ``pid``, or None if there is none or it has ended."""
    fields = _stat(pid)
    if fields is None or fields[0] == "Z":
        return None
    try:
        command = (
            Path(f"/proc/{pid}/cmdline")
            .read_bytes()
            .replace(b"\0", b" ")
            .decode(errors="replace")
            .strip()
        )
    except OSError:
        return None
    return Process(
        pid=pid,
        parent=int(fields[1]),
        session=int(fields[3]),
        start_ticks=int(fields[19]),
        processor_seconds=(int(fields[11]) + int(fields[12])) / TICKS_PER_SECOND,
        command=command,
    )


def started_at(pid: int) -> int | None:
    """Start time of ``pid`` in clock ticks since boot."""
    fields = _stat(pid)
    return None if fields is None else int(fields[19])


def _stat(pid: int) -> list[str] | None:
    """Fields of ``/proc/PID/stat`` after the command's name, which may itself hold spaces and
    brackets.
    """
    try:
        text = Path(f"/proc/{pid}/stat").read_text(errors="replace")
    except OSError:
        return None
    return text[text.rindex(")") + 2 :].split()


def everything() -> list[Process]:
    """All processes of the machine."""
    found = (read(int(entry)) for entry in os.listdir("/proc") if entry.isdigit())
    return [process for process in found if process is not None]


def tree(root: int) -> list[Process]:
    """``root`` and all its descendants, parents first."""
    children: dict[int, list[Process]] = {}
    members: list[Process] = []
    for process in everything():
        children.setdefault(process.parent, []).append(process)
        if process.pid == root:
            members.append(process)
    for process in members:
        members.extend(children.get(process.pid, []))
    return members


def session(leader: int) -> list[Process]:
    """All processes of the session that ``leader`` founded, descendants or not."""
    return [process for process in everything() if process.session == leader]


def processor_seconds(members: Iterable[Process]) -> float:
    """Processor time that ``members`` had used when they were read."""
    return sum(process.processor_seconds for process in members)


def memory(process: Process) -> Memory:
    """Memory of ``process``; zero if it is gone."""
    kibibytes = {"Rss": 0, "Pss": 0}
    try:
        for line in Path(f"/proc/{process.pid}/smaps_rollup").read_text().splitlines()[1:]:
            name, _, rest = line.partition(":")
            if name in kibibytes:
                kibibytes[name] = int(rest.split()[0])
    except OSError:
        return Memory(0, 0)
    return Memory(kibibytes["Rss"] * 1024, kibibytes["Pss"] * 1024)
