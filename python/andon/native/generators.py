"""Context managers of asynchronous generators, for all but the usual way through them."""

from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any


class _Unstopped:
    """A generator that has yielded once more although it was to end."""

    def __init__(self, generator: AsyncGenerator[Any, Any]) -> None:
        self._generator = generator

    def __aiter__(self) -> "_Unstopped":
        return self

    async def __anext__(self) -> None:
        """Yield as it has done already."""

    async def aclose(self) -> None:
        await self._generator.aclose()


def manager(
    generator: AsyncGenerator[Any, Any], unstopped: bool = False
) -> AbstractAsyncContextManager[Any]:
    """Make a context manager of a generator that was called and perhaps entered already.

    `unstopped`: it was asked to end, and has yielded instead.
    """
    return asynccontextmanager(lambda: _Unstopped(generator) if unstopped else generator)()
