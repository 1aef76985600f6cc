"""The command line of ``python -m bench``."""

from __future__ import annotations

import argparse
import shlex
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from bench import environment, machine, report, results
from bench.case import Session
from bench.catalogue import CASES
from bench.client import LoadClient
from bench.errors import BenchError, MeasurementFailed
from bench.progress import say
from bench.results import Results
from bench.servers import SERVERS, Server

Selection = dict[str, frozenset[str]]

DESCRIPTION = """
Measure Andon and other ASGI servers side by side. Peers and Andon's newest wheel from target/wheels
are installed in .venv-bench; raw results go to bench/results/ as JSON, and the page
docs/benchmarks.md is written from them with `python -m bench report`.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit code: 0, 1 when something is missing, 2 when asked wrongly,
    130 when stopped.
    """
    options = _parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        if options.command == "list":
            _list()
        elif options.command == "report":
            _report(options.results, options.page)
        else:
            _run(options, shlex.join(sys.argv[1:] if arguments is None else arguments))
    except BenchError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("bench: stopped; what was measured is in the results file", file=sys.stderr)
        return 130
    return 0


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description=DESCRIPTION)
    parser.add_argument(
        "--quick", action="store_true", help="smoke run: short durations, one round"
    )
    parser.add_argument(
        "--only",
        type=_selection,
        default={},
        metavar="CASE[,CASE]",
        help="run these cases; CASE:VARIANT runs a part of one, for example throughput:bare-c32,e1",
    )
    parser.add_argument(
        "--servers",
        type=_servers,
        default=list(SERVERS.values()),
        metavar="A,B",
        help=", ".join(SERVERS),
    )
    parser.add_argument(
        "--rounds",
        type=_rounds,
        help="how often to measure what is measured in rounds: throughput (default: 3), e1 and e4 "
        "(default: 1 and 3); 1 each with --quick",
    )
    parser.add_argument(
        "--into", type=Path, metavar="FILE", help="add to this results file instead of a new one"
    )
    parser.add_argument(
        "--andon-arguments",
        default="",
        metavar="TEXT",
        help="further arguments for `andon`, as one shell word",
    )
    commands = parser.add_subparsers(dest="command", metavar="")
    commands.add_parser("list", help="list cases and servers")
    command = commands.add_parser(
        "report", help="write docs/benchmarks.md and its charts from a results file"
    )
    command.add_argument(
        "results", type=Path, nargs="?", help="default: the newest in bench/results"
    )
    command.add_argument(
        "--page", type=Path, default=report.PAGE, help="default: docs/benchmarks.md"
    )
    return parser


def _selection(text: str) -> Selection:
    chosen: Selection = {}
    for part in text.split(","):
        name, _, variant = part.strip().partition(":")
        if name not in CASES:
            raise argparse.ArgumentTypeError(f"`{name}` is no case; there are {', '.join(CASES)}")
        chosen[name] = chosen.get(name, frozenset()) | ({variant} if variant else frozenset())
    return chosen


def _servers(text: str) -> list[Server]:
    names = [part.strip() for part in text.split(",")]
    for name in names:
        if name not in SERVERS:
            raise argparse.ArgumentTypeError(
                f"`{name}` is no server; there are {', '.join(SERVERS)}"
            )
    return [SERVERS[name] for name in dict.fromkeys(names)]


def _rounds(text: str) -> int:
    rounds = int(text) if text.isdigit() else 0
    if not 1 <= rounds <= 100:
        raise argparse.ArgumentTypeError("must be a number from 1 to 100")
    return rounds


def _list() -> None:
    for case in CASES.values():
        print(f"{case.name:12} {case.title}")
    print(f"\nservers: {', '.join(SERVERS)}")


def _report(file: Path | None, page: Path) -> None:
    source = file or results.newest()
    for path in report.write(results.load(source), page):
        print(path)


def _run(options: argparse.Namespace, command: str) -> None:
    prepared = environment.prepare(with_andon=SERVERS["andon"] in options.servers)
    file = options.into or results.fresh_path()
    measured = _open(file, prepared.versions)
    measured["commands"].append(f"python -m bench {command}".strip())
    for name in CASES:
        if not options.only or name in options.only:
            _run_case(name, options, prepared, measured, file)
    say(f"results are in {file}; `python -m bench report` writes the page")


def _open(file: Path, versions: dict[str, str]) -> Results:
    if not file.exists():
        return results.new(machine.describe(), versions)
    measured = results.load(file)
    known = measured["versions"]
    changed = [name for name in known.keys() & versions.keys() if known[name] != versions[name]]
    if changed and changed != ["andon"]:
        raise BenchError(
            f"`{file}` was measured with other versions of {', '.join(sorted(changed))}\n\n"
            "hint: begin a new file"
        )
    measured["versions"] = {**known, **versions}
    return measured


def _run_case(
    name: str,
    options: argparse.Namespace,
    prepared: environment.Environment,
    measured: Results,
    file: Path,
) -> None:
    session = Session(
        environment=prepared,
        servers=options.servers,
        client=LoadClient(prepared.program("andon-load")),
        quick=options.quick,
        rounds=options.rounds,
        variants=options.only.get(name, frozenset()),
        andon_arguments=options.andon_arguments,
    )
    case = CASES[name]
    say(f"-- {name}: {case.title}")
    started = results.now()
    try:
        case.run(session)
    except MeasurementFailed as error:
        say(f"{name} could not be measured to its end: {error}")
    finally:
        how = {
            "measured_at": started,
            "quick": options.quick,
            "rounds_wanted": options.rounds,
            "wheel": prepared.wheel["sha256"] if prepared.wheel else None,
            "andon_arguments": options.andon_arguments,
        }
        results.add(measured, name, case.labels, [{**row, **how} for row in session.rows])
        results.save(measured, file)
