"""Andon: an application server for FastAPI and other ASGI applications, with a front in Rust."""

from andon._andon import ClientDisconnected, __version__
from andon.rules import route

__all__ = ["ClientDisconnected", "__version__", "route"]
