"""Bodies that are written by Rust: byte for byte those of the framework."""

import asyncio
import math
import random
import struct
from typing import Any

import pytest
from andon import _andon
from andon.native import inspect
from fastapi import FastAPI
from fastapi.encoders import jsonable_encoder
from fastapi.responses import JSONResponse

RANDOM = random.Random(4)


def written(value: Any) -> bytes | str:
    """Return the body that a native route makes of a value, or the exception that it raises."""
    app = FastAPI()

    @app.get("/")
    async def endpoint():  # type: ignore[no-untyped-def]
        return value

    found = inspect(app)
    assert found.reason is None
    description = found.description.to_json()
    native = _andon.NativeApp(description, found.objects, found.guards, found.calls(lambda: None))
    return asyncio.run(body_of(native))


async def body_of(native: _andon.NativeApp) -> bytes | str:
    bodies: list[bytes] = []
    served: list[str] = []

    async def send(message: dict[str, Any]) -> None:
        bodies.append(message.get("body", b""))

    async def receive() -> None:
        await asyncio.Future()

    scope = {
        "type": "http",
        "method": "GET",
        "path": "/",
        "query_string": b"",
        "headers": [],
        "root_path": "",
    }
    try:
        await native(scope, receive, send, served.append)
    except Exception as error:
        return type(error).__name__
    assert served == ["native"]
    return b"".join(bodies)


def expected(value: Any) -> bytes | str:
    try:
        return bytes(JSONResponse(jsonable_encoder(value)).body)
    except Exception as error:
        return type(error).__name__


def any_float() -> float:
    number: float = struct.unpack("d", RANDOM.randbytes(8))[0]
    return number if math.isfinite(number) else 0.5


VALUES: dict[str, Any] = {
    "constants": [None, True, False],
    "integers": [0, -0, 7, -7, 2**63 - 1, -(2**63), 2**63, -(2**64), 10**400],
    "floats": [
        *(0.0, -0.0, 1.0, -1.5, 0.1, 1 / 3, 5e-324, 1.7976931348623157e308),
        *(1e-4, 9.999e-5, 1e-5, 1.5e-7, 1e15, 1e16, 9007199254740993.0, 123456789012345680.0),
        *(1e22, 1e23, -1e-10, 1e100, 2.5e-100),
    ],
    "random floats": [any_float() for _ in range(20_000)],
    "floats of few digits": [RANDOM.randrange(10**6) * 10.0**e for e in range(-30, 30)],
    "control characters": "".join(map(chr, range(0x20))) + '"\\/\x7f\x80\x9f\u2028\ufeff',
    "other scripts": "é ü ß 漢字 🙂 \U0010ffff",
    "empty": [{}, [], (), ""],
    "nested": {"a": [{"b": ({"c": [1, (2,)]},)}]},
    "keys of other types": {1: "a", None: "b", False: "c", 1.5: "d", (1, 2): "e"},
    "keys that are left out": {"_sa_state": 1, "_sa": 2, "_s": 3, "a": {"_sax": 4}},
    "subclasses": [type("Text", (str,), {})("x"), type("Number", (int,), {})(5)],
    "sets": [{1}, frozenset({2})],
    "lone surrogate": "\ud800",
    "lone surrogate as a key": {"\udfff": 1},
    "not finite": [1.0, math.nan],
    "infinite": math.inf,
    "bytes": b"bytes",
    "an object": object(),
}


@pytest.mark.parametrize("name", VALUES)
def test_a_body_is_as_the_framework_writes_it(name: str) -> None:
    assert written(VALUES[name]) == expected(VALUES[name])


@pytest.mark.parametrize("depth", [90, 150])
def test_deep_nesting_is_no_difference(depth: int) -> None:
    value: Any = "deep"
    for _ in range(depth):
        value = [value]
    assert written(value) == expected(value)


def test_a_circle_is_refused_as_by_the_framework() -> None:
    circle: list[Any] = []
    circle.append(circle)
    assert written(circle) == expected(circle) == "RecursionError"
