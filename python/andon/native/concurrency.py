"""Dependencies of which only so many run at a time (``Depends(max_concurrency=...)``)."""

from contextlib import AbstractAsyncContextManager
from typing import Any

from andon.native.objects import Objects


def concurrency_of(dependant: Any, objects: Objects) -> int | None:
    """Return the number of what gives a dependency its semaphore; `None`: there is no limit."""
    concurrency = getattr(dependant, "concurrency", None)
    return None if concurrency is None else objects.number(concurrency)


def held(
    manager: AbstractAsyncContextManager[Any], semaphore: Any
) -> AbstractAsyncContextManager[Any]:
    """Put a context manager under a semaphore, as FastAPI does it."""
    # Older releases do not have it.
    from fastapi.concurrency import _contextmanager_with_concurrency_limit

    return _contextmanager_with_concurrency_limit(manager, semaphore)
