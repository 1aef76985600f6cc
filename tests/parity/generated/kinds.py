"""Types that a parameter may have, and texts that are sent for them."""

from dataclasses import dataclass

SCALAR = "scalar"
LIST = "list"


@dataclass(frozen=True)
class Kind:
    """A type of a parameter, as it is written in the source."""

    annotation: str
    # What is right, as it stands in a URL or header, and as JSON.
    texts: tuple[str, ...]
    values: tuple[str, ...]
    default: str
    shape: str = SCALAR
    # May stand in a path, where there is no None and no list.
    path: bool = True


NUMBERS = ("0", "1", "7", "-3", "10")
UUID_TEXT = "0a0b0c0d-1111-4222-8333-444455556666"

KINDS = (
    Kind("int", NUMBERS, NUMBERS, "3"),
    Kind("float", ("1.5", "0", "1e-7", "-2"), ("1.5", "0", "1e-7"), "0.5"),
    Kind("str", ("a", "a b", "é", "0"), ('"a"', '"\\u00e9"', '""'), '"word"'),
    Kind("bool", ("true", "off", "1", "no"), ("true", "false"), "True"),
    Kind("date", ("2024-02-29",), ('"2024-02-29"',), "date(2024, 1, 2)"),
    Kind("datetime", ("2024-02-29T12:00:00Z", "0"), ('"2024-02-29T12:00"', "5"), "EPOCH"),
    Kind("timedelta", ("P1D", "-PT1.5S"), ('"PT1S"', "1.5"), "timedelta(seconds=3)"),
    Kind("UUID", (UUID_TEXT,), (f'"{UUID_TEXT}"',), f'UUID("{UUID_TEXT}")'),
    Kind("Decimal", ("1.10", "-0"), ('"1.10"', "1.10", "3"), 'Decimal("2.50")'),
    Kind("Colour", ("red", "blue"), ('"red"',), "Colour.RED"),
    Kind("Level", ("1", "2"), ("1", "2"), "Level.HIGH"),
    Kind('Literal["a", "b"]', ("a", "b"), ('"a"',), '"b"'),
    Kind("bytes", ("a", "é"), ('"a"',), 'b"x"'),
    Kind("Noted", NUMBERS, NUMBERS, "5"),
    Kind("Even", ("2", "4", "-6"), ("2", "4.0"), "6"),
    Kind("Bounded", ("1", "10"), ("1", "10"), "2"),
    Kind("Short", ("ab", "abc"), ('"ab"', '"abcde"'), '"zz"'),
    Kind("IPv4Address", ("127.0.0.1",), ('"127.0.0.1"', "5"), 'IPv4Address("10.0.0.1")'),
    Kind("int | None", NUMBERS, ("1", "null"), "None", path=False),
    Kind("str | None", ("a",), ('"a"', "null"), "None", path=False),
    Kind("int | str", ("1", "a"), ("1", '"a"'), '"x"'),
    Kind("bool | int", ("1", "2", "true"), ("1", "true"), "False"),
    Kind("Json[list[int]]", ("[1,2]", "[]"), ('"[1]"',), "[9]", path=False),
    Kind("list[int]", NUMBERS, ("[1, 2]", "[]"), "[]", LIST, False),
    Kind("list[str]", ("a", "b"), ('["a"]',), '["x"]', LIST, False),
    Kind("set[Colour]", ("red", "blue"), ('["red"]',), "set()", LIST, False),
    Kind("tuple[int, str]", ("1", "2"), ('[1, "a"]',), '(1, "a")', LIST, False),
    Kind("list[int] | None", NUMBERS, ("[1]", "null"), "None", LIST, False),
)

BODY_KINDS = (
    *KINDS,
    # No text is a strict integer.
    Kind("StrictInt", (), ("1", "-7"), "1", path=False),
    Kind("dict[str, int]", (), ('{"a": 1}', "{}"), "{}", path=False),
    Kind("dict[int, Decimal]", (), ('{"1": "2.5"}',), "{}", path=False),
    Kind("Any", (), ("null", "1", '{"a": [1]}', '"x"'), "None", path=False),
    Kind("Tree", (), ('{"children": [{"name": "a"}, {}]}', "{}"), "Tree()", path=False),
    Kind("Point", (), ('{"x": 1}', '{"x": 1, "y": 2}'), "Point(1)", path=False),
    Kind("Pair", (), ('[1, "a"]',), 'Pair(1, "a")', path=False),
)
