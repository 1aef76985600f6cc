"""Applications under middleware that is any ASGI application, which runs as it is."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Annotated, Any

import anyio
from fastapi import BackgroundTasks, Depends, FastAPI, HTTPException, Request
from itsdangerous import TimestampSigner
from starlette.middleware.sessions import SessionMiddleware
from starlette.responses import PlainTextResponse

from tests.parity.cases.case import JSON, case, get, post
from tests.parity.generated.prelude import VARIABLE, note, where

ASKED = b"x-do"
# Not in every scope; FastAPI's own cancel scopes are those that native routes do not need.
UNCOMPARED = ("client", "server", "state", "fastapi_async_cleanup_scopes")


class Steady(TimestampSigner):
    """Writes the same time into every cookie."""

    def get_timestamp(self) -> int:
        return 0


class Session(SessionMiddleware):
    """Sessions of which cookies do not differ from second to second."""

    def __init__(self, app: Any) -> None:
        super().__init__(app, secret_key="secret", max_age=None)
        self.signer = Steady("secret")


class Changing:
    """Does what a header of the request asks for."""

    def __init__(self, app: Any) -> None:
        # Not under the name that all others use.
        self._inner = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self._inner(scope, receive, send)
            return
        asked = dict(scope["headers"]).get(ASKED, b"").decode()
        note("before", asked, where())
        VARIABLE.set("middleware")
        change = getattr(self, f"_{asked}", self._nothing)
        await change(scope, receive, send)
        left = sorted(key for key in scope if key not in UNCOMPARED)
        note("after", VARIABLE.get(), left, scope.get("path_params"))
        if "route" in scope:
            note("route", scope["route"].path, scope["endpoint"].__name__)

    async def _nothing(self, scope: Any, receive: Any, send: Any) -> None:
        await self._inner(scope, receive, send)

    async def _path(self, scope: Any, receive: Any, send: Any) -> None:
        await self._inner({**scope, "path": "/item/7", "raw_path": b"/item/7"}, receive, send)

    async def _root_path(self, scope: Any, receive: Any, send: Any) -> None:
        scope["root_path"] = "/api"
        scope["path"] = "/api" + scope["path"]
        await self._inner(scope, receive, send)

    async def _query(self, scope: Any, receive: Any, send: Any) -> None:
        scope["query_string"] = b"number=5&number=6"
        await self._inner(scope, receive, send)

    async def _headers(self, scope: Any, receive: Any, send: Any) -> None:
        scope["headers"] = [*scope["headers"], (b"x-token", b"put"), (b"X-Token", b"ignored")]
        await self._inner(scope, receive, send)

    async def _lists(self, scope: Any, receive: Any, send: Any) -> None:
        scope["headers"] = tuple([name, value] for name, value in scope["headers"])
        await self._inner(scope, receive, send)

    async def _method(self, scope: Any, receive: Any, send: Any) -> None:
        scope["method"] = "POST"
        await self._inner(scope, receive, send)

    async def _parameters(self, scope: Any, receive: Any, send: Any) -> None:
        scope["path_params"] = {"before": 1}
        await self._inner(scope, receive, send)

    async def _key(self, scope: Any, receive: Any, send: Any) -> None:
        scope["extra"] = "extra"
        scope["state"]["user"] = "u"
        await self._inner(scope, receive, send)

    async def _body(self, scope: Any, receive: Any, send: Any) -> None:
        async def doubled() -> Any:
            message = await receive()
            note("received", message["type"])
            return {**message, "body": b'{"a": 2}'}

        await self._inner(scope, doubled, send)

    async def _slow(self, scope: Any, receive: Any, send: Any) -> None:
        async def slow(message: Any) -> None:
            await asyncio.sleep(0)
            note("sends", message["type"])
            await send(message)

        await self._inner(scope, receive, slow)

    async def _refuse(self, scope: Any, receive: Any, send: Any) -> None:
        async def refuse(message: Any) -> None:
            raise OSError("the client is gone")

        await self._inner(scope, receive, refuse)

    async def _answer(self, scope: Any, receive: Any, send: Any) -> None:
        await PlainTextResponse("mine", 203)(scope, receive, send)

    async def _raise(self, scope: Any, receive: Any, send: Any) -> None:
        raise HTTPException(418, "nobody handles it here")

    async def _catch(self, scope: Any, receive: Any, send: Any) -> None:
        try:
            await self._inner(scope, receive, send)
        except ValueError as error:
            note("caught", error)
            await PlainTextResponse("caught", 500)(scope, receive, send)

    async def _scope(self, scope: Any, receive: Any, send: Any) -> None:
        with anyio.move_on_after(10) as inside:
            await self._inner(scope, receive, send)
        note("cancelled", inside.cancelled_caught)

    async def _deadline(self, scope: Any, receive: Any, send: Any) -> None:
        # Too little for what waits for longer, more than enough for all else.
        with anyio.move_on_after(0.05 if scope["path"] == "/waits-longer" else 30):
            await self._inner(scope, receive, send)
            return
        await PlainTextResponse("too late", 504)(scope, receive, send)

    async def _task(self, scope: Any, receive: Any, send: Any) -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(self._inner, scope, receive, send)

    async def _twice(self, scope: Any, receive: Any, send: Any) -> None:
        async def nowhere(message: Any) -> None:
            note("first", message["type"])

        await self._inner(dict(scope), receive, nowhere)
        await self._inner(dict(scope), receive, send)


def counting(app: Any) -> Any:
    """A middleware that is a function."""

    async def counted(scope: Any, receive: Any, send: Any) -> None:
        async def marked(message: Any) -> None:
            if message["type"] == "http.response.start":
                message["headers"].append((b"x-counted", b"%d" % len(message["headers"])))
            await send(message)

        await app(scope, receive, marked)

    return counted


async def opened() -> AsyncIterator[str]:
    note("open", where())
    VARIABLE.set("dependency")
    try:
        yield VARIABLE.get()
    except Exception as error:
        note("seen", type(error).__name__)
        raise
    finally:
        note("close", VARIABLE.get())


def on_thread() -> Iterator[str]:
    note("open on a thread", VARIABLE.get())
    yield "thread"
    note("close on a thread")


class OwnError(Exception):
    """Has a handler."""


def make() -> FastAPI:
    app = FastAPI()

    @app.get("/item/{item_id}")
    @app.post("/item/{item_id}")
    async def item(request: Request, item_id: int) -> dict[str, Any]:
        note("endpoint", where())
        own = {key: request.scope.get(key) for key in ("extra", "root_path", "path", "path_params")}
        return {"item": item_id, "variable": VARIABLE.get(), **own, "user": request.state._state}

    @app.get("/query")
    async def query(number: int, token: Annotated[str | None, Depends(lambda: None)]) -> int:
        return number

    @app.get("/header")
    async def header(request: Request) -> list[str]:
        return request.headers.getlist("x-token")

    @app.post("/body")
    def body(value: dict[str, int], opened: Annotated[str, Depends(on_thread)]) -> dict[str, Any]:
        note("endpoint", VARIABLE.get())
        return {**value, "opened": opened}

    @app.get("/opened")
    async def with_opened(
        value: Annotated[str, Depends(opened)], tasks: BackgroundTasks, fail: bool = False
    ) -> str:
        tasks.add_task(note, "background")
        if fail:
            raise ValueError("fails")
        return value

    @app.get("/waits-longer")
    async def waits_longer(value: Annotated[str, Depends(opened)]) -> str:
        await anyio.sleep(60)
        return value

    @app.get("/fails")
    def fails() -> None:
        raise ValueError("fails")

    @app.get("/handled")
    async def handled() -> None:
        raise OwnError("handled")

    @app.get("/http")
    async def http() -> None:
        raise HTTPException(418, headers={"x-own": "1"})

    @app.get("/session")
    async def session(request: Request) -> dict[str, Any]:
        request.session["count"] = request.session.get("count", 0) + 1
        return dict(request.session)

    @app.exception_handler(OwnError)
    async def on_own(request: Request, error: OwnError) -> PlainTextResponse:
        note("handler", request.url.path)
        return PlainTextResponse(str(error), 409)

    app.add_middleware(Changing)
    app.add_middleware(counting)
    app.add_middleware(Session)
    return app


app = make()


def do(what: str) -> tuple[str, str]:
    """The header that asks for it."""
    return (ASKED.decode(), what)


def rebuild(app: FastAPI) -> None:
    app.middleware_stack = app.build_middleware_stack()


def add_route(app: FastAPI) -> None:
    @app.get("/added")
    async def added() -> str:
        return "added"


def override(app: FastAPI) -> None:
    app.dependency_overrides[opened] = lambda: "overridden"


CASES = [
    case("as they are", get("/item/1"), post("/body", 200, '{"a": 1}'), get("/opened")),
    case("the path", get("/nothing", 200, do("path")), get("/item/x", 200, do("path"))),
    case("the root path", get("/item/1", 200, do("root_path"))),
    case("the query", get("/query?number=x", 200, do("query")), get("/query?number=x", 422)),
    case("headers", get("/header", 200, do("headers")), get("/header", 200, do("lists"))),
    case("the method", get("/item/1", 200, do("method"))),
    case("what the router leaves", get("/item/1", 200, do("parameters"))),
    case("more keys", get("/item/1", 200, do("key"))),
    case("the body", post("/body", 200, "{}", JSON, do("body"))),
    case("a slow send", get("/item/1", 200, do("slow")), get("/opened", 200, do("slow"))),
    case("a send that fails", get("/opened", 500, do("refuse"), raises="OSError"), wire=False),
    case("an answer of its own", get("/item/1", 203, do("answer"))),
    case("an exception of its own", get("/item/1", 500, do("raise"), raises="HTTPException")),
    case("catches", get("/fails", 500, do("catch")), get("/opened?fail=1", 500, do("catch"))),
    case("does not catch", get("/fails", 500, raises="ValueError")),
    case("fails after it was opened", get("/opened?fail=1", 500, raises="ValueError")),
    case("handlers", get("/handled", 409), get("/http", 418), get("/absent", 404)),
    case("a cancel scope", get("/opened", 200, do("scope")), post("/body", 422, "[]", do("scope"))),
    case(
        "a deadline", get("/waits-longer", 504, do("deadline")), get("/item/1", 200, do("deadline"))
    ),
    case("a task", get("/opened", 200, do("task")), post("/body", 200, "{}", JSON, do("task"))),
    case("called twice", get("/opened", 200, do("twice")), get("/item/1", 200, do("twice"))),
    case("a stack that was built anew", get("/opened"), rebuild, get("/opened"), get("/item/1")),
    case("a route that was added", get("/item/1"), add_route, get("/added"), get("/item/1")),
    case("overrides", get("/opened"), override, get("/opened")),
    case("a session", get("/session"), get("/session")),
]
