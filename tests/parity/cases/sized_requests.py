"""What is asked of `tests.parity.cases.sized` under any middleware."""

from collections.abc import Iterable

from tests.parity.cases.case import Case, case, get, send

Headers = tuple[tuple[str, str], ...]


def every_kind(
    title: str, headers: Headers, *, sizes: Iterable[int], threads: Iterable[int]
) -> list[Case]:
    """Every kind of answer, to requests with these header fields."""
    return [*_whole(title, headers, sizes, threads), *_in_pieces(title, headers)]


def _whole(
    title: str, headers: Headers, sizes: Iterable[int], threads: Iterable[int]
) -> list[Case]:
    json = ("content-type", "application/json")
    return [
        case(
            f"answers, {title}",
            *(get(f"/json/{size}", 200, *headers) for size in sizes),
            *(get(f"/thread/{size}", 200, *headers) for size in threads),
            get("/later", 200, *headers),
            get("/empty/204", 204, *headers),
            get("/headed/content-encoding?value=br", 200, *headers),
            send("POST", "/echo", 200, (json, *headers), "{}"),
        ),
        case(f"large ones, {title}", get("/huge", 200, *headers)),
        case(f"a large one of a thread, {title}", get("/huge-on-thread", 200, *headers)),
        case(
            f"errors, {title}",
            get("/json/x", 422, *headers),
            get("/refused", 403, *headers),
            get("/odd", 460, *headers),
            get("/absent", 404, *headers),
        ),
        case(f"it fails, {title}", get("/fails", 500, *headers, raises="ValueError")),
        case(
            f"a response that many share, {title}",
            *(get("/shared", 200, *headers) for _ in range(2)),
            wire=False,
        ),
    ]


def _in_pieces(title: str, headers: Headers) -> list[Case]:
    return [
        case(f"streams, {title}", get("/lines", 200, *headers), get("/stream", 200, *headers)),
        case(
            f"streams that break, {title}",
            get("/breaks/0", 500, *headers, raises="ValueError"),
            get("/odd-breaks", 500, *headers, raises="RuntimeError"),
            wire=False,
        ),
    ]
