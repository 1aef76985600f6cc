"""Draws forms: parameters that come from one, and bodies that are one, or nearly."""

from random import Random
from urllib.parse import quote_plus

from tests.parity.generated.kinds import KINDS, LIST, Kind
from tests.parity.generated.specification import FILE, FORM, Model, Parameter

Sent = list[tuple[str, str | bytes]]

FILE_KINDS = (
    Kind("UploadFile", (), (), "None", path=False),
    Kind("UploadFile | None", (), (), "None", path=False),
    Kind("bytes", (), (), 'b"none"', path=False),
    Kind("list[UploadFile]", (), (), "[]", LIST, path=False),
    Kind("list[bytes]", (), (), "[]", LIST, path=False),
)
URLENCODED = b"application/x-www-form-urlencoded"
MULTIPART = b"multipart/form-data; boundary=b"
CONTENT_TYPES: tuple[bytes | None, ...] = (
    *(None, b"", URLENCODED, MULTIPART, b"application/json", b"text/plain"),
    *(b"multipart/form-data", b"multipart/form-data; boundary=", b"multipart/mixed; boundary=b"),
    *(b"multipart/form-data; boundary=b; charset=latin-1", b"MULTIPART/FORM-DATA; boundary=b"),
    *(b"multipart/form-data; charset=nothing; boundary=b", b'multipart/form-data; boundary="b"'),
    *(b"application/x-www-form-urlencoded; charset=utf-16", b"multipart/form-data;boundary=\xff"),
)
BROKEN_FORMS = (
    *(b"", b"&", b"=", b"=&=", b"a", b"a=%", b"a=%zz&b=%ff", b"a;b=1", b"\x00=\x00", b"\xff=\xe9"),
    *(b"--b", b"--b--", b"--b\r\n", b"--b\r\n\r\n", b"--b\r\n\r\n--b--\r\n", b"nonsense", b"\r\n"),
    *(b"--b\nContent-Disposition: form-data; name=a\n\n1\n--b--\n", b"--b--\r\nafter", b"--c\r\n"),
    *(b"--b\r\nContent-Disposition: form-data\r\n\r\n1\r\n--b--\r\n", b"--b\r\nbroken: \r\n\r\n"),
    *(b'--b\r\ncontent-disposition: form-data; name="a"\r\n\r\nnever ends', b"--b\r\n: x\r\n\r\n"),
    b"&".join([b"a=1"] * 1001),
    b"a=" + b"x" * 70_000,
)
DATA = (b"", b"text", b"\x00\xff", b"\r\n--b", b"x" * 3000)
FILENAMES = (
    b'; filename="a.txt"',
    b'; filename=""',
    b'; filename="\xc3\xa9"',
    b"; filename=b",
    b"",
)


def draw_form_parameters(random: Random, models: tuple[Model, ...]) -> list[Parameter]:
    """The parameters of one function that are members of a form."""
    flat = [model for model in models if model.flat]
    if flat and random.random() < 0.25:
        model = random.choice(flat)
        aliases = tuple(field.alias or field.name for field in model.fields)
        kind = Kind(model.name, (), (), "None", path=False)
        return [Parameter("form", FORM, kind, True, (), True, aliases, model)]
    return [_parameter(random, f"form_{number}") for number in range(random.choice((1, 1, 2, 3)))]


def _parameter(random: Random, name: str) -> Parameter:
    source = random.choice((FORM, FORM, FILE))
    kind = random.choice(FILE_KINDS if source == FILE else KINDS)
    options = (f"alias='{name}-alias'",) if random.random() < 0.15 else ()
    aliases = (f"{name}-alias",) if options else (name,)
    return Parameter(name, source, kind, random.random() < 0.6, options, True, aliases)


def draw_form(
    random: Random, texts: Sent, files: list[Parameter], wrong: float
) -> tuple[bytes, bytes | None]:
    """A body and its content type, for these texts and for files of these parameters."""
    if random.random() < wrong / 2:
        return random.choice(BROKEN_FORMS), random.choice(CONTENT_TYPES)
    if random.random() < wrong:
        texts = [*texts, random.choice((("unknown", "1"), ("", ""), ("form_0", "é")))]
    if not files and random.random() < 0.5:
        pairs = [quote_plus(name).encode() + b"=" + _quoted(text) for name, text in texts]
        body, content_type = b"&".join(pairs), URLENCODED
    else:
        parts = [_part(name.encode(), b"", _plain(text)) for name, text in texts]
        parts += [_file(random, item, wrong) for item in files if random.random() >= wrong]
        random.shuffle(parts)
        body, content_type = b"".join(parts) + b"--b--\r\n", MULTIPART
    return body, random.choice(CONTENT_TYPES) if random.random() < wrong / 3 else content_type


def _file(random: Random, parameter: Parameter, wrong: float) -> bytes:
    count = random.choice((1, 2)) if parameter.kind.shape == LIST else 1
    name = parameter.aliases[0].encode()
    filenames = FILENAMES if random.random() < 0.2 + wrong else FILENAMES[:1]
    parts = [_part(name, random.choice(filenames), random.choice(DATA[:3])) for _ in range(count)]
    return b"".join(parts)


def _part(name: bytes, filename: bytes, data: bytes) -> bytes:
    head = b'--b\r\nContent-Disposition: form-data; name="%b"%b\r\n\r\n' % (name, filename)
    return head + data + b"\r\n"


def _quoted(text: str | bytes) -> bytes:
    return text if isinstance(text, bytes) else quote_plus(text.encode("utf-8")).encode()


def _plain(text: str | bytes) -> bytes:
    return text if isinstance(text, bytes) else text.encode("utf-8", "replace")
