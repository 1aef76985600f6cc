"""`TrustedHostMiddleware` as the only middleware: who is let through, refused, sent elsewhere."""

from typing import Any

from fastapi import FastAPI, Request
from starlette.middleware.trustedhost import TrustedHostMiddleware

from tests.parity.cases.case import Step, case, get, send

HOSTS = ["a.example", "*.b.example", "www.c.example", "testserver", "127.0.0.1"]


def make() -> FastAPI:
    app = FastAPI()

    @app.get("/item/{number}")
    async def item(number: int, request: Request) -> dict[str, Any]:
        return {"number": number, "url": str(request.url)}

    @app.get("/fails")
    def fails() -> None:
        raise ValueError("fails")

    app.add_middleware(TrustedHostMiddleware, allowed_hosts=HOSTS)
    return app


def of(host: str, status: int, target: str = "/item/1", scheme: str = "http") -> Step:
    """A request to this host."""
    return send("GET", target, status, (("host", host),), host=False, scheme=scheme)


def _layer(app: Any) -> Any:
    if app.middleware_stack is None:
        app.middleware_stack = app.build_middleware_stack()
    layer = app.middleware_stack
    while not isinstance(layer, TrustedHostMiddleware):
        layer = layer.app
    return layer


def _allow_another(app: Any) -> None:
    _layer(app).allowed_hosts.append("new.example")


def _redirect_none(app: Any) -> None:
    _layer(app).www_redirect = False


def _allow_any(app: Any) -> None:
    _layer(app).allow_any = True


app = make()

CASES = [
    case(
        "hosts",
        of("a.example", 200),
        of("a.example:8000", 200),
        of("x.b.example", 200),
        of("b.example", 400),
        of(".b.example", 200),
        of("other.example", 400),
        of("a.example.", 400),
        of("a.example", 404, "/absent"),
        of("other.example", 400, "/absent"),
        of("other.example", 400, "/docs"),
        of("other.example", 400, "/item/1/"),
    ),
    case(
        "unusual hosts",
        of("X.OTHER", 400),
        of("[::1]", 400),
        of("a.example:", 400),
        of("a.example:x", 400),
        of("a.example:99999", 200),
        of("a.example:000080", 200),
        of("a_b.example", 400),
        of("", 400),
        of("\xe9.example", 400),
        send("GET", "/item/1", 400, host=False),
        wire=False,
    ),
    case(
        "two hosts",
        send("GET", "/item/1", 200, (("host", "a.example"), ("host", "x")), host=False),
        send("GET", "/item/1", 400, (("host", "x"), ("host", "a.example")), host=False),
        wire=False,
    ),
    case(
        "with www",
        of("c.example", 307),
        of("c.example:8000", 307, "/item/1?a=b%20c&d"),
        of("c.example:080", 307, "/item/1;a?b=?"),
        of("www.c.example", 200),
        of("c.example", 307, "/absent/x@y:z"),
    ),
    case(
        "unusual, with www",
        of("c.example:99999", 307),
        of("c.example", 307, "//item/1"),
        of("c.example", 307, "/%C3%A9/%20%3F%23"),
        of("c.example", 307, "/item/1", "https"),
        of("c.example:443", 307, '/item/1?a=%5B[]|"<', "https"),
        wire=False,
    ),
    case("it fails", send("GET", "/fails", 500, raises="ValueError")),
    case(
        "settings are changed",
        of("new.example", 400),
        _allow_another,
        of("new.example", 200),
        of("c.example", 307),
        _redirect_none,
        of("c.example", 400),
        _allow_any,
        of("other.example", 200),
        get("/item/1", 200),
    ),
]
