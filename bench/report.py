"""Writes ``docs/benchmarks.md`` and its charts from a results file, and from nothing else."""

from __future__ import annotations

import inspect
from pathlib import Path

from bench.case import Case, Row
from bench.catalogue import CASES
from bench.environment import ROOT
from bench.results import Results
from bench.tables import is_ours

PAGE = ROOT / "docs" / "benchmarks.md"
PEERS = ("andon", "uvicorn", "gunicorn", "granian", "hypercorn")
APPLICATION = (
    "fastapi",
    "starlette",
    "pydantic",
    "uvloop",
    "httptools",
    "websockets",
    "gunicorn_h1c",
    "python",
    "wrk",
)


def write(results: Results, page: Path = PAGE) -> list[Path]:
    """Write the page and its charts; returns the files."""
    charts = page.parent / page.stem
    charts.mkdir(parents=True, exist_ok=True)
    written = [page]
    sections = [_head(results)]
    for name, case in CASES.items():
        rows = results["cases"].get(name)
        if rows:
            sections.append(_section(case, rows, charts, written))
    page.write_text("\n\n".join(sections) + "\n")
    return written


def _head(results: Results) -> str:
    machine = results["machine"]
    rows = [row for measured in results["cases"].values() for row in measured]
    facts = {
        "When": _times(rows) + " (UTC)",
        "Machine": f"{machine['processor']}, {machine['processors']} processors, "
        f"{machine['memory']} of memory, {machine['system']}; load average at the start "
        f"{machine['load average at start']}",
        "Servers": _versions(results, PEERS),
        "Applications": _versions(results, APPLICATION),
        "How": "client and servers share the machine, all traffic is on the loopback interface. "
        "Access logs are off and uvloop is on for every server; `bench/servers.py` has each "
        "command line",
        "To measure anew": "`make bench`, then `python -m bench report`. These results come from "
        + ", then ".join(f"`{command}`" for command in results["commands"]),
    }
    lines = [
        "# Benchmarks",
        "Written by `python -m bench report` from a results file; do not edit. What each case does "
        "is in `bench/`.",
        "\n".join(f"- **{name}**: {fact}." for name, fact in facts.items()),
        "The machine is noisy, so only numbers side by side in one table can be compared. `p50` "
        "and `p99` are the median and the 99th percentile of latency.",
    ]
    if any(row["quick"] for row in rows):
        lines.append(
            "> **Smoke run**: some of these were measured with `--quick` and prove nothing."
        )
    if len({row["wheel"] for row in rows if is_ours(row)}) > 1:
        lines.append("> Not all of this was measured with the same build of Andon.")
    return "\n\n".join(lines)


def _times(rows: list[Row]) -> str:
    times = sorted({row["measured_at"] for row in rows})
    return " to ".join(dict.fromkeys([times[0], times[-1]])) if times else "never"


def _versions(results: Results, names: tuple[str, ...]) -> str:
    versions = results["versions"]
    return ", ".join(f"{name} {versions[name]}" for name in names if name in versions)


def _section(case: Case, rows: list[Row], charts: Path, written: list[Path]) -> str:
    parts = [f"## {case.title}", _prose(case.text or "")]
    for chart in case.charts(rows):
        file = charts / f"{chart.name}.svg"
        file.write_text(chart.svg)
        written.append(file)
        parts.append(f"![{chart.description}]({charts.name}/{file.name})")
    parts += [table.markdown() for table in case.tables(rows)]
    rounds = sorted({len(row["rounds"]) for row in rows if row.get("rounds")})
    often = f" in {' or '.join(map(str, rounds))} {_plural('round', rounds)}" if rounds else ""
    extra = {row["andon_arguments"] for row in rows if is_ours(row)} - {""}
    given = f" Andon was given `{'`, `'.join(sorted(extra))}` as well." if extra else ""
    anew = f"Anew: `python -m bench --only {case.name}`."
    parts.append(f"Measured {_times(rows)}{often}.{given} {anew}")
    return "\n\n".join(parts)


def _plural(word: str, numbers: list[int]) -> str:
    return word if numbers == [1] else f"{word}s"


def _prose(docstring: str) -> str:
    return inspect.cleandoc(docstring).replace("``", "`")
