"""Draws requests for a generated application: mostly almost right, which goes furthest wrong."""

from random import Random
from urllib.parse import quote

from tests.parity.generated.bodies import draw_body
from tests.parity.generated.forms import draw_form
from tests.parity.generated.hostile import (
    COOKIE_TEXTS,
    HEADER_TEXTS,
    PATH_TEXTS,
    QUERY_TEXTS,
    WHOLE_QUERIES,
)
from tests.parity.generated.kinds import LIST, UUID_TEXT, Kind
from tests.parity.generated.layers import draw_headers, draw_host
from tests.parity.generated.specification import (
    BODY,
    COOKIE,
    FILE,
    FORM,
    HEADER,
    PATH,
    QUERY,
    Application,
    Parameter,
    Route,
)
from tests.parity.request import Request

Pair = tuple[bytes, bytes]
Texts = tuple[str | bytes, ...]

METHODS = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "DELETE", "PATCH", "TRACE", "get", "ODD")
OTHER_PATHS = (
    *(b"/", b"/items", b"/docs", b"/openapi.json", b"//", b"/r0", b"/r0/", b"/%ff", b"/a%2Fb"),
    *(
        b"/plain/a/b",
        b"/plain",
        b"/items/",
        b"/nowhere",
        b"/nowhere/",
        b"/r0/nowhere",
        b"/r0/items",
    ),
    *(b"/r0/plain/", b"/r1/nowhere/", b"/r1/plain/a", b"/r0/docs", b"/r1"),
)
# What a convertor lets through; empty: whatever is right for the parameter.
CONVERTOR_TEXTS: dict[str, tuple[str, ...]] = {
    ":int": ("0", "1", "2", "10"),
    ":float": ("1.5", "2", "0.25"),
    ":uuid": (UUID_TEXT, UUID_TEXT.replace("-", "").upper()),
    ":path": ("a/b", "1", "/"),
    ":str": (),
    "": (),
}
AUTHORIZATIONS = (
    *(b"Bearer abc", b"bearer abc", b"Bearer", b"Basic YTpi", b"Basic YTo=", b"Basic !!", b""),
    *(b"x", b"Basic dTpww6k=", b"Digest a", b"Bearer  two  words"),
)
OTHER_HEADERS: tuple[Pair, ...] = (
    (b"origin", b"http://a.example"),
    (b"origin", b"http://b.example"),
    (b"accept-encoding", b"gzip"),
    (b"accept", b"text/html"),
    (b"cookie", b"session=s; a=1"),
    (b"x-forwarded-proto", b"https"),
    (b"connection", b"close"),
    (b"host", b"other:81"),
)


def draw_request(random: Random, application: Application) -> Request:
    """One request, most often to one of the application's routes."""
    route = random.choice(application.routes)
    parameters = list(application.parameters(route))
    # Some are meant to be right, so that what comes after validation is reached as well.
    wrong = random.choice((0.0, 0.0, 0.0, 0.0, 0.02, 0.05, 0.1, 0.4))
    by_source = {
        source: [parameter for parameter in parameters if parameter.source == source]
        for source in (PATH, QUERY, HEADER, COOKIE, BODY, FORM, FILE)
    }
    method = random.choice(METHODS) if random.random() < 0.04 else route.method
    headers = _headers(random, by_source[HEADER], by_source[COOKIE], wrong)
    headers.extend(_credentials(random, application, wrong))
    headers.extend(draw_headers(random, application))
    if by_source[FORM] or by_source[FILE]:
        texts = _sent(random, by_source[FORM], wrong, QUERY_TEXTS)
        body, content_type = draw_form(random, texts, by_source[FILE], wrong)
    else:
        body, content_type = draw_body(random, by_source[BODY], wrong)
    if content_type is not None:
        headers.append((b"content-type", content_type))
    random.shuffle(headers)
    return Request(
        method,
        _path(random, application, route, by_source[PATH], wrong),
        _query(random, by_source[QUERY], wrong),
        (draw_host(random, application), *headers),
        _chunks(random, body),
    )


def _path(
    random: Random,
    application: Application,
    route: Route,
    parameters: list[Parameter],
    wrong: float,
) -> bytes:
    if random.random() < 0.06:
        return random.choice(OTHER_PATHS)
    path = application.full_path(route)
    for parameter in parameters:
        for convertor, texts in CONVERTOR_TEXTS.items():
            hole = f"{{{parameter.name}{convertor}}}"
            if hole in path:
                usual = texts or parameter.kind.texts
                text = random.choice(PATH_TEXTS if random.random() < wrong else usual)
                path = path.replace(hole, _in_path(text))
    if random.random() < 0.05:
        path = path[:-1] if path.endswith("/") else path + "/"
    return path.encode("ascii") or b"/"


