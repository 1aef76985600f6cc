"""Objects of the framework that user code asks for, and what it finds in them."""

from typing import Annotated, Any

from fastapi import (
    APIRouter,
    BackgroundTasks,
    Depends,
    FastAPI,
    Request,
    Response,
    Security,
    security,
)
from fastapi.security import SecurityScopes
from starlette.background import BackgroundTask
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse

from tests.parity.cases.case import case, get, post
from tests.parity.generated.prelude import background, show

OAUTH = security.OAuth2PasswordBearer(tokenUrl="token", scopes={"me": "", "items": ""})
BASIC = security.HTTPBasic(realm="r")
BEARER = security.HTTPBearer(auto_error=False)


async def granted(scopes: SecurityScopes, token: Annotated[str, Depends(OAUTH)]) -> list[str]:
    return [*scopes.scopes, token, scopes.scope_str]


def also(granted: Annotated[list[str], Security(granted, scopes=["items"])]) -> list[str]:
    return granted


async def decorates(response: Response, tasks: BackgroundTasks) -> None:
    response.headers["X-Of-Dependency"] = "1"
    response.set_cookie("a", "1")
    response.status_code = 202
    tasks.add_task(background, "of the dependency", 1)


def make() -> FastAPI:
    app = FastAPI()
    router = APIRouter(prefix="/router/{name}")

    @app.get("/request/{item}")
    async def request_itself(request: Request, connection: HTTPConnection, item: str) -> str:
        return show(request=request, connection=connection, same=request is connection)

    @router.get("/request")
    def on_thread(request: Request) -> str:
        return show(request=request)

    @app.get("/url")
    async def urls(request: Request) -> list[str]:
        request.state.value = 1
        return [str(request.url), str(request.base_url), str(request.url_for("urls"))]

    @app.post("/read")
    async def read(request: Request) -> Any:
        return [(await request.body()).decode(), await request.json()]

    @app.get("/response", dependencies=[Depends(decorates)])
    async def response_itself(response: Response, tasks: BackgroundTasks) -> str:
        tasks.add_task(background, "of the endpoint", 2)
        response.headers["content-type"] = "text/odd"
        response.headers.append("x-twice", "1")
        response.headers.append("x-twice", "2")
        return "text"

    @app.get("/status", status_code=201)
    async def status(response: Response) -> str:
        response.status_code = 203
        return "203 wins"

    @app.get("/returned", dependencies=[Depends(decorates)])
    async def returned(tasks: BackgroundTasks) -> Response:
        tasks.add_task(background, "added", 3)
        return PlainTextResponse("no headers of the injected one")

    @app.get("/own-task", dependencies=[Depends(decorates)])
    async def own_task() -> Response:
        return PlainTextResponse("own", background=BackgroundTask(background, "own", 4))

    _add_security(app)
    app.include_router(router)
    return app


def _add_security(app: FastAPI) -> None:
    @app.get("/scopes", dependencies=[Security(granted, scopes=["me"])])
    async def scopes(
        both: Annotated[list[str], Security(also, scopes=["me"])],
        none: Annotated[list[str], Depends(granted)],
    ) -> Any:
        return [both, none]

    @app.get("/basic")
    async def basic(who: Annotated[security.HTTPBasicCredentials, Depends(BASIC)]) -> Any:
        return who

    @app.get("/bearer")
    async def bearer(who: Annotated[Any, Depends(BEARER)]) -> Any:
        return who

    for name, scheme in {
        "header": security.APIKeyHeader(name="X-Key"),
        "query": security.APIKeyQuery(name="key", auto_error=False),
        "cookie": security.APIKeyCookie(name="key"),
        "digest": security.HTTPDigest(),
        "open-id": security.OpenIdConnect(openIdConnectUrl="/id"),
    }.items():

        @app.get(f"/key/{name}")
        async def key(value: Annotated[Any, Security(scheme)]) -> Any:
            return value


app = make()


def authorized(value: str) -> tuple[str, str]:
    return ("authorization", value)


CASES = [
    case(
        "the request", get("/request/a?b=%20&b=2", 200, ("x", "1"), ("cookie", "c=1")), wire=False
    ),
    case("the request on a thread, in a router", get("/router/a/request"), wire=False),
    case("URLs", get("/url?a=1"), get("/url", 200, ("host", "other:81"), host=False)),
    case("reading the body", post("/read", 200, '{"a": 1}')),
    case("the response", get("/response", 202), get("/status", 203)),
    case("the response, but one is returned", get("/returned"), get("/own-task")),
    case("OAuth2 and scopes", get("/scopes", 200, authorized("Bearer t")), get("/scopes", 401)),
    case("basic", get("/basic", 200, authorized("Basic dTpw")), get("/basic", 401)),
    case(
        "bad basic",
        get("/basic", 401, authorized("Basic !")),
        get("/basic", 401, authorized("Basic dTpww6k=")),
    ),
    case(
        "bearer",
        get("/bearer", 200, authorized("bearer  a b")),
        get("/bearer"),
        get("/bearer", 200, authorized("Basic x")),
    ),
    case("key in a header", get("/key/header", 200, ("x-key", "\xe9")), get("/key/header", 401)),
    case("key in a query", get("/key/query?key=a&key=b"), get("/key/query")),
    case("key in a cookie", get("/key/cookie", 200, ("cookie", "key=v")), get("/key/cookie", 401)),
    case("digest", get("/key/digest", 200, authorized("Digest a")), get("/key/digest", 401)),
    case("OpenID", get("/key/open-id", 200, authorized("anything")), get("/key/open-id", 401)),
]
