"""Neighbouring `def` functions in chains with `async def`: what their code can tell of threads."""

import threading
from collections.abc import AsyncIterator, Iterator
from contextvars import ContextVar
from typing import Annotated, Any

import anyio.from_thread
import anyio.to_thread
from fastapi import Depends, FastAPI, HTTPException, Request, Response, Security
from fastapi.security import OAuth2PasswordBearer
from pydantic import BaseModel

from tests.parity.cases.case import case, get, post
from tests.parity.generated.prelude import Noted, note, where

LEFT: ContextVar[str] = ContextVar("left", default="nothing")


class Item(BaseModel):
    name: str
    size: int = 1


def kind() -> str:
    """Where this is, and what the context has: set for who comes after on the same thread."""
    on_loop = threading.current_thread() is threading.main_thread()
    left = LEFT.get()
    LEFT.set("something")
    return f"{'loop' if on_loop else 'thread'}, {left}, {where()}"


async def first() -> AsyncIterator[str]:
    LEFT.set("first")
    note("open first", kind())
    LEFT.set("first")
    try:
        yield "first"
    except BaseException as error:
        note("first seen", type(error).__name__)
        raise
    finally:
        note("close first", kind())


def session(value: Annotated[str, Depends(first)]) -> Iterator[str]:
    note("open session", kind())
    try:
        yield value + " session"
    except Exception as error:
        note("session seen", type(error).__name__, type(error.__context__).__name__)
        raise
    finally:
        note("close session", kind())


def second(value: Annotated[str, Depends(session)]) -> Iterator[str]:
    note("open second", kind())
    yield value + " second"
    note("close second", kind())


def closes(value: Annotated[str, Depends(session)]) -> Iterator[str]:
    """Is closed with the function."""
    try:
        yield value
    finally:
        note("closes", kind())
        if value.endswith("!"):
            raise KeyError("closes")


def user(
    token: Annotated[str, Depends(OAuth2PasswordBearer("token"))],
    value: Annotated[str, Depends(session)],
) -> str:
    note("user", kind())
    if token == "wrong":
        raise HTTPException(403, "wrong")
    if token == "stop":
        raise StopIteration("stop")
    return f"{token} of {value}"


def limited(request: Request, number: int = 1) -> int:
    note("limited", kind())
    return number


async def between(value: Annotated[str, Depends(session)]) -> str:
    note("between", kind())
    return value + " between"


def tokens(value: Annotated[str, Depends(session)]) -> int:
    """Threads that count now."""

    async def count() -> int:
        return int(anyio.to_thread.current_default_thread_limiter().borrowed_tokens)

    counted: int = anyio.from_thread.run(count)
    return counted


Session = Annotated[str, Depends(session)]
Second = Annotated[str, Depends(second)]
User = Annotated[str, Depends(user)]


def passes() -> Iterator[None]:
    try:
        yield
    finally:
        note("passed")


def turns() -> Iterator[None]:
    """Makes of an exception another one, and of that yet another one."""
    try:
        yield
    except Exception as error:
        note("turns", type(error).__name__)
        raise HTTPException(409)  # noqa: B904
    finally:
        raise ValueError("turned")


def make() -> FastAPI:
    app = FastAPI()

    @app.get("/turned")
    def turned(
        number: int,
        _passes: Annotated[None, Depends(passes)],
        _turns: Annotated[None, Depends(turns)],
    ) -> None:
        raise KeyError(number)

    @app.get("/session")
    def plain(value: Session) -> str:
        note("endpoint", kind())
        return value

    @app.get("/two")
    def two(value: Second, number: Annotated[int, Depends(limited)]) -> str:
        note("endpoint", kind(), number)
        return value

    @app.get("/user")
    def with_user(one: User, two: Second, response: Response, number: int = 3) -> dict[str, Any]:
        note("endpoint", kind())
        response.headers["x-number"] = str(number)
        return {"one": one, "two": two, "number": number}

    @app.post("/item")
    def item(item: Item, value: Session) -> Item:
        note("endpoint", kind())
        return item

    @app.post("/noted")
    def noted(value: Session, number: Noted) -> int:
        note("endpoint", kind())
        return number

    @app.get("/asynchronous")
    async def asynchronous(value: Second, number: Annotated[int, Depends(limited)]) -> str:
        note("endpoint", kind())
        return value

    @app.get("/between")
    def in_between(one: Annotated[str, Depends(between)], two: User) -> str:
        return one + two

    @app.get("/fails")
    def fails(value: Second) -> str:
        raise ValueError("fails")

    @app.get("/closes")
    def with_function(value: Annotated[str, Depends(closes, scope="function")]) -> str:
        note("endpoint", kind())
        return value

    @app.get("/stops")
    def stops(value: Session) -> str:
        raise StopIteration("stops")

    @app.get("/refused")
    def refused(value: Session) -> str:
        raise HTTPException(409, value)

    @app.get("/wrong", response_model=int)
    def wrong(value: Session) -> str:
        return value

    @app.get("/secured")
    def secured(
        one: Annotated[str, Security(user, scopes=["a"])], two: Annotated[str, Security(user)]
    ) -> str:
        return one + two

    @app.get("/tokens")
    def counted(one: Annotated[int, Depends(tokens)], value: Session) -> int:
        return one

    return app


app = make()
WRONG = ("authorization", "Bearer wrong")
RIGHT = ("authorization", "Bearer right")
STOP = ("authorization", "Bearer stop")

CASES = [
    case("a session", get("/session"), get("/two?number=2"), get("/two?number=x", 422)),
    case("a user", get("/user", 200, RIGHT), get("/user?number=x", 422, RIGHT)),
    case("no user", get("/user", 401), get("/user", 403, WRONG)),
    case("a user stops", get("/user", 500, STOP, raises="RuntimeError")),
    case("a body", post("/item", 200, '{"name": "a"}'), post("/item", 422, "{}")),
    case("a validator of one's own", post("/noted?number=1", 200, ""), get("/noted", 405)),
    case("an endpoint on the loop", get("/asynchronous"), get("/asynchronous?number=x", 422)),
    case("something between", get("/between", 200, RIGHT), get("/between", 403, WRONG)),
    case("fails", get("/fails", 500, raises="ValueError")),
    case(
        "turned as it closes",
        get("/turned", 500, raises="ValueError"),
        get("/turned?number=1", 500, raises="ValueError"),
    ),
    case("stops", get("/stops", 500, raises="RuntimeError")),
    case("is refused", get("/refused", 409)),
    case("is closed with the function", get("/closes")),
    case("a result that does not fit", get("/wrong", 500, raises="ResponseValidationError")),
    case("scopes", get("/secured", 200, RIGHT), get("/secured", 403, WRONG)),
    case("tokens", get("/tokens"), wire=False),
]
