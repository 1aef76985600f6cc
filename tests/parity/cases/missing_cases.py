"""What is sent to the applications of `missing`: whatever handlers and middleware they have."""

from tests.parity.cases.case import Case, Step, case, get, post, send

PLACES = ("", "/inner", "/inner/deep")

# How a request ends: the status, if it is not as ever, and what is raised.
End = tuple[int | None, str | None]


def cases(silent: End | None = None) -> list[Case]:
    """Requests; ``silent`` is how it ends that a handler for all of them returns nothing."""
    made = [*_missed(), *_redirects(), *_starlette()]
    return made if silent is None else [*made, *_answers(silent)]


def _answers(silent: End) -> list[Case]:
    """What handlers do by class; the innermost application has none."""
    fails, again, around = (500, "LookupError"), (500, "HTTPException"), (500, "RuntimeError")
    as_ever: End = (None, None)
    ends: dict[str, tuple[End, End]] = {
        "nothing": (silent, silent),
        "fails": (fails, fails),
        # In the application around it is handled once more.
        "again": (again, around),
        "stream": (as_ever, as_ever),
    }
    made = []
    for answer, (outer, inner) in ends.items():
        steps = [
            send(
                method,
                f"{place}{path}?answer={answer}",
                code if status is None else status,
                raises=raises,
            )
            for place, (status, raises) in zip(PLACES, (outer, inner, as_ever), strict=True)
            for method, path, code in (("GET", "/absent", 404), ("DELETE", "/item/1", 405))
        ]
        # Without an answer nothing is sent that could be compared.
        made.append(case(f"a handler: {answer}", *steps, wire=answer != "nothing"))
    return made


def _missed() -> list[Case]:
    found = [
        case(
            f"{place or '/'}: no route takes it",
            get(f"{place}/absent?a=1", 404),
            get(f"{place}/item/x/y", 404),
            get(f"{place}/", 404),
            post(f"{place}/absent", 404, '{"a": 1}'),
            send("HEAD", f"{place}/absent", 404),
            send("OPTIONS", f"{place}/absent", 404),
            get(f"{place}/ab%20sent%3F%C3%A9", 404),
            get(f"{place}/item/1"),
        )
        for place in PLACES
    ]
    refused = [
        case(
            f"{place or '/'}: no route takes its method",
            send("DELETE", f"{place}/item/1", 405),
            send("HEAD", f"{place}/item/12", 405),
            send("OPTIONS", f"{place}/item/12", 405),
            post(f"{place}/item/1?a=1", 405, '{"a": 1}'),
            send("PATCH", f"{place}/plain/a" if place else "/plain", 405),
        )
        for place in PLACES
    ]
    others = [
        case(
            "no route takes its method: of others",
            get("/item/x", 405),
            send("DELETE", "/router/one/a", 405),
            get("/router/deep/two/1/", 405),
            send("DELETE", "/router/plain/a", 405),
            post("/thread/a/b", 405, ""),
            send("PATCH", "/class", 405),
        ),
        case(
            "put into the scope before",
            get("/absent", 404, ("x-put", "app_root_path")),
            get("/inner/absent", 404, ("x-put", "app_root_path")),
            get("/item/1", 200, ("x-put", "root_path")),
        ),
    ]
    return [*found, *refused, *others]


def _redirects() -> list[Case]:
    places = [
        case(
            f"{place or '/'}: a slash at the end",
            get(f"{place}/slash", 307),
            get(f"{place}/slash?a=1&b=%20%C3%A9", 307),
            get(f"{place}/slash?", 307),
            get(f"{place}/item/1/", 307),
            get(f"{place}/item/1///", 307),
            get(f"{place}/item/x/y/", 404),
            post(f"{place}/slash", 307, "body"),
            send("HEAD", f"{place}/slash", 307),
        )
        for place in PLACES
    ]
    return [
        *places,
        case(
            "a slash at the end: of other routes",
            get("/router/one/a/", 307),
            get("/router/deep/two/1", 307),
            get("/plain/", 307),
            get("/thread", 307),
            get("/inner", 307),
            get("/routes", 307),
            get("/chat", 404),
            get("//", 404),
        ),
        case(
            "where a host is told",
            *_hosts("a.example", "a.example:81", "A.Example:443", "[::1]:80"),
        ),
        # Servers refuse some of them, and where none is told there is the port.
        case("where a host is not told", *_hosts("a b", "a/b", "", "a:99999"), wire=False),
        case("a name with a space", get("/router/deep/two/%20a%20", 307)),
    ]


def _hosts(*names: str) -> list[Step]:
    return [get("/slash", 307, ("host", name), host=False) for name in names]


def _starlette() -> list[Case]:
    paths = ("/plain", "/router/plain/a", "/inner/plain/b", "/inner/deep/plain/c")
    kinds = [
        case(
            f"{path}: what a route of Starlette returns",
            get(path),
            get(f"{path}?kind=task"),
            get(f"{path}?kind=stream"),
            get(f"{path}?kind=own"),
            send("HEAD", path, 200),
        )
        for path in paths
    ]
    raising = [
        case(
            f"{path}: what a route of Starlette raises",
            get(f"{path}?kind=http", 418),
            get(f"{path}?kind=nothing", 500, raises="TypeError"),
            get(f"{path}?kind=dictionary", 500, raises="TypeError"),
            get(f"{path}?kind=odd", 500, raises="Odd"),
            get(f"{path}?kind=fails", 500, raises="ValueError"),
        )
        for path in paths
    ]
    return [
        *kinds,
        *raising,
        case(
            "routes of Starlette on threads, classes, documentation",
            post("/plain", 200, "a body"),
            get("/thread/a/b", 201),
            get("/thread/", 201),
            get("/thread/a?fails", 500, raises="LookupError"),
            get("/class"),
            get("/docs"),
            get("/redoc"),
            get("/openapi.json"),
            get("/docs/oauth2-redirect"),
            get("/inner/docs"),
            get("/inner/openapi.json"),
            get("/routes/a"),
        ),
        case(
            "what fails",
            get("/fails", 500, raises="ValueError"),
            get("/inner/fails", 500, raises="ValueError"),
            get("/inner/deep/fails", 500, raises="ValueError"),
            get("/inner/teapot", 418),
            get("/inner/deep/teapot", 418),
        ),
    ]
