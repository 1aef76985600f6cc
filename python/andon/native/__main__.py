"""What ``andon routes`` runs: ``python -m andon.native TARGET`` inspects and writes what it found.

One line of JSON goes to standard output, with ``reason`` and ``description``; what the application
prints while it is imported goes to standard error. The lifespan is not run.
"""

import argparse
import asyncio
import json
import os
import sys

from andon.loading import load
from andon.native.installation import inspect_tested
from andon.reports import describe

EXIT_LOAD = 4


def main() -> int:
    """Inspect the application named on the command line."""
    arguments = _parse()
    answer = os.dup(sys.stdout.fileno())
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    # Some applications ask for the loop while they are imported.
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    try:
        application = load(arguments.target, factory=arguments.factory, app_dir=arguments.app_dir)
    except BaseException as error:
        frames = error.__traceback__
        error.__traceback__ = frames.tb_next if frames is not None else None
        report = describe(f"cannot load `{arguments.target}`", error)
        print(f"error: {report}", file=sys.stderr)
        return EXIT_LOAD
    found = loop.run_until_complete(inspect_tested(application, arguments.native))
    told = {
        "reason": found.reason,
        "middleware": found.stack.names if found.stack is not None else [],
        "middleware_is_native": found.stack is not None
        and bool(found.stack.names)
        and not found.stack.spliced,
        "description": json.loads(found.description.to_json()),
    }
    with os.fdopen(answer, "w") as out:
        print(json.dumps(told), file=out)
    return 0


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m andon.native")
    parser.add_argument("target")
    parser.add_argument("--factory", action="store_true")
    parser.add_argument("--app-dir", default=".")
    parser.add_argument("--native", choices=["auto", "off", "unknown-ok"], default="auto")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