def _in_path(text: str | bytes) -> str:
    return text.decode("ascii") if isinstance(text, bytes) else quote(text, safe="/:@,;=+")


def _query(random: Random, parameters: list[Parameter], wrong: float) -> bytes:
    if random.random() < wrong / 4:
        return random.choice(WHOLE_QUERIES)
    pairs = []
    for name, text in _sent(random, parameters, wrong, QUERY_TEXTS):
        name = quote(name, safe="")
        value = text.decode("ascii") if isinstance(text, bytes) else _quoted(random, text)
        pairs.append(f"{name}={value}" if value or random.random() < 0.5 else name)
    if random.random() < 0.1:
        pairs.append(random.choice(("unknown=1", "unknown", "=", "key=k", "q=1", "a=x")))
    random.shuffle(pairs)
    return "&".join(pairs).encode("ascii")


def _quoted(random: Random, text: str) -> str:
    if random.random() < 0.7:
        return quote(text, safe="")
    return quote(text, safe=" :+,").replace(" ", "+")


def _headers(
    random: Random, parameters: list[Parameter], cookies: list[Parameter], wrong: float
) -> list[Pair]:
    headers: list[Pair] = []
    for name, text in _sent(random, parameters, wrong, HEADER_TEXTS):
        headers.append((name.lower().encode(), _bytes(text)))
    headers.extend(_cookies(random, cookies, wrong))
    headers.extend(item for item in OTHER_HEADERS if random.random() < 0.04)
    return headers


def _credentials(random: Random, application: Application, wrong: float) -> list[Pair]:
    schemes = " ".join(scheme for _, scheme in application.security)
    found: list[Pair] = []
    if "HTTP" in schemes or "OAuth2" in schemes or random.random() < 0.05:
        usual = b"Bearer abc" if "Bearer" in schemes else b"Basic YTpi"
        value = random.choice(AUTHORIZATIONS) if random.random() < 0.05 + wrong else usual
        found.append((b"authorization", value))
    if "APIKeyHeader" in schemes and random.random() > wrong:
        found.append((b"x-key", random.choice((b"key", b"\xff"))))
    if "APIKeyCookie" in schemes and random.random() > wrong:
        found.append((b"cookie", b"session=s"))
    return found


def _cookies(random: Random, parameters: list[Parameter], wrong: float) -> list[Pair]:
    sent = _sent(random, parameters, wrong, COOKIE_TEXTS)
    pairs = [name.encode() + b"=" + _bytes(text) for name, text in sent]
    if not pairs:
        return []
    if random.random() < 0.1:
        return [(b"cookie", pair) for pair in pairs]
    return [(b"cookie", random.choice((b"; ", b"; ", b";", b" ;; ", b", ")).join(pairs))]


def _sent(
    random: Random, parameters: list[Parameter], wrong: float, hostile: Texts
) -> list[tuple[str, str | bytes]]:
    """Names with values, for all parameters of a source, each name once unless it is meant."""
    found: dict[str, list[str | bytes]] = {}
    for parameter in parameters:
        if parameter.model is not None:
            for alias, field in zip(parameter.aliases, parameter.model.fields, strict=False):
                found[alias] = _texts(random, field.kind, field.required, wrong, hostile)
        else:
            # Now and then by its own name, under which it may not be known.
            odd = random.random() < 0.03
            alias = parameter.name if odd else random.choice(parameter.aliases)
            found[alias] = _texts(random, parameter.kind, parameter.required, wrong, hostile)
    return [(name, text) for name, texts in found.items() for text in texts]


def _texts(
    random: Random, kind: Kind, required: bool, wrong: float, hostile: Texts
) -> list[str | bytes]:
    if random.random() < (wrong if required else 0.4):
        return []
    count = 1
    if kind.annotation.startswith("tuple["):
        count = 2
    elif random.random() < 0.1 or kind.shape == LIST:
        count = random.choice((1, 2, 3))
    return [random.choice(hostile if random.random() < wrong else kind.texts) for _ in range(count)]


def _bytes(text: str | bytes) -> bytes:
    return text.encode("utf-8") if isinstance(text, str) else text


def _chunks(random: Random, body: bytes) -> tuple[bytes, ...]:
    if not body:
        return random.choice(((), (), (b"",), (b"", b"")))
    if random.random() < 0.8 or len(body) < 2:
        return (body,)
    cut = random.randrange(1, len(body))
    return (body[:cut], body[cut:]) if random.random() < 0.7 else (body[:cut], b"", body[cut:], b"")
