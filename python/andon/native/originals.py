"""Finding out whether FastAPI or Starlette have been changed while the process runs.

Tools that watch applications replace functions of the frameworks. Served natively, a request would
go past them. So what is loaded is compared with what the source files say: every function and
method must have the code that its file was compiled to, and what else is in a module's namespace
must come from the frameworks, from what they are built on, or from the standard library.

Code objects are compared by value, so it does not matter that they are loaded a second time.
"""

import functools
import json
import sys
from collections.abc import Iterator
from types import BuiltinFunctionType, CodeType, FunctionType, MethodType, ModuleType
from typing import Any

from andon.native.framework import FASTAPI_MODULES, STARLETTE_MODULES

# What the frameworks' modules import.
_SOURCES = frozenset(
    {
        "annotated_doc",
        "anyio",
        "exceptiongroup",
        "fastapi",
        "opentelemetry",
        "pydantic",
        "pydantic_core",
        "pydantic_extra_types",
        "python_multipart",
        "starlette",
        "typing_extensions",
        "typing_inspection",
    }
)
# Whose business is to replace functions of others.
_WATCHING = ("opentelemetry.instrumentation", "unittest")
# Dispatch may run an `async def` on a thread, for which `andon.offload` puts one of its own there.
_OWN_REPLACEMENTS = frozenset({("fastapi.routing", "run_endpoint_function")})

# What the frameworks read and write JSON with; some applications put faster ones in their place.
_JSON = ("dumps", "loads")


def first_change() -> str | None:
    """Return what was changed, as ``module.name``; `None`: nothing."""
    for module in _loaded():
        for name in _changes(module):
            return f"{module.__name__}.{name}"
    return next((f"json.{name}" for name in _JSON if not _is_of_module(name, json)), None)


def _is_of_module(name: str, module: ModuleType) -> bool:
    function = getattr(module, name, None)
    return isinstance(function, FunctionType) and function.__globals__ is vars(module)


def first_change_of(module: ModuleType) -> str | None:
    """Return what was changed of one module; `None`: nothing."""
    return next(_changes(module), None)


def _loaded() -> Iterator[ModuleType]:
    for package, names in (("fastapi", FASTAPI_MODULES), ("starlette", STARLETTE_MODULES)):
        for name in names:
            module = sys.modules.get(f"{package}.{name}")
            if module is not None:
                yield module


def _changes(module: ModuleType) -> Iterator[str]:
    compiled = _compiled(module)
    if compiled is None:
        yield "__loader__"
        return
    defined = _defined(compiled)
    for name, value in list(vars(module).items()):
        if name in defined:
            yield from _changes_of(name, value, defined[name], module)
        elif not _is_from_sources(value):
            yield name


def _compiled(module: ModuleType) -> CodeType | None:
    """Load the code of a module anew, from the cache of bytecode where there is one."""
    get_code = getattr(getattr(module.__spec__, "loader", None), "get_code", None)
    code = get_code(module.__name__) if callable(get_code) else None
    return code if isinstance(code, CodeType) else None


def _defined(code: CodeType) -> dict[str, list[CodeType]]:
    """Return the functions and classes that a piece of code defines. A name may be there twice."""
    defined: dict[str, list[CodeType]] = {}
    for constant in code.co_consts:
        if isinstance(constant, CodeType) and not constant.co_name.startswith("<"):
            defined.setdefault(constant.co_name, []).append(constant)
    return defined


def _changes_of(name: str, value: Any, codes: list[CodeType], module: ModuleType) -> Iterator[str]:
    if isinstance(value, type):
        if (value.__module__, value.__name__) == (module.__name__, name):
            for method in _changed_methods(value, codes):
                yield f"{name}.{method}"
        elif not _is_from_sources(value):
            # Some are defined only where they cannot be imported.
            yield name
    elif not _is_one_of(value, codes) and not _is_own_replacement(module, name, value):
        yield name


def _is_own_replacement(module: ModuleType, name: str, value: Any) -> bool:
    is_ours = isinstance(value, FunctionType) and _home(value) == "andon.offload"
    return is_ours and (module.__name__, name) in _OWN_REPLACEMENTS


def _changed_methods(owner: type, codes: list[CodeType]) -> Iterator[str]:
    defined: dict[str, list[CodeType]] = {}
    for code in codes:
        for name, found in _defined(code).items():
            defined.setdefault(name, []).extend(found)
    for name, value in list(vars(owner).items()):
        if name in defined:
            if not _is_one_of(value, defined[name]):
                yield name
        elif not _is_from_sources(value):
            # Put there from outside, in the place of what the class inherits.
            yield name


def _is_one_of(value: Any, codes: list[CodeType]) -> bool:
    """Whether a function, or what decorators of the standard library made of it, has such code."""
    return any(function.__code__ in codes for function in _functions(value, 0))


def _functions(value: Any, depth: int) -> Iterator[FunctionType]:
    """Yield the function inside decorators, and none where one of them is not known."""
    if depth > 4:
        return
    if isinstance(value, property):
        yield from _functions(value.fget, depth + 1)
    elif isinstance(value, staticmethod | classmethod):
        yield from _functions(value.__func__, depth + 1)
    elif isinstance(value, functools.cached_property):
        yield from _functions(value.func, depth + 1)
    elif isinstance(value, type):
        # A local class that shares the name of a function never is the function.
        return
    elif hasattr(value, "__wrapped__"):
        if _is_decorated_by_sources(value):
            yield from _functions(value.__wrapped__, depth + 1)
    elif isinstance(value, FunctionType):
        yield value


def _is_decorated_by_sources(value: Any) -> bool:
    """Whether the decorator is one that the frameworks use: of contextlib, functools or typing."""
    if isinstance(value, FunctionType):
        return _is_known(_home(value))
    return type(value).__module__ == "functools"


def _is_from_sources(value: Any) -> bool:
    """Whether something may be in a framework's namespace; what cannot be called always may."""
    if isinstance(value, MethodType):
        return _is_from_sources(value.__func__)
    if isinstance(value, functools.partial):
        return _is_from_sources(value.func)
    if isinstance(value, FunctionType):
        known = _is_known(_home(value))
        wrapped = getattr(value, "__wrapped__", None)
        return known and (wrapped is None or _is_from_sources(wrapped))
    if isinstance(value, type | BuiltinFunctionType):
        return _is_known(str(getattr(value, "__module__", None) or "builtins"))
    return not callable(value) or _is_known(type(value).__module__)


def _home(function: FunctionType) -> str:
    """Return the module in which a function is written, whatever its ``__module__`` was set to.

    typing_inspection makes some with ``exec`` in a namespace without a name.
    """
    return str(function.__globals__.get("__name__", "typing_inspection"))


def _is_known(module: str) -> bool:
    if module.startswith(_WATCHING):
        return False
    top = module.partition(".")[0]
    return top in _SOURCES or top in sys.stdlib_module_names
