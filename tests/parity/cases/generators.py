"""Endpoints that are generators: the order of what happens, what an item may be, how it ends."""

import asyncio
import contextlib
import functools
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator
from typing import Annotated, Any

from fastapi import BackgroundTasks, Depends, FastAPI, HTTPException, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse, PlainTextResponse, StreamingResponse
from fastapi.sse import EventSourceResponse, ServerSentEvent
from pydantic import BaseModel

from tests.parity.cases.case import Case, Step, case, get, send
from tests.parity.generated.prelude import (
    VARIABLE,
    Noted,
    Odd,
    Tree,
    async_background,
    background,
    note,
    where,
)

ITEMS: dict[str, Any] = {
    "none": None,
    "texts": ["é", '"\\\n\x00\x1f\x7f\x80', "\u2028😀", ""],
    "surrogate": "\ud83d",
    "numbers": [0, -1, 2**64, 1.0, 1e-05, 0.1 + 0.2, True],
    "infinite": [float("nan"), {"a": float("-inf")}, (float("inf"),)],
    "nested": {"a": [{}, [], {"b": None}], "_sa_state": 1},
    "keys": {1: 1, None: 2, 2.5: [float("nan")]},
    "model": Tree(name="é", children=[Tree()]),
    "bytes": b"bytes",
    "not-text": b"\xff",
    "object": object(),
}
FAILING_ITEMS = {"not-text": "UnicodeDecodeError", "object": "ValueError"}
EVENTS: list[Any] = [
    {"plain": "é"},
    ServerSentEvent(data="text", event="named", id="7", retry=0),
    ServerSentEvent(data=Tree(children=[Tree()]), comment="one\ntwo\r\nthree"),
    ServerSentEvent(data=[float("nan"), Tree()]),
    ServerSentEvent(raw_data="a\nb\r\nc\rd\n"),
    ServerSentEvent(raw_data="", id=""),
    ServerSentEvent(),
    None,
    "line\nend",
]


class Item(BaseModel):
    number: int = 0
    name: str | None = None


async def opened() -> AsyncIterator[str]:
    note("opened", where())
    VARIABLE.set("opened")
    try:
        yield "opened"
    except BaseException as error:
        note("opened saw", type(error).__name__)
        raise
    finally:
        await asyncio.sleep(0)
        note("opened ends", where())


def on_thread() -> Iterator[str]:
    note("thread", where())
    try:
        yield "thread"
    except BaseException as error:
        note("thread saw", type(error).__name__)
        raise
    finally:
        note("thread ends", where())


Opened = Annotated[str, Depends(opened)]
Thread = Annotated[str, Depends(on_thread)]
ShortOpened = Annotated[str, Depends(opened, scope="function")]
ShortThread = Annotated[str, Depends(on_thread, scope="function")]


@contextlib.contextmanager
def noted() -> Iterator[None]:
    """Around what a generator does."""
    note("begins", where())
    try:
        yield
        note("all")
    except BaseException as error:
        note("generator saw", type(error).__name__)
        raise
    finally:
        # One that was left unfinished is closed in whatever Task.
        note("ends")


async def item(step: Any) -> Any:
    """The item of a step; what is callable is called, and awaited."""
    return (await step()) if callable(step) else step


async def fail() -> None:
    raise Odd("on the way")


async def refuse() -> None:
    raise HTTPException(418, "on the way")


BETWEEN: dict[str, tuple[Any, ...]] = {
    "none": (),
    "some": ({"number": 1}, {"number": 2}),
    "fails": ({"number": 1}, fail),
    "fails-at-once": (fail,),
    "refuses": ({"number": 1}, refuse),
    "wrong": ({"number": 1}, {"number": "x"}),
    "many": tuple({"number": number} for number in range(20)),
}
CLASSES: dict[str, Any] = {
    "lines": None,
    "events": EventSourceResponse,
    "raw": StreamingResponse,
}


class Endless:
    async def __call__(self, start: int = 0) -> AsyncIterator[int]:
        for number in range(start, 3):
            yield number


def partial(step: int, stop: int = 3) -> Iterator[int]:
    yield from range(0, stop, step)


def wrapped(function: Any) -> Any:
    @functools.wraps(function)
    def call(**values: Any) -> Any:
        note("wrapped", values)
        return function(**values)

    return call


