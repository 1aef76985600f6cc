"""Progress on standard error, so that standard output stays free for results."""

import sys
import time


def say(message: str) -> None:
    """Print one line of progress with the time of day."""
    print(f"[{time.strftime('%H:%M:%S')}] {message}", file=sys.stderr, flush=True)
