"""The modules of FastAPI and Starlette, if the application has imported them.

Nothing is imported here that the application has not: an application of another framework pays
nothing. All names of the frameworks are looked up when they are used, so a release that lacks one
is told by an `AttributeError` that names it.
"""

import inspect
import sys
from dataclasses import dataclass
from types import CodeType, ModuleType
from typing import Any

from andon.native.releases.callables import Callables, callables_of
from andon.native.releases.release import Release, release_of

# As they are named where the sources are, below the folder of the package.
FASTAPI_MODULES = (
    "applications",
    "background",
    "concurrency",
    "datastructures",
    "dependencies.models",
    "dependencies.utils",
    "encoders",
    "exception_handlers",
    "exceptions",
    "params",
    "routing",
    "sse",
    "utils",
    "_body_limit",
    "_compat.shared",
    "_compat.v2",
    "_form_limits",
    "middleware.asyncexitstack",
    "telemetry._api",
    "telemetry._asgi",
)
STARLETTE_MODULES = (
    "applications",
    "background",
    "concurrency",
    "convertors",
    "datastructures",
    "exceptions",
    "requests",
    "responses",
    "routing",
    "_exception_handler",
    "_utils",
    "middleware.body_limit",
    "middleware.errors",
    "middleware.exceptions",
)

# Rust runs them, or runs inside of them, only where they are known; otherwise they are middleware
# as any other.
MIDDLEWARE_MODULES = (
    "middleware.base",
    "middleware.cors",
    "middleware.gzip",
    "middleware.httpsredirect",
    "middleware.sessions",
    "middleware.trustedhost",
)


@dataclass(frozen=True)
class Framework:
    """The loaded modules. `Any`, because they are looked into deeper than their types tell."""

    release: Release
    callables: Callables
    applications: Any
    routing: Any
    dependencies: Any
    fields: Any
    params: Any
    shared: Any
    datastructures: Any
    starlette_routing: Any
    convertors: Any
    responses: Any

    @classmethod
    def loaded(cls) -> "Framework | None":
        """Return the modules if FastAPI has been imported."""
        names = {
            "applications": "fastapi.applications",
            "routing": "fastapi.routing",
            "dependencies": "fastapi.dependencies.utils",
            "fields": "fastapi._compat.v2",
            "params": "fastapi.params",
            "shared": "fastapi._compat.shared",
            "datastructures": "fastapi.datastructures",
            "starlette_routing": "starlette.routing",
            "convertors": "starlette.convertors",
            "responses": "starlette.responses",
        }
        modules = {key: sys.modules.get(name) for key, name in names.items()}
        models = sys.modules.get("fastapi.dependencies.models")
        if models is None or any(module is None for module in modules.values()):
            return None
        release = release_of(sys.modules["fastapi"].__version__)
        return cls(release=release, callables=callables_of(models), **modules)


def package(name: str) -> ModuleType | None:
    """Return a package that the application has imported."""
    return sys.modules.get(name)


def inner_code(function: Any, name: str) -> CodeType | None:
    """Return the code of the function ``name`` that is defined inside another one."""
    for constant in inspect.unwrap(function).__code__.co_consts:
        if isinstance(constant, CodeType) and constant.co_name == name:
            return constant
    return None


def is_untouched(instance: Any, owner: type, *methods: str) -> bool:
    """Whether methods of an instance are those of ``owner``, neither overridden nor replaced."""
    own = vars(instance)
    return all(
        getattr(type(instance), method, None) is getattr(owner, method, None) and method not in own
        for method in methods
    )
