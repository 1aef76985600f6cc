"""The same in a middleware with `dispatch`."""

from fastapi import FastAPI
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware

from tests.parity.cases import missing, missing_cases


def make() -> FastAPI:
    return missing.make(
        "class",
        [Middleware(missing.Telling), Middleware(BaseHTTPMiddleware, dispatch=missing.dispatch)],
    )


app = make()

CASES = missing_cases.cases(silent=(500, "RuntimeError"))
