"""A middleware with `dispatch` that only passes on, to be put around other subjects."""

from collections.abc import Awaitable, Callable

from fastapi import FastAPI, Request, Response


def within(app: FastAPI) -> FastAPI:
    """Put the application into one."""

    @app.middleware("http")
    async def pass_on(
        request: Request, call_next: Callable[[Request], Awaitable[Response]]
    ) -> Response:
        return await call_next(request)

    return app
