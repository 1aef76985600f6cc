"""Exceptions: the framework's, the application's, with handlers and without."""

from typing import Any

import anyio
from fastapi import FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, PlainTextResponse, Response

from tests.parity.cases.case import case, get, post
from tests.parity.generated.prelude import Odd, VeryOdd, note


class Unhandled(Exception):
    """One without a handler."""


def make() -> FastAPI:
    app = FastAPI()

    @app.get("/http/{status}")
    async def http(status: int) -> None:
        raise HTTPException(status, headers={"X-A": "1", "x-a": "2"})

    @app.get("/detail")
    async def detail() -> None:
        raise HTTPException(418, {"a": [1, "é"]}, {"content-type": "text/odd"})

    @app.get("/thread")
    def on_thread() -> None:
        raise HTTPException(409, "on a thread")

    @app.get("/odd/{kind}")
    async def odd(kind: str) -> None:
        raise {"odd": Odd, "very": VeryOdd}[kind]("é")

    @app.get("/unhandled")
    async def unhandled() -> None:
        raise Unhandled("é")

    @app.get("/unhandled-on-thread")
    def unhandled_on_thread() -> None:
        raise Unhandled("on a thread") from ValueError("cause")

    @app.get("/mine")
    async def mine() -> None:
        raise RequestValidationError([{"loc": ("x",), "msg": "mine"}], body={"b": 1})

    async def fail() -> None:
        raise HTTPException(404)

    @app.get("/group")
    async def group() -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(fail)

    @app.get("/none")
    async def no_response() -> None:
        raise LookupError("nothing")

    @app.get("/handler-fails")
    async def handler_fails() -> None:
        raise ArithmeticError("first")

    @app.get("/not-implemented")
    async def not_implemented() -> None:
        raise HTTPException(501)

    @app.post("/body")
    async def body(value: int) -> None:
        return None

    _add_again(app)
    _add_handlers(app)
    return app


def _add_again(app: FastAPI) -> None:
    kept = {"odd": Odd("again"), "http": HTTPException(409, "again")}

    @app.get("/again/{kind}")
    async def again(kind: str) -> None:
        note("was raised before", kept[kind].__traceback__ is not None)
        raise kept[kind]


def _add_handlers(app: FastAPI) -> None:
    @app.exception_handler(Odd)
    async def handle_odd(request: Request, error: Odd) -> JSONResponse:
        note("handler", type(error).__name__, error.__traceback__ is not None)
        return JSONResponse({"odd": str(error), "path": request.url.path}, 460)

    @app.exception_handler(LookupError)
    async def handle_nothing(request: Request, error: LookupError) -> None:
        note("handler without a response")

    @app.exception_handler(ArithmeticError)
    def handle_badly(request: Request, error: ArithmeticError) -> Response:
        raise ValueError("second")

    @app.exception_handler(501)
    def handle_status(request: Request, error: Any) -> Response:
        return PlainTextResponse("handled by its status", 501)


app = make()

CASES = [
    case("HTTPException", get("/http/400", 400), get("/http/404", 404), get("/http/500", 500)),
    case("those without a body", get("/http/204", 204), get("/http/304", 304)),
    case("a detail that is no text", get("/detail", 418)),
    case("from a thread", get("/thread", 409)),
    case("a handler", get("/odd/odd", 460), get("/odd/very", 460)),
    *(
        case(f"raised again: {kind}", *(get(f"/again/{kind}", status) for _ in range(2)))
        for kind, status in (("odd", 460), ("http", 409))
    ),
    case("a handler for a status", get("/not-implemented", 501)),
    case("no handler", get("/unhandled", 500, raises="Unhandled")),
    case("no handler, from a thread", get("/unhandled-on-thread", 500, raises="Unhandled")),
    case("raised by the application like the framework's", get("/mine", 422)),
    case("a group", get("/group", 500, raises="ExceptionGroup")),
    case("a handler without a response", get("/none", 0), wire=False),
    case("a handler that fails", get("/handler-fails", 500, raises="ValueError")),
    case("the framework's own", get("/absent", 404), get("/body", 405), post("/body", 422, "")),
]
