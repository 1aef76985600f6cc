"""Finding the application that ``module:attribute`` names."""

import importlib
import os
import sys
from collections.abc import Callable
from typing import Any

Application = Callable[..., Any]


class LoadError(Exception):
    """The application cannot be loaded: a message for the operator, and ``hint``: what to do."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


def load(target: str, *, factory: bool, app_dir: str) -> Application:
    """Import the application.

    Raises `LoadError` where ``target`` is wrong; an exception of the application's own code
    passes through.
    """
    module_name, separator, attribute = target.partition(":")
    if not separator or not module_name or not attribute:
        raise LoadError(
            f"`{target}` is not of the form `module:attribute`",
            "name the module and the attribute in it, such as `main:app`",
        )
    sys.path.insert(0, os.path.abspath(app_dir))
    found = _attribute(_module(module_name, app_dir), module_name, attribute)
    if factory:
        found = found()
    if not callable(found):
        raise LoadError(
            f"`{target}` is a {type(found).__name__}, which is not an ASGI application",
            "name a callable, such as the FastAPI() object",
        )
    return found  # type: ignore[no-any-return]


def _module(name: str, app_dir: str) -> Any:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        # Only the module asked for, or a package it is in: a missing import inside it is the
        # application's own error.
        if error.name is None or not (name + ".").startswith(error.name + "."):
            raise
        raise LoadError(
            f"there is no module `{name}`",
            f"modules are looked for in `{os.path.abspath(app_dir)}`; "
            "--app-dir names another directory",
        ) from None


def _attribute(module: Any, module_name: str, path: str) -> Any:
    found = module
    for name in path.split("."):
        try:
            found = getattr(found, name)
        except AttributeError:
            raise LoadError(
                f"module `{module_name}` has no attribute `{path}`",
                _candidates(module, module_name),
            ) from None
    return found


def _candidates(module: Any, module_name: str) -> str:
    """Name what looks like an application in the module."""
    names = sorted(
        f"`{module_name}:{name}`"
        for name, value in vars(module).items()
        if type(value).__name__ in {"FastAPI", "Starlette", "Quart", "Litestar"}
    )
    if names:
        return f"did you mean {' or '.join(names)}?"
    return f"the application must be an attribute of `{module_name}`"
