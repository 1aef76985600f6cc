"""What FastAPI knows of the callable of a dependant.

Since 0.140 functions of `fastapi.dependencies.models` tell it, before that properties of the
dependant itself.
"""

from typing import Any, Protocol

from andon.native.description import CallKind


class Callables(Protocol):
    """Tells of a dependant what depends on its callable."""

    def kind(self, dependant: Any) -> CallKind:
        """Say how it is called: in the order of `solve_dependencies`."""

    def cache_key(self, dependant: Any) -> Any:
        """Return what dependants have in common whose results are shared."""

    def scopes(self, dependant: Any) -> list[str]:
        """Return the scopes of OAuth that are asked for."""


def callables_of(models: Any) -> Callables:
    """Return what tells it of the dependants of these ``models``."""
    return _Functions(models) if hasattr(models, "_get_cache_key") else _Properties()


class _Functions:
    def __init__(self, models: Any) -> None:
        self._models = models

    def kind(self, dependant: Any) -> CallKind:
        models, call = self._models, dependant.call
        if models._is_async_gen_callable(call):
            return "async_generator"
        if models._is_gen_callable(call):
            return "generator"
        return "coroutine" if models._is_coroutine_callable(call) else "function"

    def cache_key(self, dependant: Any) -> Any:
        return self._models._get_cache_key(dependant=dependant)

    def scopes(self, dependant: Any) -> list[str]:
        scopes: list[str] = self._models._get_oauth_scopes(dependant=dependant)
        return scopes


class _Properties:
    def kind(self, dependant: Any) -> CallKind:
        if dependant.is_async_gen_callable:
            return "async_generator"
        if dependant.is_gen_callable:
            return "generator"
        return "coroutine" if dependant.is_coroutine_callable else "function"

    def cache_key(self, dependant: Any) -> Any:
        return dependant.cache_key

    def scopes(self, dependant: Any) -> list[str]:
        scopes: list[str] = dependant.oauth_scopes
        return scopes
