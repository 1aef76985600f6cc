"""`python -m tests.compliance {asgi,frameworks,wire}`: run the suites and print a table."""

import argparse
import sys
import tempfile
from pathlib import Path

from tests.compliance.exceptions import ACCEPTED_FAILURES, DESELECTED
from tests.compliance.upstream import ASGI_SUITE, FRAMEWORKS, Report, run_asgi, run_framework
from tests.compliance.wire import Limits, chunkings, wire_files
from tests.compliance.wire_check import ECHO_APPLICATION, invalid_problem, valid_problem
from tests.compliance.wire_differences import INVALID, VALID
from tests.support import AndonServer


def main() -> int:
    """Run what was asked for; exit code 1 when something failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.compliance", description=__doc__)
    parser.add_argument("suite", choices=["asgi", "frameworks", "wire"])
    parser.add_argument("--framework", choices=FRAMEWORKS, help="only this one")
    parser.add_argument("--verbose", action="store_true", help="print the suites' own output")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        scratch = Path(directory)
        if arguments.suite == "wire":
            return _run_wire(scratch)
        if arguments.suite == "asgi":
            reports = [run_asgi(scratch)]
        else:
            names = [arguments.framework] if arguments.framework else list(FRAMEWORKS)
            reports = [run_framework(name, scratch / name) for name in names]
    return _print_reports(reports, arguments.verbose)


def _print_reports(reports: list[Report], verbose: bool) -> int:
    for report in reports:
        if verbose:
            print(report.output)
        for outcome in report.unexpected_failures:
            print(f"FAILED {report.suite}: {outcome.name}\n    {outcome.message}")
    print(f"{'suite':<12} {'passed':>7} {'failed':>7} {'skipped':>8}")
    for report in reports:
        counts = [report.count(result) for result in ("passed", "failed", "skipped")]
        print(f"{report.suite:<12} {counts[0]:>7} {counts[1]:>7} {counts[2]:>8}")
    if any(report.suite == ASGI_SUITE for report in reports):
        print("\nnot run:")
        for part, reason in DESELECTED.items():
            print(f"  {part}: {reason}")
    for part, reason in ACCEPTED_FAILURES.items():
        print(f"  {part} may fail: {reason}")
    return 1 if any(report.unexpected_failures for report in reports) else 0


def _run_wire(scratch: Path) -> int:
    servers: dict[Limits, AndonServer] = {}
    failed = 0
    try:
        for folder, check in (("valid", valid_problem), ("invalid", invalid_problem)):
            files = list(wire_files(folder))
            passed = 0
            for file in files:
                if file.limits not in servers:
                    server = AndonServer(
                        ECHO_APPLICATION,
                        *("--workers", "1", *file.limits.options),
                        scratch=scratch / str(len(servers)),
                    )
                    servers[file.limits] = server
                    server.start()
                problems = [
                    f"{chunking}: {problem}"
                    for chunking, parts in chunkings(file.data).items()
                    if (problem := check(servers[file.limits], file, parts))
                ]
                passed += not problems
                for problem in problems:
                    print(f"FAILED {folder}/{file.name} {problem}")
            failed += len(files) - passed
            print(f"{folder:<8} {passed} of {len(files)} files in {len(chunkings(b'x'))} chunkings")
    finally:
        for server in servers.values():
            server.destroy()
    print("\naccepted differences:")
    for name, difference in [*VALID.items(), *INVALID.items()]:
        print(f"  {name}: {type(difference).__name__.lower()}: {difference.reason}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
