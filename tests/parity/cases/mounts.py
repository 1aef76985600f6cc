"""Applications within applications, Host routes, and frontends that take what is left."""

from pathlib import Path

from fastapi import FastAPI, Request
from starlette.responses import PlainTextResponse
from starlette.routing import Host, Mount, Route, Router

from tests.parity.cases.case import case, get, post, send

FRONTEND = Path(__file__).parent / "frontend"


async def plain(request: Request) -> PlainTextResponse:
    return PlainTextResponse(f"{request.url.path} {request.scope['root_path']}")


def make() -> FastAPI:
    inner = FastAPI()

    @inner.get("/item/{item_id}")
    async def inner_item(request: Request, item_id: int) -> list[object]:
        scope = request.scope
        return [item_id, scope["root_path"], scope.get("app_root_path"), str(request.url)]

    @inner.get("/slash/")
    async def inner_slash() -> str:
        return "slash"

    app = FastAPI()

    @app.get("/sub/item/{item_id}")
    async def before_mount(item_id: str) -> str:
        return f"before {item_id}"

    app.mount("/sub", inner)

    @app.get("/sub/after")
    async def behind_mount() -> str:
        return "never"

    @app.get("/submarine")
    async def similar() -> str:
        return "not of the mount"

    app.mount("/other", inner, name="other")
    app.router.routes.append(Mount("/plain", routes=[Route("/{name}", plain)]))
    app.router.routes.append(Host("api.example", Router([Route("/hosted", plain)])))

    @app.get("/hosted")
    async def not_hosted() -> str:
        return "by path"

    if hasattr(app, "frontend"):
        app.frontend("/ui", directory=FRONTEND)

    @app.get("/ui/api")
    async def before_frontend() -> str:
        return "api"

    return app


app = make()

CASES = [
    case("a route before the mount", get("/sub/item/1")),
    case("a mounted application", get("/other/item/1"), get("/other/item/x", 422)),
    case("its own 404 and 405", get("/other/absent", 404), post("/other/item/1", 405, "")),
    case("its own redirect", get("/other/slash", 307)),
    case("behind a mount is nothing", get("/sub/after", 404)),
    case("the mount without a slash", get("/sub", 307), get("/submarine")),
    case("routes in a mount", get("/plain/a"), get("/plain/", 404)),
    case(
        "a Host route", get("/hosted", 200, ("host", "API.example:80"), host=False), get("/hosted")
    ),
]


if hasattr(FastAPI, "frontend"):
    CASES += [
        case("a frontend comes last", get("/ui/api"), get("/ui/file.txt"), get("/ui/")),
        case("a frontend's files", send("HEAD", "/ui/file.txt", 200), get("/ui/absent.txt", 404)),
    ]
