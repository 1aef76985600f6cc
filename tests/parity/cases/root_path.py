"""An application that is told under which path it stands."""

from fastapi import APIRouter, FastAPI, Request

from tests.parity.cases.case import case, get, post


def make() -> FastAPI:
    app = FastAPI()
    # As the argument of that name does, which is deprecated.
    app.root_path = "/api"
    router = APIRouter(prefix="/nested")

    @app.get("/item")
    async def item(request: Request) -> list[str]:
        scope = request.scope
        return [str(request.url), scope["root_path"], scope["path"], str(request.url_for("item"))]

    @app.get("/slash/")
    async def slash() -> str:
        return "slash"

    @router.get("/{name}")
    async def nested(request: Request, name: str) -> list[str]:
        return [name, str(request.base_url)]

    app.include_router(router)
    return app


app = make()

CASES = [
    case("without the root path", get("/item"), get("/nested/a")),
    case("with it", get("/api/item"), get("/api/nested/a")),
    case("only a part of a segment", get("/apiitem", 404), get("/api", 404), get("/api/", 404)),
    case("nothing there", get("/api/absent", 404), get("/api/item/x/", 404)),
    case("another method", post("/api/item", 405, ""), post("/nested/a", 405, "")),
    case("redirects", get("/slash", 307), get("/api/slash", 307)),
    case("documentation", get("/api/openapi.json"), get("/openapi.json"), get("/docs")),
]
