"""The parcels desk: a small application which uses what real ones use, and misbehaves on demand.

Serve it with `andon main:app --app-dir examples`, and open http://127.0.0.1:8000/ in a browser.
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import blocking
import live
import parcels
import store
import uploads
from fastapi import FastAPI
from fastapi.responses import HTMLResponse

PAGES = Path(__file__).parent / "pages"


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    """Make the tables before the first request; every worker does so, and the first one wins."""
    store.create_tables()
    yield


app = FastAPI(title="Parcels desk", lifespan=lifespan)
app.include_router(parcels.router)
app.include_router(live.router)
app.include_router(uploads.router)
app.include_router(blocking.router)


@app.get("/", response_class=HTMLResponse, include_in_schema=False)
def index() -> str:
    """The page which says what there is."""
    return (PAGES / "index.html").read_text()


@app.get("/desk", response_class=HTMLResponse, include_in_schema=False)
def desk() -> str:
    """The page of the desk, which uses the WebSocket."""
    return (PAGES / "desk.html").read_text()


@app.get("/health")
async def health() -> dict[str, int | str]:
    """Whether a worker answers, and which."""
    return {"status": "ok", "pid": os.getpid()}
