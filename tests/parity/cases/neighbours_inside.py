"""The routes of `neighbours` inside a middleware with `dispatch`."""

from collections.abc import Awaitable, Callable

from fastapi import FastAPI, Request, Response

from tests.parity.cases import neighbours

CASES = neighbours.CASES


def make() -> FastAPI:
    app = neighbours.make()

    @app.middleware("http")
    async def pass_on(
        request: Request, call_next: Callable[[Request], Awaitable[Response]]
    ) -> Response:
        return await call_next(request)

    return app


app = make()
