"""Writes what CPython and Starlette make of paths, query strings, cookies and content types.

    .venv/bin/python crates/plan/tests/data/record.py

The tables beside this file are what the crate's tests compare with. Bytes are written as the
characters of Latin-1 with the same numbers. The output depends on the seed only.
"""

import email.message
import json
import random
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import parse_qsl

from starlette.requests import cookie_parser
from starlette.routing import compile_path

HERE = Path(__file__).parent

QUERIES = [
    "", "&", "&&", "=", "==", "a", "a=", "=a", "a=b", "a=b=c", "a&b", "a=1&a=2&a=", "a;b=1;c",
    "+", "a+b=c+d", "%2B=%2b", "%", "%%", "%4", "%4g", "%g4", "%41", "%4%31", "%u0041",
    "a%00b=%00", "%26=%3D&b=%26", "a%20b=c%20", "%C3%A9=%c3%a9", "%C3", "%C3%", "%C3&%A9",
    "%C3=%A9", "%c3+%a9", "%ED%A0%80", "%F4%90%80%80", "%F0%9F%98%80", "%F0%9F%98", "%F0%9F%98x",
    "%F0%9F%98%F0%9F%98%80", "%E2%82", "%E2%82%E2%82%AC", "%C0%80", "%FF%FE", "%80",
    "%EF%BB%BFa=b", "a=%EF%BF%BE", "\xe9=\xe9", "%C3\xa9", "\xc3%A9", "%4\xe91", "\xe9+%41",
    "\xff", "a=\x80&\x80", "a=b#c", "a b=c d", "a\x00b", "a=\n", "\t=\r\n", "a%0A=%0D",
    "a=%2525", "a=%252525", "&=&", "a=&=b&",
]  # fmt: skip

COOKIES = [
    "", ";", "=", "a", "a=", "=a", "a=b", " a = b ", "a=b; c=d", "a=b;c=d;", "a=b;;c=d", "a=b=c",
    "a;b=c;d", "a=1;a=2", 'a="b"', 'a="', 'a=""', 'a="""', 'a="b', 'a=b"', 'a=" b "', r'a="\""',
    r'a="\\"', r'a="\""; b="\\\""', r'a="\"', r'a="\101"', r'a="\400"', r'a="\08"', r'a="\351"',
    r'a="\377\000"', r'a="\1"', r'a="\12"', r'a="\128"', r'a="\\101"', r'a="x\;y"', 'a="b;c"',
    'a="\\\n"', 'a="\\\n\\""', 'a="\\', "a=\\101", '"a"=b', "a=%20+", "\xa0a\xa0=\x85b\x85",
    "\x1ca\x1f=\x1db\x1e", "\xe9=\xe9", 'a="\xe9"', 'a="\\\xe9"', "a=\xc3\xa9", "a\x00=b\x00",
    "\ta\t=\tb\t", "a=b\n; c=d", "$Version=1; a=b; $Path=/", "a=b, c=d", "  ;  ; x",
    "expires=Wed, 01 Jan 2020 00:00:00",
]  # fmt: skip

CONTENT_TYPES = [
    "application/json", "Application/JSON", "application/json;charset=utf-8",
    "application/json ; charset=utf-8", " application/json", "application/json ",
    "\tapplication/json\t", "application/json;", ";application/json", ";", " ",
    "application/vnd.api+json", "application/+json", "application/a+json;x",
    "application/json+x", "application/jsonx", "application/xjson", "application/x-json",
    "application/", "/json", "application", "json", "application/json/", "application//json",
    "/application/json", "application/a/b+json", "text/json", "text/plain", "application /json",
    "application/ json", "application/json, text/plain", "application/json,application/json",
    "application/json\t;x", "application/geo+JSON", "multipart/form-data; boundary=a",
    "application/json; a/b=c", '"application/json"', "application/json (comment)", "*/*",
    "application/*+json", "application/*", "application/x-www-form-urlencoded",
    "APPLICATION/A+JSON ;b", "application/=json", "a/b;application/json",
]  # fmt: skip

