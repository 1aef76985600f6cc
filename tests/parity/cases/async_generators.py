"""Dependencies that are asynchronous generators or used like them: all ways to begin and to end."""

import asyncio
import functools
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from typing import Annotated, Any

from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi.responses import JSONResponse

from tests.parity.cases.case import Case, case, get
from tests.parity.generated.prelude import VARIABLE, Odd, note, where


class LikeAGenerator:
    """Has the methods of an asynchronous generator, and is none."""

    def __init__(self, generator: AsyncGenerator[str, None]) -> None:
        self.generator = generator

    def __aiter__(self) -> "LikeAGenerator":
        return self

    def __anext__(self) -> Any:
        note("next", where())
        return self.generator.__anext__()

    def athrow(self, *arguments: Any) -> Any:
        note("throw", getattr(arguments[0], "__name__", type(arguments[0]).__name__))
        return self.generator.athrow(*arguments)

    def aclose(self) -> Any:
        note("close")
        return self.generator.aclose()


async def usual() -> AsyncGenerator[str, None]:
    note("begins", where())
    VARIABLE.set("usual")
    try:
        yield "usual"
    except Exception as error:
        note("saw", type(error).__name__, sys.exc_info()[0])
        raise
    finally:
        note("ends", VARIABLE.get(), sys.exc_info()[0])


async def waiting() -> AsyncIterator[str]:
    await asyncio.sleep(0)
    task = asyncio.current_task()
    try:
        yield "waiting"
    finally:
        await asyncio.sleep(0)
        note("the same Task", task is asyncio.current_task())


async def twice() -> AsyncIterator[str]:
    try:
        yield "once"
        yield "twice"
        note("never reached")
    finally:
        await asyncio.sleep(0)
        note("closed", sys.exc_info()[0])


async def never() -> AsyncIterator[str]:
    note("ends at once")
    if VARIABLE.get() == "never":
        yield "never"


async def refusing() -> AsyncIterator[str]:
    raise HTTPException(403, "refused")
    yield "never"


async def failing() -> AsyncIterator[str]:
    raise Odd("before")
    yield "never"


async def stopping() -> AsyncIterator[str]:
    yield "stopping"
    raise StopAsyncIteration("by itself")


async def failing_late() -> AsyncIterator[str]:
    yield "late"
    raise ValueError("after")


async def replacing() -> AsyncIterator[str]:
    try:
        yield "replacing"
    except ValueError:
        raise HTTPException(409, "replaced") from None


async def going_on() -> AsyncIterator[str]:
    try:
        yield "going on"
    except ValueError:
        yield "after an exception"


class Called:
    """An object that is called."""

    async def __call__(self) -> AsyncIterator[str]:
        yield "called"
        note("called ends")


@functools.wraps(usual)
def like_usual() -> LikeAGenerator:
    return LikeAGenerator(usual())


DEPENDENCIES: dict[str, Callable[..., Any]] = {
    "usual": usual,
    "waiting": waiting,
    "never": never,
    "refusing": refusing,
    "failing": failing,
    "stopping": stopping,
    "failing-late": failing_late,
    "replacing": replacing,
    "going-on": going_on,
    "called": Called(),
    "partial": functools.partial(usual),
    "like": like_usual,
}
if sys.version_info >= (3, 11):
    # Before, contextlib leaves such a generator to the garbage collection, whenever that is.
    DEPENDENCIES["twice"] = twice


def add(app: FastAPI, name: str, dependency: Callable[..., Any], scope: Any) -> None:
    """Add a route that returns what the dependency yields, and one that fails."""
    Yielded = Annotated[str, Depends(dependency, scope=scope)]

    @app.get(f"/{scope}/{name}")
    async def returns(yielded: Yielded) -> str:
        note("endpoint", yielded, VARIABLE.get())
        return yielded

    @app.get(f"/{scope}/{name}/raises")
    async def raises(yielded: Yielded) -> str:
        raise ValueError(yielded)


def make() -> FastAPI:
    """Make the application."""
    app = FastAPI()

    @app.exception_handler(Odd)
    async def odd(request: Request, error: Odd) -> JSONResponse:
        return JSONResponse(str(error), 418)

    for name, dependency in DEPENDENCIES.items():
        for scope in ("function", "request"):
            add(app, name, dependency, scope)
    return app


app = make()

# Of a request that succeeds with the function's scope, with the request's, and of one that fails:
# the status, and the exception with which the application ends.
Outcome = tuple[int, str | None]
USUAL: tuple[Outcome, Outcome, Outcome] = ((200, None), (200, None), (500, "ValueError"))
UNUSUAL: dict[str, tuple[Outcome, Outcome, Outcome]] = {
    "twice": ((500, "RuntimeError"), (200, "RuntimeError"), (500, "ValueError")),
    "never": ((500, "RuntimeError"),) * 3,
    "refusing": ((403, None),) * 3,
    "failing": ((418, None),) * 3,
    "stopping": ((500, "RuntimeError"), (200, "RuntimeError"), (500, "ValueError")),
    "failing-late": ((500, "ValueError"), (200, "ValueError"), (500, "ValueError")),
    "replacing": ((200, None), (200, None), (409, None)),
    "going-on": ((200, None), (200, None), (500, "RuntimeError")),
}


def case_of(name: str, scope: str) -> Case:
    """A request that succeeds and one that fails, with one dependency."""
    *successes, (failed, error) = UNUSUAL.get(name, USUAL)
    status, raised = successes[scope == "request"]
    path = f"/{scope}/{name}"
    return case(
        f"{name} until the end of the {scope}",
        get(path, status, raises=raised),
        get(f"{path}/raises", failed, raises=error),
    )


CASES = [case_of(name, scope) for name in DEPENDENCIES for scope in ("function", "request")]
