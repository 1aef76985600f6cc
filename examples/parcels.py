"""Parcels: models, dependencies, `def` and `async def` routes, and work after the answer."""

import sqlite3
from collections.abc import Iterator
from enum import Enum
from typing import Annotated

import store
from fastapi import APIRouter, BackgroundTasks, Depends, Header, HTTPException, Query, Response
from pydantic import BaseModel, Field

router = APIRouter(prefix="/parcels", tags=["parcels"])


class State(str, Enum):
    """Where a parcel is."""

    RECEIVED = "received"
    SORTED = "sorted"
    DELIVERED = "delivered"


class NewParcel(BaseModel):
    """What a client sends."""

    recipient: Annotated[str, Field(min_length=1, max_length=100)]
    grams: Annotated[int, Field(gt=0, le=30_000)]


class Parcel(NewParcel):
    """What a client gets."""

    number: int
    state: State


class Page(BaseModel):
    """A part of a list."""

    limit: Annotated[int, Field(ge=1, le=100)] = 20
    offset: Annotated[int, Field(ge=0)] = 0


def database() -> Iterator[sqlite3.Connection]:
    """A connection per request, which commits when the route has succeeded."""
    with store.connection() as opened:
        yield opened


async def clerk(x_clerk: Annotated[str, Header(max_length=50)] = "counter") -> str:
    """Who asks, from the header `X-Clerk`."""
    return x_clerk


# With the scope "function", it commits before the answer is sent, so that whoever has the answer
# finds what it says; FastAPI's default is to go on after `yield` when the answer is out.
Database = Annotated[sqlite3.Connection, Depends(database, scope="function")]
Clerk = Annotated[str, Depends(clerk)]


@router.post("", status_code=201)
def receive(
    new: NewParcel, opened: Database, by: Clerk, tasks: BackgroundTasks, response: Response
) -> Parcel:
    """Take a parcel in; the label is printed after the answer."""
    row = opened.execute(
        "INSERT INTO parcels (recipient, grams, state) VALUES (?, ?, ?) RETURNING *",
        (new.recipient, new.grams, State.RECEIVED),
    ).fetchone()
    record_change(opened, row["number"], State.RECEIVED)
    tasks.add_task(print_label, row["number"])
    response.headers["Location"] = f"/parcels/{row['number']}"
    response.headers["X-Clerk"] = by
    return Parcel.model_validate(dict(row))


@router.get("")
def list_parcels(opened: Database, page: Annotated[Page, Query()]) -> list[Parcel]:
    """Parcels in the order in which they came."""
    rows = opened.execute(
        "SELECT * FROM parcels ORDER BY number LIMIT ? OFFSET ?", (page.limit, page.offset)
    )
    return [Parcel.model_validate(dict(row)) for row in rows]


@router.get("/{number}")
def show(number: int, opened: Database) -> Parcel:
    """One parcel."""
    return find(opened, number)


@router.put("/{number}/state")
def move(number: int, state: State, opened: Database) -> Parcel:
    """Say where a parcel is now."""
    parcel = find(opened, number)
    opened.execute("UPDATE parcels SET state = ? WHERE number = ?", (state, number))
    record_change(opened, number, state)
    return parcel.model_copy(update={"state": state})


@router.get("/{number}/postage")
async def postage(grams: Annotated[int, Query(gt=0)], number: int) -> dict[str, float | int]:
    """What a parcel of this weight costs: an `async def` which never waits."""
    return {"number": number, "grams": grams, "euros": round(3.50 + grams * 0.0012, 2)}


def find(opened: sqlite3.Connection, number: int) -> Parcel:
    """Return the parcel, or raise a 404."""
    row = opened.execute("SELECT * FROM parcels WHERE number = ?", (number,)).fetchone()
    if row is None:
        raise HTTPException(404, f"no parcel {number}")
    return Parcel.model_validate(dict(row))


def record_change(opened: sqlite3.Connection, number: int, state: State) -> None:
    """Remember a change for those who watch."""
    opened.execute("INSERT INTO changes (number, state) VALUES (?, ?)", (number, state))


def print_label(number: int) -> None:
    """Pretend to print; it runs after the answer was sent, on a thread."""
    print(f"label of parcel {number} printed", flush=True)
