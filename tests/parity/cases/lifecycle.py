"""What happens in which order: dependencies, endpoint, their ends, the answer, background tasks."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Annotated, Any

from fastapi import BackgroundTasks, Depends, FastAPI, HTTPException, Response
from fastapi.responses import JSONResponse, StreamingResponse

from tests.parity.cases.case import case, get
from tests.parity.generated.prelude import (
    VARIABLE,
    Odd,
    async_background,
    background,
    note,
    where,
)


async def outer() -> AsyncIterator[str]:
    note("outer", where())
    VARIABLE.set("outer")
    try:
        yield "outer"
    except Exception as error:
        note("outer saw", type(error).__name__)
        raise
    finally:
        await asyncio.sleep(0)
        note("outer ends", where())


async def inner(outer: Annotated[str, Depends(outer)]) -> AsyncIterator[str]:
    note("inner", outer)
    try:
        yield "inner"
    finally:
        note("inner ends")


def on_thread() -> Iterator[str]:
    note("thread", where())
    VARIABLE.set("lost")
    try:
        yield "thread"
    except Odd as error:
        note("thread saw", error)
        raise HTTPException(409, "from the thread") from error
    finally:
        note("thread ends", where())


async def swallowing() -> AsyncIterator[None]:
    try:
        yield
    except Exception as error:
        note("swallowed", type(error).__name__)


async def failing_at_end() -> AsyncIterator[None]:
    yield
    raise HTTPException(410, "at the end")


async def without_yield() -> AsyncIterator[None]:
    if asyncio.current_task() is None:
        yield


async def counted() -> int:
    note("counted")
    return 1


Outer = Annotated[str, Depends(outer)]
Inner = Annotated[str, Depends(inner)]
OfFunction = Annotated[str, Depends(inner, scope="function")]
Thread = Annotated[str, Depends(on_thread)]


def make() -> FastAPI:
    app = FastAPI()

    @app.get("/order")
    async def order(inner: Inner, thread: Thread, tasks: BackgroundTasks) -> Any:
        note("endpoint", where())
        tasks.add_task(background, "first", 1)
        tasks.add_task(async_background, "second", 2)
        return [inner, thread]

    @app.get("/order-on-thread")
    def order_on_thread(inner: Inner, thread: Thread, tasks: BackgroundTasks) -> Any:
        note("endpoint", where())
        tasks.add_task(background, "first", 1)
        return [inner, thread]

    @app.get("/raises/{kind}")
    async def raises(kind: str, inner: Inner, thread: Thread) -> None:
        raise {"http": HTTPException(418), "odd": Odd("odd"), "value": ValueError("value")}[kind]

    @app.get("/swallowed", dependencies=[Depends(swallowing)])
    async def swallowed() -> None:
        raise ValueError("lost")

    @app.get("/late", dependencies=[Depends(failing_at_end)])
    async def late() -> str:
        return "sent already"

    @app.get("/early", dependencies=[Depends(failing_at_end, scope="function")])
    async def early() -> str:
        return "not yet sent"

    @app.get("/no-yield", dependencies=[Depends(without_yield)])
    async def no_yield() -> str:
        return "never"

    @app.get("/task-fails")
    async def task_fails(inner: Inner, tasks: BackgroundTasks) -> str:
        tasks.add_task(_fail)
        tasks.add_task(background, "never", 0)
        return "sent"

    _add_more(app)
    return app


def _fail() -> None:
    raise ValueError("in the background")


def _add_more(app: FastAPI) -> None:
    @app.get("/not-json")
    async def not_json(inner: Inner) -> Any:
        return JSONResponse if inner else None

    @app.get("/wrong")
    async def wrong(outer: Outer) -> int:
        return "x"  # type: ignore[return-value]

    @app.get("/cached")
    async def cached(
        one: Annotated[int, Depends(counted)],
        two: Annotated[int, Depends(counted)],
        three: Annotated[int, Depends(counted, use_cache=False)],
        four: Annotated[int, Depends(counted)],
    ) -> list[int]:
        return [one, two, three, four]

    @app.get("/function", dependencies=[Depends(inner, scope="function")])
    async def of_function(response: Response, tasks: BackgroundTasks) -> str:
        response.headers["x-variable"] = VARIABLE.get()
        tasks.add_task(background, "after both", 0)
        return "function"

    @app.get("/streamed")
    async def streamed(inner: Inner) -> StreamingResponse:
        async def pieces() -> AsyncIterator[bytes]:
            for number in range(3):
                note("piece", number, VARIABLE.get())
                yield b"%d" % number

        return StreamingResponse(pieces())

    @app.get("/own-task")
    async def own_task(inner: Inner) -> str:
        async def other() -> str:
            VARIABLE.set("of another Task")
            return VARIABLE.get()

        await asyncio.create_task(other())
        return VARIABLE.get()

    @app.get("/unset")
    async def unset() -> str:
        return VARIABLE.get()


app = make()

CASES = [
    case("dependencies, endpoint, answer, tasks, ends", get("/order"), get("/order-on-thread")),
    case("an exception that they see", get("/raises/http", 418), get("/raises/odd", 409)),
    case("an exception without a handler", get("/raises/value", 500, raises="ValueError")),
    case("one that is swallowed", get("/swallowed", 500, raises="FastAPIError")),
    case("one at the end of the request", get("/late", 200, raises="RuntimeError")),
    case("one at the end of the function", get("/early", 410)),
    case("a generator without a yield", get("/no-yield", 500, raises="RuntimeError")),
    case("a background task that fails", get("/task-fails", 200, raises="ValueError")),
    case("what cannot be encoded", get("/not-json", 500, raises="PydanticSerializationError")),
    case("a wrong result", get("/wrong", 500, raises="ResponseValidationError")),
    case("the cache of a request", get("/cached"), get("/cached")),
    case("ends with the function", get("/function")),
    case("a streamed answer", get("/streamed")),
    case("contexts", get("/own-task"), get("/unset")),
]
