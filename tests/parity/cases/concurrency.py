"""Dependencies of which only so many run at a time."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Annotated, Any

import anyio
from fastapi import Depends, FastAPI, HTTPException

from tests.parity.cases.case import case, get
from tests.parity.generated.prelude import VARIABLE, Odd, note, where


async def awaited(fail: bool = False) -> str:
    note("awaited", where())
    VARIABLE.set("awaited")
    await asyncio.sleep(0)
    if fail:
        raise HTTPException(409, "failed in its turn")
    return "awaited"


def on_thread(odd: bool = False) -> str:
    note("on a thread", where())
    if odd:
        raise Odd("on a thread")
    return "on a thread"


async def opened(fail_inside: bool = False) -> AsyncIterator[str]:
    note("opened", VARIABLE.get())
    if fail_inside:
        raise Odd("opened")
    try:
        yield "opened"
    except Exception as error:
        note("saw", type(error).__name__)
        raise
    finally:
        note("closed", where())


def opened_on_thread() -> Iterator[str]:
    note("opened on a thread", where())
    try:
        yield "opened on a thread"
    except Odd as error:
        raise HTTPException(418, "made of it") from error
    finally:
        note("closed on a thread")


async def in_scope() -> AsyncIterator[None]:
    with anyio.CancelScope():
        yield


async def in_group() -> AsyncIterator[str]:
    async with anyio.create_task_group() as group:
        group.start_soon(asyncio.sleep, 0)
        yield "in a group"


AWAITED = Depends(awaited, max_concurrency=1)
ON_THREAD = Depends(on_thread, max_concurrency=1)
OPENED = Depends(opened, max_concurrency=1)
OPENED_ON_THREAD = Depends(opened_on_thread, max_concurrency=1)
OF_FUNCTION = Depends(opened, max_concurrency=1, scope="function")
GROUP = Depends(in_group, max_concurrency=2)


def make() -> FastAPI:
    app = FastAPI()

    @app.get("/awaited")
    async def waits(value: Annotated[str, AWAITED]) -> Any:
        return [value, VARIABLE.get()]

    @app.get("/def")
    def function(value: Annotated[str, AWAITED], other: Annotated[str, ON_THREAD]) -> Any:
        return [value, other, where()]

    @app.get("/opened")
    async def opens(value: Annotated[str, OPENED], odd: int = 0) -> Any:
        note("endpoint")
        if odd:
            raise Odd("endpoint")
        return value

    @app.get("/thread")
    def opens_on_thread(value: Annotated[str, OPENED_ON_THREAD], odd: int = 0) -> Any:
        if odd:
            raise Odd("endpoint")
        return value

    @app.get("/function")
    async def of_function(
        value: Annotated[str, OF_FUNCTION], other: Annotated[str, OPENED_ON_THREAD]
    ) -> Any:
        return [value, other]

    @app.get("/scoped", dependencies=[Depends(in_scope)])
    async def scoped(
        value: Annotated[str, OPENED],
        other: Annotated[str, OPENED_ON_THREAD],
        third: Annotated[str, GROUP],
    ) -> Any:
        return [value, other, third]

    @app.get("/twice")
    async def twice(value: Annotated[str, AWAITED], same: Annotated[str, AWAITED]) -> Any:
        return [value, same]

    @app.get("/held")
    async def held(
        value: Annotated[str, OPENED], again: Annotated[str, Depends(on_thread, use_cache=False)]
    ) -> Any:
        return [value, again]

    @app.get("/together")
    async def together(
        number: int, value: Annotated[str, AWAITED], opened: Annotated[str, OPENED]
    ) -> Any:
        return [number, value, opened]

    return app


app = make()

CASES = [
    case("awaited", get("/awaited"), get("/awaited?fail=1", 409), get("/awaited")),
    case("on a thread", get("/def"), get("/def?odd=1", 500, raises="Odd"), get("/def")),
    case(
        "a generator holds its turn",
        get("/opened"),
        get("/opened?odd=1", 500, raises="Odd"),
        get("/opened?fail_inside=1", 500, raises="Odd"),
        get("/opened"),
    ),
    case("on a thread, too", get("/thread"), get("/thread?odd=1", 418), get("/thread")),
    case("closed before the answer", get("/function"), get("/function")),
    case("in a cancel scope", get("/scoped"), get("/scoped")),
    case("once for a request", get("/twice"), get("/twice?fail=1", 409), get("/held")),
    case(
        "errors before", get("/together", 422), get("/together?number=1"), get("/opened?odd=x", 422)
    ),
]
