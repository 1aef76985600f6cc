"""Limits of the size of bodies of single routes and routers, in an application that has none."""

from fastapi import APIRouter, FastAPI

from tests.parity.cases.case import case, post
from tests.parity.cases.limits import PLAIN, add_routes, cases_of, odd_handler
from tests.parity.generated.prelude import Odd


def make() -> FastAPI:
    app = FastAPI()
    app.exception_handler(Odd)(odd_handler)
    add_routes(app, "/free")
    add_routes(app, "/wide", max_body_size=20)
    router = APIRouter(max_body_size=6)
    add_routes(router)
    app.include_router(router, prefix="/router")
    included = APIRouter()
    add_routes(included)
    app.include_router(included, prefix="/included", max_body_size=5)
    return app


app = make()

CASES = [
    case(
        "free", post("/free/body", 200, "x" * 100, PLAIN), post("/free/read", 200, "x" * 100, PLAIN)
    ),
    *cases_of("/wide", 20),
    *cases_of("/router", 6),
    *cases_of("/included", 5),
]