# `#` becomes a number of its own in each place.
TEMPLATE = [
    "/", "/", "/", "a", "1", "-", ".", "{p#}", "{p#:int}", "{p#:float}", "{p#:uuid}", "{p#:path}",
    "{p#-x}", "{", "}", "{9}", "(", "*", "$", "\\d", " ",
]  # fmt: skip

PIECES = {
    "path": [
        "/", "/", "/", "a", "1", "17", "-", ".", "1.5", "b", "{p1-x}", "{", "}", "{9}", "(", "*",
        "$", "\\d", " ", "0123456789abcdef0123456789ABCDEF", "01234567-89ab-cdef-0123-456789abcdef",
    ],
    "query": [
        "&", "=", "+", "%", "%4", "%41", "%C3", "%A9", "%ED", "%A0", "%F0", "%9F", "%98", "%80",
        "%E2", "%82", "%00", "a", "b", "q", ";", " ", "\xe9", "\xc3", "\xff", "\x00", "%2B",
        "%26", "%3d", "1",
    ],
    "cookie": [
        ";", "=", '"', "\\", "a", "b", " ", "\t", "0", "1", "7", "3", "\\101", '="', '";', "\n",
        "\xe9", "\xa0", "\x85", "\x1c", "\x00", "; ", ",",
    ],
    "content type": [
        "application", "/", "json", "+json", ";", " ", "text", "\t", "+", "JSON", "a", ",", "=",
    ],
}  # fmt: skip


def hostile(random_: random.Random, kind: str, count: int) -> Iterator[str]:
    """Yield random texts of what is special for this kind of field."""
    for _ in range(count):
        yield "".join(random_.choices(PIECES[kind], k=random_.randint(1, 12)))


def template(random_: random.Random) -> str:
    """Return a random template."""
    pieces = random_.choices(TEMPLATE, k=random_.randint(0, 5))
    return "/" + "".join(piece.replace("#", str(number)) for number, piece in enumerate(pieces))


def paths(random_: random.Random, count: int) -> Iterator[tuple[str, str, list[str] | None]]:
    """Yield templates with paths and what their parameters are, half of them matching."""
    wanted = {True: count // 2, False: count // 2}
    while any(wanted.values()):
        pattern, _, _ = compile_path(path_template := template(random_))
        for path in ("/" + text for text in hostile(random_, "path", 10)):
            match = pattern.match(path)
            if wanted[match is not None]:
                wanted[match is not None] -= 1
                yield path_template, path, list(match.groupdict().values()) if match else None


def query(text: str) -> list[tuple[str, str]]:
    """Return what Starlette's ``QueryParams`` holds."""
    return parse_qsl(text, keep_blank_values=True)


def cookies(text: str) -> list[tuple[str, str]]:
    """Return the cookies sorted: their order does not matter."""
    return sorted(cookie_parser(text).items())


def is_json(text: str) -> bool:
    """Return what ``fastapi.routing.get_request_handler`` decides."""
    message = email.message.Message()
    message["content-type"] = text
    subtype = message.get_content_subtype()
    is_application = message.get_content_maintype() == "application"
    return is_application and (subtype == "json" or subtype.endswith("+json"))


def write(name: str, rows: Iterable[tuple[object, ...]]) -> None:
    """Write one row a line."""
    lines = ",\n".join(json.dumps(row, separators=(",", ":")) for row in rows)
    (HERE / name).write_text(f"[\n{lines}\n]\n", encoding="ascii")


def main() -> None:
    """Write all tables."""
    random_ = random.Random(1)
    queries = [*QUERIES, *hostile(random_, "query", 1500)]
    write("queries.json", ((text, query(text)) for text in queries))
    fields = [*COOKIES, *hostile(random_, "cookie", 1500)]
    write("cookies.json", ((text, cookies(text)) for text in fields))
    types = [*CONTENT_TYPES, *hostile(random_, "content type", 500)]
    write("content_types.json", ((text, is_json(text)) for text in types))
    write("paths.json", paths(random_, 2000))


if __name__ == "__main__":
    main()
