"""What of an answer a front may change on its way over a socket: the order of header fields."""

from collections.abc import Iterable

Field = tuple[str, str]
EMPTY = ("content-length", "0")


def grouped(headers: Iterable[Field]) -> list[Field]:
    """The fields in the order in which hyper writes them, which is the front's affair.

    Fields of one name stand together; their order is kept, that of different names does not matter
    (RFC 9110, section 5.3). A length of zero is written by hyper itself, behind all others.
    """
    names: dict[str, list[Field]] = {}
    last: list[Field] = []
    for field in headers:
        (last if field == EMPTY else names.setdefault(field[0], [])).append(field)
    return [field for fields in names.values() for field in fields] + last
