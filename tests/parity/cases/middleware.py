"""Applications with middleware around them: the framework's, and the user's own."""

from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import FastAPI, HTTPException, Request, Response
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware

from tests.parity.cases.case import case, get, post, send
from tests.parity.generated.prelude import VARIABLE, note, where


class Plain:
    """A middleware of the application's own, on the level of ASGI."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        async def marked(message: Any) -> None:
            if message["type"] == "http.response.start":
                message["headers"].append((b"x-plain", b"1"))
            await send(message)

        await self.app(scope, receive, marked)


def make() -> FastAPI:
    app = FastAPI()

    @app.get("/item/{item_id}")
    async def item(item_id: int) -> dict[str, Any]:
        note("endpoint", where())
        return {"item": item_id, "variable": VARIABLE.get(), "text": "a" * 600}

    @app.post("/item")
    def on_thread(value: dict[str, int]) -> dict[str, int]:
        return value

    @app.get("/http")
    async def http() -> None:
        raise HTTPException(418)

    @app.get("/fails")
    async def fails() -> None:
        raise ValueError("fails")

    @app.middleware("http")
    async def around(
        request: Request, call_next: Callable[[Request], Awaitable[Response]]
    ) -> Response:
        VARIABLE.set("middleware")
        note("before")
        response = await call_next(request)
        note("after", response.status_code)
        response.headers["X-Around"] = request.url.path
        return response

    app.add_middleware(Plain)
    app.add_middleware(GZipMiddleware, minimum_size=500)
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=["testserver", "*.example"])
    app.add_middleware(
        CORSMiddleware,
        allow_origins=["http://a.example"],
        allow_methods=["GET", "PUT"],
        allow_headers=["X-Token"],
        allow_credentials=True,
        expose_headers=["X-Around"],
        max_age=10,
    )
    return app


app = make()
ORIGIN = ("origin", "http://a.example")
OTHER = ("origin", "http://b.example")
ASKS = ("access-control-request-method", "PUT")

CASES = [
    case("around an endpoint", get("/item/1"), post("/item", 200, '{"a": 1}')),
    case("around errors", get("/item/x", 422), get("/absent", 404), get("/http", 418)),
    case("around what fails", get("/fails", 500, raises="ValueError")),
    case("around what fails, with CORS", get("/fails", 500, ORIGIN, raises="ValueError")),
    case("compressed", get("/item/1", 200, ("accept-encoding", "gzip, br"))),
    case("CORS", get("/item/1", 200, ORIGIN), get("/item/1", 200, OTHER, ("cookie", "a=1"))),
    case("preflight", send("OPTIONS", "/item/1", 200, (ORIGIN, ASKS))),
    case("preflight refused", send("OPTIONS", "/item/1", 400, (OTHER, ASKS))),
    case("a host that is not trusted", get("/item/1", 400, ("host", "b.test"), host=False)),
    case("a host that is", get("/item/1", 200, ("host", "a.example:1"), host=False)),
]