def make() -> FastAPI:
    app = FastAPI()

    @app.exception_handler(Odd)
    async def odd(request: Request, error: Odd) -> Response:
        return PlainTextResponse("odd", 409)

    for name, response_class in CLASSES.items():
        _add_ordered(app, name, {"response_class": response_class} if response_class else {})
    _add_items(app)
    _add_answers(app)
    _add_odd(app)
    return app


def _add_ordered(app: FastAPI, name: str, options: Any) -> None:
    def encoded(item: Any) -> Any:
        return f"{item}" if name == "raw" else item

    @app.get(f"/{name}/{{between}}", **options)
    async def on_loop(
        between: str, short: ShortOpened, opened: Opened, tasks: BackgroundTasks
    ) -> AsyncIterable[Any]:
        tasks.add_task(background, "first", 1)
        tasks.add_task(async_background, "second", 2)
        with noted():
            for step in BETWEEN[between]:
                yield encoded(await item(step))

    # Events are gathered while what is short ends: on a thread, either may come first.
    short_end: Any = ShortOpened if name == "events" else ShortThread

    @app.get(f"/{name}-with-threads/{{between}}", **options)
    async def with_threads(
        between: str, thread: Thread, short: short_end, response: Response
    ) -> AsyncIterable[Any]:
        response.headers["x-set"] = "early enough only before the first item"
        with noted():
            for step in BETWEEN[between]:
                yield encoded(await item(step))

    @app.get(f"/{name}-on-thread/{{between}}", **options)
    def on_threads(between: str, opened: Opened, thread: ShortThread) -> Iterable[Any]:
        with noted():
            for step in BETWEEN[between]:
                if step is fail:
                    raise Odd("on the way")
                yield encoded(step)


def _add_items(app: FastAPI) -> None:
    @app.get("/item/{name}")
    async def item_on_loop(name: str):  # type: ignore[no-untyped-def]
        yield ITEMS[name]

    @app.get("/item-on-thread/{name}")
    def item_on_thread(name: str):  # type: ignore[no-untyped-def]
        yield ITEMS[name]

    @app.get("/event", response_class=EventSourceResponse)
    async def event():  # type: ignore[no-untyped-def]
        for each in EVENTS:
            yield each

    @app.get("/event-on-thread", response_class=EventSourceResponse)
    def event_on_thread() -> Iterable[Any]:
        yield from EVENTS

    @app.get("/event-wrong", response_class=EventSourceResponse)
    async def event_wrong() -> AsyncIterable[ServerSentEvent]:
        yield ServerSentEvent(id="a\nb")

    @app.get("/typed/{between}")
    async def typed(between: str) -> AsyncIterable[Item]:
        for step in BETWEEN[between]:
            yield await item(step)

    @app.get("/typed-event/{between}", response_class=EventSourceResponse)
    async def typed_event(between: str) -> AsyncIterable[Item]:
        for step in BETWEEN[between]:
            yield await item(step)

    @app.get("/noted")
    async def noting() -> AsyncIterable[Noted]:
        yield "7"  # type: ignore[misc]

    @app.get(
        "/options",
        response_model_exclude_none=True,
        response_model_exclude={"number"},
        response_model_by_alias=False,
    )
    async def options() -> AsyncIterable[Item]:
        yield Item(number=1)
        yield Item(name="é")


def _add_answers(app: FastAPI) -> None:
    @app.post("/status", status_code=201)
    async def status(number: int, item: Item) -> AsyncIterable[Item]:
        yield item
        yield Item(number=number)

    @app.get("/set-status", response_class=EventSourceResponse, status_code=202)
    async def set_status(response: Response) -> AsyncIterable[int]:
        response.status_code = 299
        yield 1

    @app.get("/headers", response_class=StreamingResponse)
    def headers(response: Response) -> Iterable[Any]:
        yield "late"

    @app.get("/header-by-dependency", dependencies=[Depends(_set_header)])
    async def header_by_dependency() -> AsyncIterable[int]:
        yield 1

    for name, response_class in (
        ("html", HTMLResponse),
        ("json", JSONResponse),
        ("text-stream", _TextStream),
    ):

        @app.get(f"/class/{name}", response_class=response_class)
        async def with_class() -> AsyncIterable[Any]:
            yield "é"
            yield b"b"
            yield memoryview(b"c")

    @app.get("/class/number", response_class=StreamingResponse)
    def number() -> Iterable[Any]:
        yield "first"
        yield 1


async def _set_header(response: Response) -> None:
    response.headers["x-set"] = "yes"
    response.set_cookie("a", "b")
    response.status_code = 203


