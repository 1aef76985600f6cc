"""`python -m tests.parity PART`: compare the native path with plain ASGI."""

import argparse
import asyncio
import logging
import sys
import tempfile
from collections import Counter
from pathlib import Path

from tests.parity import suite, whole
from tests.parity.cases import SUBJECTS, is_in_release, running, subject, wire
from tests.parity.comparing import compare, summary
from tests.parity.environment import PINNED, Releases, test_files
from tests.parity.exclusions import DESELECTED, KNOWN_DIFFERENCES, MASKS, NOT_OVER_SOCKETS, UNSTABLE
from tests.parity.face import FACES, NATIVE, PLAIN, WIRE, native
from tests.parity.generated.driving import Driver
from tests.parity.generated.fuzzing import Run, fuzz
from tests.parity.generated.over_wire import WireDriver
from tests.parity.releases import Trial

SHOWN_PROBLEMS = 50
PROGRESS_SECONDS = 10.0


def main() -> int:
    """Run what was asked for; exit code 1 when there is a difference."""
    parser = argparse.ArgumentParser(prog="python -m tests.parity", description=__doc__)
    commands = parser.add_subparsers(required=True)
    command = commands.add_parser("suite", help="FastAPI's own tests in each mode")
    command.add_argument("files", nargs="*", help="test files, such as tests/test_query.py")
    command.add_argument("--small", action="store_true", help="the selection of `make test`")
    command.add_argument("--face", default=NATIVE, help="what is compared with plain ASGI")
    command.add_argument("--jobs", type=int, default=suite.JOBS, help="processes at a time")
    command.add_argument("--keep", type=Path, help="a new folder for recordings and output")
    command.add_argument(
        "--release", type=Releases.parse, default=PINNED, help="of FastAPI, whose tests are run"
    )
    command.set_defaults(run=_run_suite)
    command = commands.add_parser("fuzz", help="hostile requests to generated applications")
    command.add_argument("--requests", type=int, default=100_000)
    command.add_argument("--seed", default="1")
    command.add_argument("--wire", action="store_true", help="over sockets, beside uvicorn")
    command.add_argument("--differences", type=int, default=1, help="stop after so many")
    command.add_argument("--face", default=NATIVE, choices=FACES, help="compared with plain ASGI")
    command.set_defaults(run=_run_fuzz)
    command = commands.add_parser("cases", help="the hand-written cases")
    command.add_argument("subjects", nargs="*", default=SUBJECTS, help=", ".join(SUBJECTS))
    command.add_argument("--wire", action="store_true", help="over sockets, beside uvicorn")
    command.set_defaults(run=_run_cases)
    command = commands.add_parser("whole", help="all of these, for one Python")
    command.add_argument("--quick", action="store_true", help="a fifth of it")
    command.set_defaults(run=_run_whole)
    command = commands.add_parser("releases", help="whether other releases of FastAPI are the same")
    command.add_argument(
        "releases",
        nargs="+",
        type=Releases.parse,
        help="of FastAPI, such as 0.160.0, or with a Starlette, such as 0.160.0/1.6.0",
    )
    command.add_argument("--requests", type=int, default=20_000, help="of generated applications")
    command.add_argument("--small", action="store_true", help="every fifth file of their tests")
    command.add_argument("--jobs", type=int, default=suite.JOBS, help="processes at a time")
    command.add_argument("--add", metavar="FILE", type=Path, help="gets the digests of the same")
    command.set_defaults(run=_run_releases)
    arguments = parser.parse_args()
    return int(arguments.run(arguments))


def _run_suite(arguments: argparse.Namespace) -> int:
    releases = arguments.release
    everything = test_files if not arguments.small else suite.small_selection
    files = arguments.files or everything(releases.fastapi)
    with tempfile.TemporaryDirectory() as directory:
        scratch = arguments.keep or Path(directory)
        scratch.mkdir(parents=True, exist_ok=True)
        faces = list(dict.fromkeys([PLAIN, arguments.face]))
        recordings = suite.run(faces, files, scratch, arguments.jobs, releases)
    over_wire = arguments.face == WIRE
    result = compare(recordings[PLAIN], recordings[arguments.face], over_wire=over_wire)
    for problem in result.problems[:SHOWN_PROBLEMS]:
        print(f"DIFFERENT {problem}")
    print(summary(arguments.face, result))
    print("\nnot run, or not compared:")
    for name, reason in [*DESELECTED.items(), *UNSTABLE.items(), *NOT_OVER_SOCKETS.items()]:
        print(f"  {name}: {reason}")
    for mask in MASKS:
        print(f"  {mask.tests}: {mask.pattern.pattern}: {mask.reason}")
    return 1 if result.problems else 0


class ProgressEvery:
    """Says now and then, on the standard error, how far a run has come."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._told = 0.0

    def __call__(self, run: Run) -> None:
        if run.seconds >= self._told + self._seconds:
            self._told = run.seconds
            print(run.progress(), file=sys.stderr, flush=True)


def _run_fuzz(arguments: argparse.Namespace) -> int:
    # It warns of every hostile form.
    logging.getLogger("python_multipart").setLevel(logging.CRITICAL)
    driver = WireDriver() if arguments.wire else Driver(FACES[arguments.face])
    tell = ProgressEvery(PROGRESS_SECONDS)
    run = fuzz(driver, arguments.requests, arguments.seed, arguments.differences, tell)
    for found in run.found:
        print(found.text(), end="\n\n")
    print(run.summary())
    return 1 if run.found else 0


def _run_cases(arguments: argparse.Namespace) -> int:
    failed = 0
    served: Counter[str] = Counter()
    subjects = [name for name in arguments.subjects if is_in_release(name)]
    for name in subjects:
        if arguments.wire:
            problems = _wire_problems(name)
        else:
            problems = asyncio.run(_case_problems(name, served))
        for problem in problems:
            print(f"DIFFERENT {name}: {problem}")
        failed += bool(problems)
    for reason, count in served.most_common():
        print(f"  {count:>6}  {reason}")
    print(f"{len(subjects) - failed} of {len(subjects)} subjects are the same")
    return 1 if failed else 0


async def _case_problems(name: str, served: Counter[str]) -> list[str]:
    module = subject(name)

    def count(reason: str) -> None:
        served[reason] += 1

    return [
        f"{case.title}: {line}"
        for case in module.CASES
        if f"{name}: {case.title}" not in KNOWN_DIFFERENCES
        for line in await running.problems(module.make, case, native, count)
    ]


def _wire_problems(name: str) -> list[str]:
    with tempfile.TemporaryDirectory() as directory:
        return wire.problems(name, Path(directory))


def _run_whole(arguments: argparse.Namespace) -> int:
    failed = whole.run(quick=arguments.quick)
    print(f"differs in: {', '.join(failed)}" if failed else "all parts are the same")
    return 1 if failed else 0


def _run_releases(arguments: argparse.Namespace) -> int:
    failed: dict[str, list[str]] = {}
    for releases in arguments.releases:
        with tempfile.TemporaryDirectory() as directory:
            scratch = Path(directory) / "trial"
            trial = Trial(releases, arguments.requests, arguments.small, scratch, arguments.jobs)
            trial.run()
            failed[str(releases)] = trial.failed
            if arguments.add is not None and not trial.failed:
                trial.add_digests(arguments.add.absolute())
    for name, parts in failed.items():
        print(f"{name}: {'differs in ' + ', '.join(parts) if parts else 'the same'}")
    return 1 if any(failed.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
