"""Waiting for a condition with a deadline; the only place of the suite which sleeps."""

import time
from collections.abc import Callable
from typing import TypeVar

DEFAULT_SECONDS = 10.0
POLL_SECONDS = 0.01

Value = TypeVar("Value")


def wait_until(
    condition: Callable[[], Value | None],
    what: str,
    seconds: float = DEFAULT_SECONDS,
) -> Value:
    """Return the first truthy value of `condition`, or fail with `what` after `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds:g} s: {what}")
        time.sleep(POLL_SECONDS)


def wait_until_unchanged(
    number: Callable[[], int],
    what: str,
    still_seconds: float = 0.5,
    seconds: float = 20.0,
) -> int:
    """Return the number once it is above zero and stood still for so long.

    It is for things which must come to a halt by themselves, such as a sender whom nobody reads:
    there is no event for "no more", and a server which does not halt runs into the deadline.
    """
    last, since = 0, time.monotonic()

    def stands_still() -> bool:
        nonlocal last, since
        value = number()
        if value != last:
            last, since = value, time.monotonic()
        return value > 0 and time.monotonic() - since > still_seconds

    wait_until(stands_still, what, seconds)
    return last
