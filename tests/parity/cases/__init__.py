"""Behaviour that must stay identical, case by case: one module a subject.

Each module has `make()`, which returns a new application, `app`, one for servers to serve, and
`CASES`. `python -m tests.parity cases` runs all of them, in process or over sockets.
"""

import importlib
import inspect
from types import ModuleType

from fastapi import FastAPI

SUBJECTS = (
    "routing",
    "mounts",
    "mounted",
    "missed",
    "missed_status",
    "missed_class",
    "beneath",
    "beneath_dispatch",
    "beneath_cors",
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
    "dispatch",
    "dispatch_ends",
    "leaving",
    "cors",
    "cors_anyone",
    "cors_credentials",
    "compressing",
    "compressing_all",
    "hosts",
    "https",
    "stacked",
    "forms",
    "limits",
    "route_limits",
    "concurrency",
    "streams",
    "generators",
    "changes",
)

# Parameters of `FastAPI()` that earlier releases do not have, for subjects that need them.
_NEEDED = {"limits": "max_body_size", "route_limits": "max_body_size"}


def subject(name: str) -> ModuleType:
    """The module of a subject."""
    return importlib.import_module(f"tests.parity.cases.{name}")


def is_in_release(name: str) -> bool:
    """Whether the FastAPI that is installed has what the subject is about."""
    return _NEEDED.get(name, "self") in inspect.signature(FastAPI.__init__).parameters
