"""The results file: everything that was measured, and with what, as JSON.

``cases`` maps a case's name to its rows, each with when and how it was measured. A later run can
add to a file; rows that would share a table with new ones go, so that a table is always from one
run. Times of day are UTC.
"""

from __future__ import annotations

import json
import os
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from bench.errors import BenchError

FORMAT = 1
DIRECTORY = Path(__file__).parent / "results"

Results = dict[str, Any]


def now() -> str:
    """The present, to the second."""
    return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def new(machine: dict[str, str], versions: dict[str, str]) -> Results:
    """Results without cases."""
    return {
        "format": FORMAT,
        "started": now(),
        "commands": [],
        "machine": machine,
        "versions": versions,
        "cases": {},
    }


def load(file: Path) -> Results:
    """Read a results file. Raises BenchError if it is none."""
    try:
        results: Results = json.loads(file.read_text())
    except (OSError, ValueError) as error:
        raise BenchError(f"`{file}` cannot be read: {error}") from error
    if results.get("format") != FORMAT:
        raise BenchError(
            f"`{file}` is not a results file of format {FORMAT}\n\nhint: measure again"
        )
    return results


def add(results: Results, case: str, labels: tuple[str, ...], rows: list[dict[str, Any]]) -> None:
    """Add rows to a case, in the place of those with the same labels."""

    def label(row: dict[str, Any]) -> list[Any]:
        return [row.get(key) for key in labels]

    replaced = [label(row) for row in rows]
    kept = [row for row in results["cases"].get(case, []) if label(row) not in replaced]
    results["cases"][case] = kept + rows


def save(results: Results, file: Path) -> None:
    """Write a results file; one that existed is replaced as a whole or not at all."""
    file.parent.mkdir(parents=True, exist_ok=True)
    fresh = file.with_suffix(".part")
    fresh.write_text(json.dumps(results, indent=1) + "\n")
    os.replace(fresh, file)


def fresh_path() -> Path:
    """Where the results of a run that begins now are kept."""
    return DIRECTORY / f"{now().replace(':', '')}.json"


def newest() -> Path:
    """The newest results file. Raises BenchError if there is none."""
    files = list(DIRECTORY.glob("*.json"))
    if not files:
        raise BenchError("there are no results in `bench/results`\n\nhint: run `make bench` first")
    return max(files, key=lambda file: file.stat().st_mtime)
