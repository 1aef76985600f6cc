"""The bare ASGI application of most tests: no framework between the server and what is observed."""

import raw_requests
import raw_responses
import raw_websockets
from asgi_parts import Handler, Receive, Scope, Send
from journal import record

ROUTES: dict[str, Handler] = {
    **raw_requests.ROUTES,
    **raw_responses.ROUTES,
    **raw_websockets.ROUTES,
}


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Dispatch by path; an unknown path is echoed, so that tests may choose any path."""
    if scope["type"] == "lifespan":
        await lifespan(scope, receive, send)
        return
    path = scope["path"].removeprefix(scope["root_path"])
    await ROUTES.get(path, raw_requests.echo)(scope, receive, send)


async def lifespan(scope: Scope, receive: Receive, send: Send) -> None:
    """Put something shared and something plain into the state."""
    assert (await receive())["type"] == "lifespan.startup"
    record("startup", asgi=scope["asgi"])
    scope["state"].update({"plain": "value", "shared": []})
    await send({"type": "lifespan.startup.complete"})
    assert (await receive())["type"] == "lifespan.shutdown"
    record("shutdown")
    await send({"type": "lifespan.shutdown.complete"})
