"""The routes of `generators` inside a middleware with `dispatch`."""

from collections.abc import Awaitable, Callable

from fastapi import FastAPI, Request, Response

from tests.parity.cases import generators

# The head of an answer waits in the middleware until there is something after it.
CASES = generators.cases(failing_events=500)


def make() -> FastAPI:
    app = generators.make()

    @app.middleware("http")
    async def pass_on(
        request: Request, call_next: Callable[[Request], Awaitable[Response]]
    ) -> Response:
        return await call_next(request)

    return app


app = make()
