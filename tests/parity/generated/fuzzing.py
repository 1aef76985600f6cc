"""The loop of `make fuzz`: draw an application, send requests, stop at a difference."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Protocol

from tests.parity.generated.driving import Counts, Difference, Refused
from tests.parity.generated.making import make
from tests.parity.generated.requests import draw_request
from tests.parity.generated.shrinking import shrink
from tests.parity.generated.source import module
from tests.parity.generated.specification import Application
from tests.parity.request import Request

REQUESTS_PER_APPLICATION = 500


class Compares(Protocol):
    """Asks both for the same: `Driver` in process, `WireDriver` over sockets."""

    @property
    def counts(self) -> Counts: ...

    @property
    def for_servers(self) -> bool:
        """Whether applications leave out what each server does in its own way."""

    @property
    def most_tries(self) -> int:
        """How often a smaller example may be tried."""

    def accepts(self, request: Request) -> bool: ...

    def close(self) -> None: ...

    def first_difference(self, source: str, requests: Sequence[Request]) -> Difference | None: ...


@dataclass
class Found:
    """A difference, made small if it could be."""

    seed: str
    application: Application
    request: Request
    lines: list[str]
    served_by: str
    # Without the requests that came before, it is not there.
    needs_others: bool

    def text(self) -> str:
        """All that is needed to see it again."""
        lines = [
            f"DIFFERENT, application {self.seed}, {self.served_by}",
            *(f"    {line}" for line in self.lines),
            "\nrequest:",
            f"    {self.request}",
            "\napplication:",
            module(self.application),
        ]
        if self.needs_others:
            lines.append("It needs the requests that came before; nothing was left out.")
        return "\n".join(lines)


@dataclass
class Run:
    """What a run came to."""

    counts: Counts
    applications: int = 0
    # Specifications which FastAPI refuses, such as dependencies whose scopes do not fit.
    refused: int = 0
    seconds: float = 0.0
    found: list[Found] = field(default_factory=list)

    def progress(self) -> str:
        """What was done so far, in a line."""
        requests = self.counts.requests
        return f"{requests} requests, {self.seconds:.0f} s, {len(self.found)} differences"

    def summary(self) -> str:
        """The counts as text for people."""
        counts = self.counts
        rate = counts.requests / self.seconds if self.seconds else 0.0
        lines = [
            f"{counts.requests} requests to {self.applications} applications in "
            f"{self.seconds:.1f} s, {rate:.0f} a second ({self.refused} refused by FastAPI)",
            "status: " + ", ".join(f"{code} {n}" for code, n in sorted(counts.statuses.items())),
            "served by:",
            *(f"  {count:>8}  {reason}" for reason, count in counts.served.most_common()),
        ]
        return "\n".join(lines)


def fuzz(
    driver: Compares,
    requests: int,
    seed: str,
    most_found: int = 1,
    watch: Callable[[Run], None] = lambda run: None,
) -> Run:
    """Send so many requests, or fewer if there are differences.

    After a difference the rest of what was meant for its application is left out. ``watch`` is
    called after each application.
    """
    run = Run(driver.counts)
    begun = time.monotonic()
    try:
        for name in _names(seed):
            left = requests - run.counts.requests
            if left <= 0 or len(run.found) >= most_found:
                break
            _try_application(driver, run, name, min(left, REQUESTS_PER_APPLICATION))
            run.seconds = time.monotonic() - begun
            watch(run)
    finally:
        driver.close()
        run.seconds = time.monotonic() - begun
    return run


def _names(seed: str) -> Iterator[str]:
    number = 0
    while True:
        yield f"{seed}/{number}"
        number += 1


def _try_application(driver: Compares, run: Run, name: str, count: int) -> None:
    random = Random(name)
    application = make(random, driver.for_servers)
    drawn = [draw_request(random, application) for _ in range(count)]
    requests = [request for request in drawn if driver.accepts(request)]
    try:
        difference = driver.first_difference(module(application), requests)
    except Refused:
        run.refused += 1
        return
    run.applications += 1
    if difference is not None:
        small = _small(driver, name, application, difference)
        run.found.append(small)


def _small(
    driver: Compares,
    name: str,
    application: Application,
    difference: Difference,
) -> Found:
    def shows(smaller: Application, request: Request) -> bool:
        if not driver.accepts(request):
            return False
        try:
            return driver.first_difference(module(smaller), [request]) is not None
        except Refused:
            return False

    if not shows(application, difference.request):
        return Found(
            name, application, difference.request, difference.lines, difference.served_by, True
        )
    application, request = shrink(application, difference.request, shows, driver.most_tries)
    again = driver.first_difference(module(application), [request]) or difference
    return Found(name, application, request, again.lines, again.served_by, False)
