"""Whether pydantic's reader of JSON gives what `json.loads` gives.

Native routes read bodies with it, for it is faster; FastAPI reads them with `json.loads`. What the
reader refuses is read by `json.loads` after all, so only what it accepts must be equal. Of pydantic
nothing else is imitated, so this is asked for in the place of its version.
"""

import json

# What releases of pydantic, or its options, could read otherwise: numbers at the edges, names that
# are there twice, escapes, white space.
_PROBES = (
    *(b"-0", b"-0.0", b"1E400", b"-1e400", b"1e-400", b"1e22", b"0e0", b"5e-324", b"0.1"),
    *(b"9007199254740993", b"9223372036854775808", b"-9223372036854775809", b"9" * 400),
    *(b"1.7976931348623157e308", b"123456789.123456789123456789", b"100000000000000000000.5"),
    *(b"NaN", b"[Infinity, -Infinity]", b'{"a": 1, "a": 2}', b'{"": {"": [[]]}}'),
    *(rb'"\u00e9\ud83d\ude00\u0000\/\t"', '"é\u2028\x7f"'.encode(), b" \t\r\n[1 , null]\n"),
)


def differs() -> bool:
    """Whether something is read otherwise."""
    # Not above: applications of other frameworks do not have it.
    from pydantic_core import from_json

    for probe in _PROBES:
        try:
            found = from_json(probe)
        except ValueError:
            continue
        # As text, for NaN, and for the sign of zero.
        if repr(found) != repr(json.loads(probe)):
            return True
    return False
