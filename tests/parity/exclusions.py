"""What the suite leaves out, and what may differ, each with its reason. Nothing else may.

Names are node ids of FastAPI's suite, or beginnings of them. Used within that suite as well.
"""

import re
from dataclasses import dataclass

DESELECTED: dict[str, str] = {}

# Tests whose exchanges are not compared: they are not the same twice, even plainly.
UNSTABLE: dict[str, str] = {
    "tests/test_tutorial/test_sql_databases/test_tutorial001.py": (
        "SQLModel writes the columns of a row in the order of a set of objects, by their addresses"
    ),
    "tests/test_sse.py::test_keepalive_ping_": (
        "the application waits for six times the interval of pings: the sixth comes or does not"
    ),
}

_ONE_LOOP = (
    "the test waits for events that the application sets, and cancels what it does: they must have "
    "one event loop"
)
# Tests whose requests, or answers, cannot be the same behind a server: they stay in process.
NOT_OVER_SOCKETS: dict[str, str] = {
    "tests/test_dependency_concurrency.py": _ONE_LOOP,
    "tests/test_dump_json_fast_path.py": (
        "it counts who writes JSON, and its application is inspected with the request that it sends"
    ),
    "tests/test_async_dependency_cleanup.py": _ONE_LOOP,
    "tests/test_telemetry/test_http.py::test_known_http_methods[CONNECT]": (
        "CONNECT is for proxies (RFC 9110, section 9.3.6); the front refuses it"
    ),
    "tests/test_concurrency.py::test_cancelled_request_closes_nested_sync_dependencies": _ONE_LOOP,
    "tests/test_request_body_limits.py::test_body_limit_counts_actual_bytes": (
        "the length that they declare is not that of their body; a server goes by it"
    ),
    "tests/test_telemetry/test_semantic_conventions.py::test_request_authority_is_only_on_spans": (
        "a server refuses a Host field that names no host (RFC 9112, section 3.2)"
    ),
    "tests/test_request_body_limits.py::test_limit_stops_consumption_before_endpoint": (
        "it counts the pieces of a body that are taken from the client; a server reads ahead"
    ),
    "tests/test_dependency_after_yield_streaming.py::test_broken_session_stream": (
        "it fails between the head of its answer and the first of its body; a server may keep the "
        "head until then (ASGI, `http.response.start`), so that its answer is a 500"
    ),
}

# Cases in which the native path is known to answer otherwise; one that no longer does is a failure.
KNOWN_DIFFERENCES: dict[str, str] = {}

# Beginnings of reasons why an exchange on one of FastAPI's routes is the application's for good.
# The native share is that of all others.
BY_DESIGN: dict[str, str] = {
    "not native: the event loop is not asyncio's": "Andon's workers run asyncio only",
    "no route takes method and path": "its own default, or frontends, come behind all routes",
    "the application has changed": "overrides and changes are honoured by the application",
    "its handler is wrapped by": "user code takes the place of FastAPI's",
    "its class has a": "user code takes the place of FastAPI's",
    "a route of the class": "user code takes the place of FastAPI's",
    "application: FastAPI's telemetry is on": "its spans are made by FastAPI's own code",
    "application: the application is no FastAPI()": "user code stands around it",
    "application: `fastapi.": "someone has replaced a part of FastAPI",
    "application: `json.": "someone has replaced a part of the standard library",
    "application: `starlette.": "someone has replaced a part of Starlette",
    "application: it cannot be inspected": "the application's own code fails when it is read",
}
# Of the exchanges on FastAPI's routes in the selection of `make test`; a lower share means that
# something fell back which did not before.
LEAST_NATIVE_SHARE = 0.98


@dataclass(frozen=True)
class Mask:
    """A part of bodies, header values and exceptions that is not compared."""

    tests: str
    pattern: re.Pattern[str]
    reason: str


MASKS = [
    Mask(
        "tests/test_tutorial/test_security/",
        re.compile(r"eyJ[\w-]+\.[\w-]+\.[\w-]+"),
        "a signed token holds the second in which it was made",
    ),
    Mask(
        "tests/test_tutorial/test_dependencies/",
        re.compile(r"Mock id='\d+'"),
        "the address of an object",
    ),
    Mask(
        "tests/test_pydanticv2_dataclasses_uuid_stringified_annotations.py",
        re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
        "a random UUID",
    ),
    Mask(
        "tests/test_tutorial/test_middleware/",
        re.compile(r"^[0-9.e-]+$"),
        "the header says how long the request took",
    ),
    Mask(
        "tests/test_tutorial/test_custom_request_and_route/test_tutorial003.py",
        re.compile(r"^[0-9.e-]{12,}$"),
        "the header says how long the request took",
    ),
    Mask(
        "tests/",
        re.compile(r'File ".*", line \d+, in \w+'),
        "FastAPI remembers where an endpoint stands by its address, which a later one may have",
    ),
]


def masked(test: str, text: str) -> str:
    """The text without what cannot be compared."""
    for mask in MASKS:
        if test.startswith(mask.tests):
            text = mask.pattern.sub("*", text)
    return text
