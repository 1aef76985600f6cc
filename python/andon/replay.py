"""Replay a record of decisions: ``python -m andon.replay FILE``.

The record is written by ``andon --dispatch-trace FILE``. Exits with 1 where the rule of dispatch
would decide otherwise than the record says.
"""

import argparse
import sys

from andon import _andon


def main() -> int:
    """Replay the record named on the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m andon.replay",
        description="Check that the rule of dispatch predicts every decision of a recorded run.",
    )
    parser.add_argument("file", help="what `andon --dispatch-trace FILE` has written")
    arguments = parser.parse_args()
    try:
        events, placements = _andon.replay(arguments.file)
    except ValueError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f"{placements} placements in {events} events, each as the rule says")
    return 0


if __name__ == "__main__":
    sys.exit(main())
