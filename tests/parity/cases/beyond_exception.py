"""Exceptions that are no `Exception`, such as cancellations: which dependencies are told of them.

What closes a generator when the garbage is collected is not noted: that has no fixed time.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException

from tests.parity.cases.case import case, get
from tests.parity.generated.prelude import note


class Stop(BaseException):
    """Ends a request."""


async def answering() -> AsyncIterator[None]:
    """Nothing but an `Exception` may leave the application."""
    try:
        yield
    except (Stop, asyncio.CancelledError) as error:
        note("answers", type(error).__name__)
        raise HTTPException(409) from error


def on_thread() -> Iterator[str]:
    try:
        yield "thread"
    except (Stop, asyncio.CancelledError) as error:
        note("thread saw", type(error).__name__)
        raise


async def awaited() -> AsyncIterator[str]:
    try:
        yield "awaited"
    except (Stop, asyncio.CancelledError) as error:
        note("awaited saw", type(error).__name__)
        raise
    finally:
        note("awaited ends")


def swallowing() -> Iterator[str]:
    try:
        yield "swallowing"
    except Stop:
        note("swallowed")


def replacing() -> Iterator[str]:
    try:
        yield "replacing"
    except Stop as error:
        raise HTTPException(418) from error


def entering() -> Iterator[str]:
    note("enters")
    if entering is not None:
        raise Stop
    yield "never"


Thread = Annotated[str, Depends(on_thread)]
Awaited = Annotated[str, Depends(awaited)]
OfFunction = Annotated[str, Depends(on_thread, scope="function")]


def make() -> FastAPI:
    app = FastAPI(dependencies=[Depends(answering)])

    @app.get("/coroutine")
    async def coroutine(awaited: Awaited, thread: Thread) -> None:
        raise Stop

    @app.get("/function")
    def function(thread: Thread, awaited: Awaited) -> None:
        raise Stop

    @app.get("/scope")
    async def scope(thread: OfFunction) -> None:
        raise Stop

    @app.get("/cancelled")
    async def cancelled(thread: Thread) -> None:
        waiting = asyncio.get_running_loop().create_future()
        waiting.cancel()
        await waiting

    _add_ends(app)
    return app


def _add_ends(app: FastAPI) -> None:
    @app.get("/swallowed")
    async def swallowed(one: Annotated[str, Depends(swallowing)]) -> None:
        raise Stop

    @app.get("/replaced")
    async def replaced(one: Thread, two: Annotated[str, Depends(replacing)]) -> None:
        raise Stop

    @app.get("/entering")
    async def never(one: Thread, two: Annotated[str, Depends(entering)]) -> None:
        note("never")


app = make()

CASES = [
    case("from a coroutine", get("/coroutine", 409)),
    case("from a function", get("/function", 409)),
    case("through the scope of the function", get("/scope", 409)),
    case("a cancellation", get("/cancelled", 409)),
    case("one that is swallowed", get("/swallowed", 500, raises="FastAPIError")),
    case("one that is replaced", get("/replaced", 418)),
    case("from a dependency", get("/entering", 409)),
]