class _TextStream(StreamingResponse):
    media_type = "text/plain"


def _add_odd(app: FastAPI) -> None:
    app.get("/callable")(Endless())
    app.get("/partial")(functools.partial(partial, 2))
    app.get("/wrapped")(wrapped(Endless().__call__))

    @app.get("/no-generator", response_class=EventSourceResponse)
    async def no_generator() -> Any:
        return [1]

    @app.get("/returns-generator")
    async def returns_generator() -> Any:
        return (number for number in range(3))

    @app.get("/returns-generator-on-thread")
    def returns_generator_on_thread() -> Any:
        return iter([1, 2])

    @app.get("/returns-async-generator", response_model=None)
    async def returns_async_generator() -> Any:
        return Endless()()


app = make()


def _expected(kind: str, between: str, failing_events: int) -> Step:
    # An exception ends the Tasks that gather events as a group.
    group = "ExceptionGroup" if kind.startswith("events") else None
    raises = {
        "fails": group or "RuntimeError",
        "fails-at-once": group or "RuntimeError",
        "refuses": group or "RuntimeError",
    }.get(between)
    status = failing_events if group and raises else 200
    return get(f"/{kind}/{between}", status, raises=raises)


def _left(kind: str, after: int) -> Step:
    # The stream into which events are gathered is closed before the Task that does it.
    raises = "ExceptionGroup" if kind == "events" else None
    return send("GET", f"/{kind}/many", 200, leaves_after=after, raises=raises)


# Not over sockets is what fails before the first piece, or sends none: Andon sends the head with
# the first piece, as ASGI demands; uvicorn sends it before.
def cases(failing_events: int = 200) -> list[Case]:
    """All cases; `failing_events`: the status where events fail before the first has gone."""
    return [
        *(
            case(
                f"{name}{how}: {between}",
                _expected(f"{name}{how}", between, failing_events),
                wire=between == "some" or (name != "events" and between in ("fails", "refuses")),
            )
            for name in CLASSES
            for how in ("", "-with-threads", "-on-thread")
            for between in ("none", "some", "fails", "fails-at-once", "refuses")
            if not (how == "-on-thread" and between == "refuses")
            # What happens first is up to the threads.
            if not (name == "events" and how == "-on-thread")
        ),
        *(
            case(
                f"{name}{how}: the client leaves",
                *(_left(f"{name}{how}", after) for after in (1, 3)),
            )
            for name in CLASSES
            for how in ("", "-with-threads", "-on-thread")
            if not (name == "events" and how)
        ),
        *(
            case(
                f"item: {name}",
                get(f"/item/{name}", raises=FAILING_ITEMS.get(name)),
                get(f"/item-on-thread/{name}", raises=FAILING_ITEMS.get(name)),
                wire=name not in FAILING_ITEMS,
            )
            for name in ITEMS
        ),
        case("events", get("/event"), get("/event-on-thread")),
        case(
            "a wrong event",
            get("/event-wrong", failing_events, raises="ExceptionGroup"),
            wire=False,
        ),
        case("items with a field", get("/typed/some"), get("/typed-event/some"), get("/noted")),
        case("a wrong item", get("/typed/wrong", raises="ResponseValidationError")),
        case(
            "a wrong item as event", get("/typed-event/wrong", raises="ExceptionGroup"), wire=False
        ),
        case("options of the field", get("/options")),
        case(
            "a body and a status",
            send("POST", "/status?number=7", 201, (("content-type", "application/json"),), "{}"),
            send("POST", "/status?number=x", 422, (("content-type", "application/json"),), "{}"),
        ),
        case("a status that is set", get("/set-status", 202), get("/headers")),
        case("headers of a dependency", get("/header-by-dependency", 203)),
        case(
            "a class of text",
            get("/class/text-stream"),
            get("/class/number", raises="AttributeError"),
        ),
        case("classes that take no generator", get("/class/html", 500, raises="AttributeError")),
        case("a class that takes no generator", get("/class/json", 500, raises="TypeError")),
        case("callables", get("/callable?start=1"), get("/partial"), get("/wrapped")),
        case(
            "events of no generator",
            get("/no-generator", failing_events, raises="ExceptionGroup"),
            wire=False,
        ),
        case("returned generators", get("/returns-generator"), get("/returns-generator-on-thread")),
        case("a returned generator", get("/returns-async-generator", 500, raises="ValueError")),
    ]


CASES = cases()
