"""Behaviour that must stay identical, case by case: one module a subject.

Each module has `make()`, which returns a new application, `app`, one for servers to serve, and
`CASES`. `python -m tests.parity cases` runs all of them, in process or over sockets.
"""

import importlib
import inspect
from collections.abc import Callable
from types import ModuleType
from typing import Any

from fastapi import Depends, FastAPI
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.gzip import GZipMiddleware

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
    "async_generators",
    "beyond_exception",
    "injections",
    "middleware",
    "asgi_middleware",
    "dispatch",
    "dispatch_ends",
    "neighbours",
    "neighbours_inside",
    "leaving",
    "cors",
    "cors_anyone",
    "cors_credentials",
    "compressing",
    "compressing_all",
    "hosts",
    "https",
    "stacked",
    "inside_dispatch",
    "forms",
    "limits",
    "route_limits",
    "limits_inside",
    "limits_around",
    "concurrency",
    "streams",
    "generators",
    "generators_inside",
    "changes",
)

# Parameters that earlier releases do not have, for subjects that need them.
_NEEDED: dict[str, tuple[Callable[..., Any], str]] = {
    "limits": (FastAPI, "max_body_size"),
    "route_limits": (FastAPI, "max_body_size"),
    "limits_inside": (FastAPI, "max_body_size"),
    "limits_around": (FastAPI, "max_body_size"),
    "concurrency": (Depends, "max_concurrency"),
    "compressing": (GZipMiddleware, "exclude_content_types"),
    "compressing_all": (GZipMiddleware, "exclude_content_types"),
    "stacked": (CORSMiddleware, "allow_private_network"),
}


def subject(name: str) -> ModuleType:
    """The module of a subject."""
    return importlib.import_module(f"tests.parity.cases.{name}")


def is_in_release(name: str) -> bool:
    """Whether the FastAPI that is installed has what the subject is about."""
    return name not in _NEEDED or has_parameter(*_NEEDED[name])


def has_parameter(function: Callable[..., Any], parameter: str) -> bool:
    """Whether a function of the FastAPI that is installed has a parameter."""
    return parameter in inspect.signature(function).parameters
