"""What becomes of a result without a model: encoding, statuses, classes, returned responses."""

import decimal
import enum
import uuid
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Response
from fastapi.responses import (
    FileResponse,
    HTMLResponse,
    JSONResponse,
    PlainTextResponse,
    RedirectResponse,
    StreamingResponse,
)
from pydantic import BaseModel

from tests.parity.cases.case import Step, case, get, send
from tests.parity.generated.prelude import Colour, Level, Pair, Point, Text, Tree


class Called(Response):
    media_type = "text/odd"

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.headers["x-called"] = "yes"
        await super().__call__(scope, receive, send)


class Odd(enum.Enum):
    LISTED = (1,)


class Iterable(dict[str, int]):
    pass


class WithEncoder(BaseModel):
    price: decimal.Decimal = decimal.Decimal("1.50")
    path: Path = Path("a")


RESULTS: dict[str, Any] = {
    "none": None,
    "text": 'é"\\\u2028\x7f\x00/',
    "numbers": [0, -1, 2**64, 10**40, True, 1.0, 1e-05, 1e16, 1.5e300, 5e-324, 0.1 + 0.2, -0.0],
    "nan": float("nan"),
    "infinite": [float("inf")],
    "keys": {1: 1, None: 2, False: 3, 2.5: 4, Colour.RED: 5},
    "same-keys": {1: "a", "1": "b"},
    "sa": {"_sa_instance_state": 1, "_sab": 2, "sa": 3},
    "surrogate": "\ud800",
    "bytes": b"bytes",
    "not-text": b"\xff",
    "enums": [Colour.RED, Level.HIGH, Odd.LISTED],
    "subclasses": [Text("a"), Iterable(a=1), Pair(1, "b")],
    "sets": [{1}, frozenset("a"), (1, 2)],
    "dates": [date(2024, 2, 29), timedelta(seconds=1.5), timedelta(days=400)],
    "decimals": [decimal.Decimal("1.10"), decimal.Decimal("3"), decimal.Decimal("1E+3")],
    "uuid": uuid.UUID(int=1),
    "paths": Path("a/b"),
    "dataclass": Point(1),
    "models": [Tree(children=[Tree()]), WithEncoder()],
    "object": object(),
    "iterator": iter(()),
    "deep": [[[[[{"a": [{}]}]]]]],
    "empty": [{}, [], ""],
}
RETURNED: dict[str, Any] = {
    "json": lambda: JSONResponse({"a": 1}, 203, {"X-A": "1", "x-a": "2"}),
    "plain": lambda: PlainTextResponse("é", headers={"content-type": "text/other"}),
    "html": lambda: HTMLResponse("<p>"),
    "bytes": lambda: Response(b"\x00\xff", media_type="application/octet-stream"),
    "nothing": Response,
    "204": lambda: Response(status_code=204),
    "304": lambda: Response(b"body", status_code=304),
    "redirect": lambda: RedirectResponse("/é?a b"),
    "odd": lambda: Called(b"x"),
    "streaming": lambda: StreamingResponse(iter([b"a", b"b", b""])),
    "file": lambda: FileResponse(Path(__file__).parent / "frontend" / "file.txt"),
    "not-json": lambda: JSONResponse(object()),
}
STATUSES = (200, 201, 202, 204, 205, 206, 299, 304, 400, 404, 500)


def make() -> FastAPI:
    app = FastAPI()
    for name, value in RESULTS.items():
        _add_result(app, name, value)
    for name, response in RETURNED.items():
        _add_returned(app, name, response)
    for status in STATUSES:
        _add_status(app, status)

    @app.get("/class/{name}", response_class=PlainTextResponse)
    async def plain_text(name: str) -> Any:
        return RESULTS[name]

    @app.get("/html", response_class=HTMLResponse)
    async def html() -> str:
        return "<p>é"

    @app.get("/redirect", response_class=RedirectResponse)
    async def redirect() -> str:
        return "/to"

    @app.get("/response", response_class=Response)
    async def with_class() -> str:
        return "text"

    @app.head("/headed")
    async def headed() -> dict[str, int]:
        return {"a": 1}

    return app


def _add_result(app: FastAPI, name: str, value: Any) -> None:
    @app.get(f"/result/{name}")
    async def on_loop():  # type: ignore[no-untyped-def]
        return value

    @app.get(f"/thread/{name}")
    def on_thread():  # type: ignore[no-untyped-def]
        return value


def _add_returned(app: FastAPI, name: str, make: Any) -> None:
    @app.get(f"/returned/{name}")
    async def returned(injected: Response):  # type: ignore[no-untyped-def]
        # Neither counts when a response is returned.
        injected.headers["x-injected"] = "1"
        injected.status_code = 299
        return make()


def _add_status(app: FastAPI, status: int) -> None:
    @app.get(f"/status/{status}", status_code=status)
    async def with_status():  # type: ignore[no-untyped-def]
        return None if status in (204, 205, 304) else {"status": status}

    @app.get(f"/set/{status}")
    async def set_status(response: Response):  # type: ignore[no-untyped-def]
        response.status_code = status
        return {"status": status}


app = make()

# What cannot be written ends as an exception, and as 500.
FAILING = {
    "nan": "ValueError",
    "infinite": "ValueError",
    "surrogate": "UnicodeEncodeError",
    "not-text": "UnicodeDecodeError",
    "object": "ValueError",
}


def _result(path: str, name: str) -> Step:
    error = FAILING.get(name)
    return get(f"/{path}/{name}", 500, raises=error) if error else get(f"/{path}/{name}")


def _status_of(name: str) -> int:
    return {"json": 203, "204": 204, "304": 304, "redirect": 307, "not-json": 500}.get(name, 200)


CASES = [
    *(case(f"result: {name}", _result("result", name)) for name in RESULTS),
    *(case(f"result on a thread: {name}", _result("thread", name)) for name in RESULTS),
    *(
        case(
            f"returned: {name}",
            get(
                f"/returned/{name}",
                _status_of(name),
                raises="TypeError" if name == "not-json" else None,
            ),
        )
        for name in RETURNED
    ),
    *(
        # FastAPI announces a length for 205, and sends nothing: uvicorn passes that on, and closes
        # the connection; Andon says that there is nothing (RFC 9110, section 15.3.6).
        case(f"status {status}", get(f"/{how}/{status}", status), wire=status != 205)
        for status in STATUSES
        for how in ("status", "set")
    ),
    case("a class with text", get("/class/text"), get("/class/bytes"), get("/html")),
    case("a class with what it cannot take", get("/class/keys", 500, raises="AttributeError")),
    case("a class with a status of its own", get("/redirect", 307), get("/response")),
    case("HEAD", send("HEAD", "/headed", 200)),
]
