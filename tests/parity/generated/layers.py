"""Draws stacks of Starlette's own middleware, and header fields that such layers look at."""

from random import Random

from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware

from tests.parity.generated.release import known
from tests.parity.generated.specification import Application

Pair = tuple[bytes, bytes]

HOST = (b"host", b"testserver")
CORS = (
    (
        'allow_origins=["http://a.example"]',
        "allow_credentials=True",
        'expose_headers=["X-Set"]',
    ),
    ('allow_origins=["*"]', 'allow_methods=["*"]', 'allow_headers=["*"]'),
    ('allow_origins=["*"]', "allow_credentials=True", "allow_private_network=True"),
    (
        r'allow_origin_regex="http://.\.example"',
        'allow_methods=["POST"]',
        'allow_headers=["X-Token"]',
    ),
)
GZIP = (
    ("minimum_size=20",),
    ("minimum_size=0", "compresslevel=1"),
    ("minimum_size=0", "thread_minimum_size=40"),
    ("minimum_size=1", 'exclude_content_types=("application/json", "text/*")'),
)
HOSTS = (
    ('allowed_hosts=["testserver", "*.example", "www.other"]',),
    (),
)
# With the arguments that they may have.
KNOWN: dict[type, tuple[tuple[str, ...], ...]] = {
    CORSMiddleware: CORS,
    GZipMiddleware: GZIP,
    TrustedHostMiddleware: HOSTS,
}
REDIRECT = "HTTPSRedirectMiddleware"

OF_HOST = (b"a.example", b"other:81", b"unknown:80", b"testserver:443")
OF_CORS: tuple[Pair, ...] = (
    (b"access-control-request-method", b"GET"),
    (b"access-control-request-method", b"POST"),
    (b"access-control-request-headers", b"X-Token, accept"),
    (b"access-control-request-headers", b"x-other"),
    (b"access-control-request-private-network", b"true"),
)
ORIGINS = (b"http://a.example", b"http://b.example", b"null", b"\xe9")
CODINGS = (b"gzip", b"gzip, br", b"br", b"identity;q=1, x-gzip")


def draw(random: Random) -> tuple[str, ...]:
    """Statements that add a layer each, the outermost last."""
    layers = [_layer(random)]
    while random.random() < 0.4:
        layers.append(_layer(random))
    if random.random() < 0.03:
        # What is inside of it sees no request without TLS.
        layers.insert(random.randrange(len(layers) + 1), REDIRECT)
    return tuple(f"app.add_middleware({layer})" for layer in layers)


def _layer(random: Random) -> str:
    cls = random.choice((*KNOWN, GZipMiddleware))
    return ", ".join((cls.__name__, *known(cls, random.choice(KNOWN[cls]))))


def draw_host(random: Random, application: Application) -> Pair:
    """The first host of a request."""
    if _has(application, "TrustedHost", REDIRECT) and random.random() < 0.2:
        return b"host", random.choice(OF_HOST)
    return HOST


def draw_headers(random: Random, application: Application) -> list[Pair]:
    """Header fields of a request that the layers of an application look at, if it has any."""
    headers: list[Pair] = []
    if _has(application, "GZip") and random.random() < 0.7:
        headers.append((b"accept-encoding", random.choice(CODINGS)))
    if _has(application, "CORS") and random.random() < 0.5:
        headers.append((b"origin", random.choice(ORIGINS)))
        headers.extend(field for field in OF_CORS if random.random() < 0.1)
    return headers


def _has(application: Application, *names: str) -> bool:
    return any(name in statement for statement in application.statements for name in names)
