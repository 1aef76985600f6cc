"""Which route takes a request: order, methods, convertors, slashes, odd paths."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter, FastAPI, Request, WebSocket
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from tests.parity.cases.case import case, get, post, send


async def opaque(request: Request) -> PlainTextResponse:
    return PlainTextResponse(f"opaque {request.path_params}")


def make() -> FastAPI:
    app = FastAPI()

    @app.get("/first/{name}")
    async def first(name: str) -> dict[str, str]:
        return {"first": name}

    app.router.routes.append(Route("/between/{name}", opaque, methods=["GET"]))

    @app.get("/between/{name}")
    async def after_opaque(name: str) -> dict[str, str]:
        return {"after": name}

    app.router.routes.append(Route("/any/{name}", opaque, methods=["POST"]))

    @app.get("/any/{name}")
    async def beside_opaque(name: str) -> dict[str, str]:
        return {"beside": name}

    @app.get("/first/fixed")
    async def shadowed() -> str:
        return "never"

    @app.get("/methods")
    async def get_methods() -> str:
        return "get"

    @app.put("/methods")
    async def put_methods() -> str:
        return "put"

    @app.api_route("/several", methods=["GET", "PATCH", "ODD"], include_in_schema=False)
    async def several(request: Request) -> str:
        return request.method

    @app.head("/head")
    async def head() -> str:
        return "head"

    @app.get("/head")
    async def beside_head() -> str:
        return "get"

    @app.options("/head")
    async def options() -> str:
        return "options"

    @app.websocket("/socket")
    async def socket(websocket: WebSocket) -> None:
        await websocket.accept()

    @app.get("/socket")
    async def beside_socket() -> str:
        return "not a socket"

    _add_convertors(app)
    _add_slashes(app)
    _add_nested(app)
    return app


def _add_convertors(app: FastAPI) -> None:
    @app.get("/int/{value:int}")
    async def take_int(value: int) -> Any:
        return [value, type(value).__name__]

    @app.get("/int-as-text/{value:int}")
    async def take_int_as_text(value: str) -> str:
        return value

    @app.get("/float/{value:float}")
    async def take_float(value: float) -> float:
        return value

    @app.get("/uuid/{value:uuid}")
    async def take_uuid(value: UUID) -> UUID:
        return value

    @app.get("/path/{value:path}")
    async def take_path(value: str) -> str:
        return value

    @app.get("/path/{value:path}/end")
    async def never(value: str) -> str:
        return f"end {value}"

    @app.get("/within/{rest:path}/end/{last}")
    async def within(rest: str, last: str) -> list[str]:
        return [rest, last]

    @app.get("/v{major}.{minor}/x-{tail}")
    async def parts(major: str, minor: int, tail: str) -> Any:
        return [major, minor, tail]

    @app.get("/two/{a}{b:int}")
    async def adjoining(a: str, b: int) -> Any:
        return [a, b]

    @app.get("/p.th/(x)+")
    async def special() -> str:
        return "special"


def _add_slashes(app: FastAPI) -> None:
    @app.get("/without")
    async def without() -> str:
        return "without"

    @app.get("/with/")
    async def with_slash() -> str:
        return "with"

    @app.post("/post/")
    async def post_slash() -> str:
        return "post"

    @app.get("/")
    async def root() -> str:
        return "root"


def _add_nested(app: FastAPI) -> None:
    inner = APIRouter(prefix="/inner/{inner_id}")
    outer = APIRouter(prefix="/outer/{outer_id:int}", redirect_slashes=False)

    @inner.get("/item/{item_id}")
    async def item(outer_id: int, inner_id: str, item_id: str) -> list[Any]:
        return [outer_id, inner_id, item_id]

    @inner.get("")
    async def empty(inner_id: str) -> str:
        return inner_id

    @outer.get("/own")
    async def own(request: Request) -> Any:
        return [request.path_params, request.scope["route"].path, str(request.url)]

    outer.include_router(inner)
    app.include_router(outer)
    app.include_router(inner, prefix="/again/{outer_id}")


app = make()

CASES = [
    case("the first route that matches wins", get("/first/fixed")),
    case("a route of Starlette's between others takes what it matches", get("/between/a")),
    case("one with another method does not", get("/any/a"), post("/any/a", 200, "")),
    case("a full match comes before a partial one", send("PUT", "/methods", 200)),
    case("405 allows what the first partial match does", send("DELETE", "/methods", 405)),
    case(
        "HEAD and OPTIONS are not GET",
        send("HEAD", "/methods", 405),
        send("OPTIONS", "/methods", 405),
    ),
    case(
        "HEAD and OPTIONS of their own", send("HEAD", "/head", 200), send("OPTIONS", "/head", 200)
    ),
    case("several methods", send("PATCH", "/several", 200), send("GET", "/several", 200)),
    # httptools knows some methods only.
    case("a method of one's own", send("ODD", "/several", 200), wire=False),
    case("methods tell case apart", send("get", "/methods", 405), wire=False),
    case("nothing there", get("/absent", 404), send("DELETE", "/absent", 404)),
    case("a WebSocket route is none for HTTP", get("/socket")),
    case("int", get("/int/12"), get("/int/-1", 404), get("/int/1a", 404), get("/int/007")),
    case("many digits", get(f"/int/{'9' * 60}"), get(f"/int-as-text/{'9' * 60}", 422)),
    case("int whose parameter is a text", get("/int-as-text/7", 422)),
    case(
        "float", get("/float/1.50"), get("/float/1"), get("/float/1.", 404), get("/float/.5", 404)
    ),
    case("uuid", get("/uuid/0A0B0C0D-1111-4222-8333-444455556666"), get("/uuid/0a0b", 404)),
    case("uuid without hyphens", get("/uuid/0a0b0c0d111142228333444455556666")),
    case("path", get("/path/a/b"), get("/path/"), get("/path//a//"), get("/path/x/end")),
    case("path is greedy", get("/within/a/end/b/end/c"), get("/within/a/end/", 404)),
    case(
        "several parameters in a segment",
        get("/v1.2/x-y"),
        get("/v1.2.3/x--"),
        get("/v1.2/x-", 404),
    ),
    case("adjoining parameters", get("/two/ab12"), get("/two/12"), get("/two/1", 404)),
    case("characters that mean something in a pattern", get("/p.th/(x)+"), get("/path", 307)),
    case("percent-encoded", get("/first/a%20b"), get("/first/%E4%B8%AD"), get("/first/%41")),
    case("an encoded slash is one", get("/first/a%2Fb", 404), get("/path/a%2Fb")),
    case("bytes that are no UTF-8", get("/first/%ff"), get("/first/%C3%28")),
    case("a line feed", get("/first/a%0A"), get("/int/1%0A"), get("/first/%0A")),
    case("other controls", get("/first/a%00b"), get("/first/a%0Db"), get("/first/%7f")),
    case("bad percent signs", get("/first/%"), get("/first/%4"), get("/first/%zz")),
    case("a slash is added", get("/with", 307), get("/with?a=1&b=%20", 307)),
    case("a slash is taken away", get("/without/", 307), get("/without//", 307)),
    case("a POST is redirected as well", post("/post", 307, "{}")),
    case("a GET to a POST's is redirected, too", get("/post", 307)),
    case("where to depends on Host", get("/with", 307, ("host", "other:81"), host=False)),
    case("a Host that is none", get("/with", 307, ("host", "a b/c"), host=False), wire=False),
    case("no Host at all", get("/with", 307, host=False), wire=False),
    case("two slashes", get("//", 404), get("//methods", 404), get("/methods//", 307)),
    case("routers in routers", get("/outer/1/inner/b/item/c"), get("/outer/x/inner/b/item/c", 404)),
    case("an empty path in a router", get("/outer/1/inner/b"), get("/outer/1/inner/b/", 307)),
    case("what user code sees of its route", get("/outer/5/own?x=1")),
    case(
        "a router included twice",
        get("/again/7/inner/b/item/c"),
        get("/again/x/inner/b/item/c", 422),
    ),
    case(
        "documentation",
        get("/openapi.json"),
        get("/docs"),
        get("/redoc"),
        send("HEAD", "/docs", 200),
    ),
]
