"""Factories, and applications which are attributes of something else."""

from types import SimpleNamespace

from asgi_parts import Handler, Receive, Scope, Send
from raw import app as raw_app


def make() -> Handler:
    """A factory."""
    return raw_app


def make_failing() -> Handler:
    """A factory which raises."""
    raise RuntimeError("the factory is closed")


class Application:
    """An application in the form of a class, which ASGI 3 calls with three arguments."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand on."""
        await raw_app(scope, receive, send)


holder = SimpleNamespace(inner=SimpleNamespace(app=Application()))
not_callable = "text"
