"""What FastAPI remembers of the functions and models of applications that are gone.

It keeps every one of them alive. Where a function was met in an error it is remembered by its `id`,
which a function of the next application may have.
"""

import fastapi._compat.v2
import fastapi.dependencies.models
import fastapi.routing

_CACHES = [
    value
    for module in (fastapi.dependencies.models, fastapi._compat.v2)
    for value in vars(module).values()
    if hasattr(value, "cache_clear")
]


def clear_caches() -> None:
    """Forget them all."""
    for cache in _CACHES:
        cache.cache_clear()
    fastapi.routing._endpoint_context_cache.clear()
