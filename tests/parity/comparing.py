"""Compares recordings of two modes offline, and sums up what was served natively and why not."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.parity.exchange import Exchange, Key, Outcome, Recording
from tests.parity.exclusions import BY_DESIGN, NOT_OVER_SOCKETS, UNSTABLE
from tests.parity.face import NATIVE
from tests.parity.loopback.face import ROOT_PATH

# What a route of FastAPI's own is called in a recording.
API_ROUTE = "APIRoute "


@dataclass
class Comparison:
    """What is the same, and what is not."""

    passed_plain: int = 0
    passed_other: int = 0
    outcomes: list[str] = field(default_factory=list)
    compared: int = 0
    unstable: int = 0
    different: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    served: Counter[str] = field(default_factory=Counter)
    served_on_routes: Counter[str] = field(default_factory=Counter)

    @property
    def equal(self) -> int:
        """How many exchanges are the same."""
        return self.compared - len(self.different)

    @property
    def problems(self) -> list[str]:
        """All that may not be."""
        return [*self.outcomes, *self.missing, *self.different]

    @property
    def native_share(self) -> float:
        """Which part was native of what could be, on FastAPI's routes; 0 to 1."""
        total = sum(
            count
            for reason, count in self.served_on_routes.items()
            if not reason.startswith(tuple(BY_DESIGN))
        )
        return self.served_on_routes[NATIVE] / total if total else 0.0


def compare(plain: Recording, other: Recording, *, over_wire: bool = False) -> Comparison:
    """Compare all tests and all exchanges of two recordings of the same files.

    `over_wire`: the other answers have come over a socket.
    """
    result = Comparison()
    result.passed_plain = _passed(plain.outcomes)
    result.passed_other = _passed(other.outcomes)
    _compare_outcomes(plain.outcomes, other.outcomes, result)
    for key in sorted(plain.exchanges.keys() | other.exchanges.keys()):
        pair = plain.exchanges.get(key), other.exchanges.get(key)
        _compare_exchange(key, pair, result, over_wire=over_wire)
    return result


def not_native_over_wire(native: Recording, wire: Recording) -> list[str]:
    """Which exchanges were native in process, but not behind a front, and who served them there."""
    known = {NATIVE, ROOT_PATH, *NOT_OVER_SOCKETS.values()}
    return [
        f"{key[0]} {key[1]} {key[2]} #{key[3]}: {wire.exchanges[key].served_by}"
        for key, exchange in native.exchanges.items()
        if exchange.served_by == NATIVE
        and key in wire.exchanges
        and wire.exchanges[key].served_by not in known
    ]


def summary(face: str, result: Comparison) -> str:
    """The comparison as text for people."""
    lines = [
        f"tests passed plain      {result.passed_plain:>7}",
        f"tests passed {face:<10} {result.passed_other:>7}",
        f"exchanges compared      {result.compared:>7}",
        f"          equal         {result.equal:>7}",
        f"          unstable      {result.unstable:>7}   (not compared; each with its reason)",
        f"native on FastAPI's routes {100 * result.native_share:.1f} %",
        "",
        "served by (all exchanges, on FastAPI's routes; *: not native by design):",
    ]
    for reason, count in result.served.most_common():
        mark = "*" if reason.startswith(tuple(BY_DESIGN)) else " "
        lines.append(f"  {count:>7} {result.served_on_routes[reason]:>7} {mark} {reason}")
    return "\n".join(lines)


def _passed(outcomes: Mapping[str, Outcome]) -> int:
    return sum(outcome.result == "passed" for outcome in outcomes.values())


def _compare_outcomes(
    plain: Mapping[str, Outcome], other: Mapping[str, Outcome], result: Comparison
) -> None:
    for test, outcome in plain.items():
        there = other.get(test)
        if there is None:
            result.outcomes.append(f"{test}: {outcome.result} plainly, was not run otherwise")
        elif there.result != outcome.result:
            result.outcomes.append(
                f"{test}: {outcome.result} plainly, {there.result} otherwise: {there.message}"
            )
    result.outcomes.extend(f"{test}: was not run plainly" for test in other.keys() - plain.keys())


def _compare_exchange(
    key: Key,
    pair: tuple[Exchange | None, Exchange | None],
    result: Comparison,
    *,
    over_wire: bool,
) -> None:
    plain, other = pair
    name = f"{key[0]} {key[1]} {key[2]} #{key[3]}"
    if other is not None:
        result.served[other.served_by] += 1
        if plain is not None and plain.route.startswith(API_ROUTE):
            result.served_on_routes[other.served_by] += 1
    if key[0].startswith(tuple(UNSTABLE)):
        result.unstable += 1
    elif plain is None or other is None:
        result.missing.append(f"{name}: only in one of the recordings")
    else:
        result.compared += 1
        fields = _differing_fields(plain, other, over_wire=over_wire)
        if fields:
            text = "".join(f"\n    {field}" for field in fields)
            result.different.append(f"{name}, {other.served_by}{text}")


def _differing_fields(plain: Exchange, other: Exchange, *, over_wire: bool) -> list[str]:
    one, two = (each.as_carried() if over_wire else each.as_compared() for each in (plain, other))
    return [f"{name}: {one[name]!r} / {two[name]!r}" for name in one if one[name] != two[name]]
