"""A FastAPI application whose start-up raises."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    """Raise where a pool would be opened."""
    raise ConnectionError("no route to the database")
    yield


app = FastAPI(lifespan=lifespan)
