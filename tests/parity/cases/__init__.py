"""Behaviour that must stay identical, case by case: one module a subject.

Each module has `make()`, which returns a new application, `app`, one for servers to serve, and
`CASES`. `python -m tests.parity cases` runs all of them, in process or over sockets.
"""

import importlib
from types import ModuleType

SUBJECTS = (
    "routing",
    "mounts",
    "root_path",
    "parameters",
    "parameter_models",
    "bodies",
    "responses",
    "response_models",
    "errors",
    "lifecycle",
    "injections",
    "middleware",
    "asgi_middleware",
    "forms",
    "limits",
    "route_limits",
    "streams",
    "generators",
    "changes",
)


def subject(name: str) -> ModuleType:
    """The module of a subject."""
    return importlib.import_module(f"tests.parity.cases.{name}")
