"""What a release of FastAPI does otherwise than the newest one."""

import re
from dataclasses import dataclass

# Ahead of all releases, for what has no number.
_NEWEST = (999,)


@dataclass(frozen=True)
class Release:
    """What depends on the release; all of it is `True` for the newest.

    ``keeps_null``: a body or a member of it that is ``null`` is a value, not missing.
    ``validates_by_flag``: a default is validated if ``validate_default`` says so.
    ``has_body_aliases``: members of a body have all aliases that parameters have.
    ``encodes_streams``: the answer to items that are encoded has the status of its route (before
    0.140.13 it is always 200), and floats that are not finite are ``null`` (0.143.3).
    ``routes_by_itself``: it is not Starlette's router that looks for the route of a request.
    ``looks_at_own_form``: a form model is told nothing of what other parameters take.
    ``closes_after_any``: a generator on a thread is closed after any exception, not only after an
    `Exception`.
    ``takes_all_of_form``: a form model gets every value of a name that it does not know.
    """

    keeps_null: bool
    validates_by_flag: bool
    has_body_aliases: bool
    encodes_streams: bool
    routes_by_itself: bool
    looks_at_own_form: bool
    closes_after_any: bool
    takes_all_of_form: bool


def release_of(version: str) -> Release:
    """Return what is known of a release."""
    number = _number(version)
    return Release(
        keeps_null=number >= (0, 151),
        validates_by_flag=number >= (0, 148),
        has_body_aliases=number >= (0, 156, 4),
        encodes_streams=number >= (0, 143, 3),
        routes_by_itself=number >= (0, 138),
        looks_at_own_form=not (0, 158) <= number < (0, 160),
        closes_after_any=number >= (0, 162, 6),
        takes_all_of_form=number >= (0, 163, 2),
    )


def _number(version: str) -> tuple[int, ...]:
    found = re.match(r"\d+(\.\d+)*", version)
    return tuple(map(int, found[0].split("."))) if found else _NEWEST
