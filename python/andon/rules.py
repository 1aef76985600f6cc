"""`route`: what an application says about a route of its own.

The decorator only leaves an attribute on the endpoint, so it does nothing under other servers.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])

ATTRIBUTE = "__andon_route__"

_RUNS = {"loop", "thread", "heavy"}
_PRIORITIES = {"low", "normal", "high"}
_MOST = 1_000_000
_LONGEST = 366 * 24 * 3600


@dataclass(frozen=True)
class Rule:
    """What the front is told of a route; ``timeout`` in seconds, `None`: nothing is said."""

    run: str | None = None
    concurrency: int | None = None
    timeout: float | None = None
    priority: str | None = None


def route(
    *,
    run: Literal["loop", "thread", "heavy"] | None = None,
    concurrency: int | None = None,
    timeout: float | None = None,
    priority: Literal["low", "normal", "high"] | None = None,
) -> Callable[[Endpoint], Endpoint]:
    """Say how Andon is to treat the route of an endpoint; below the framework's own decorator.

    ``run``: on the event loop or on a thread, whatever Andon learns, or in the heavy lane.
    ``concurrency``: how many of its requests may run at once. ``timeout``: seconds that a request
    may take. ``priority``: which requests go first when some have to wait.
    """
    if run is not None and run not in _RUNS:
        raise ValueError(f"run must be one of {sorted(_RUNS)}, not {run!r}")
    if priority is not None and priority not in _PRIORITIES:
        raise ValueError(f"priority must be one of {sorted(_PRIORITIES)}, not {priority!r}")
    if concurrency is not None and not 1 <= concurrency <= _MOST:
        raise ValueError(f"concurrency must be between 1 and {_MOST}, not {concurrency!r}")
    if timeout is not None and not 0 < timeout <= _LONGEST:
        raise ValueError(f"timeout must be above 0 and at most {_LONGEST} seconds, not {timeout!r}")
    rule = Rule(run, concurrency, timeout, priority)

    def mark(endpoint: Endpoint) -> Endpoint:
        setattr(endpoint, ATTRIBUTE, rule)
        return endpoint

    return mark


def rule_of(endpoint: object) -> Rule | None:
    """Return the rule that was left on an endpoint."""
    rule = getattr(endpoint, ATTRIBUTE, None)
    return rule if isinstance(rule, Rule) else None
