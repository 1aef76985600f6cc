"""Draws the bodies of requests: JSON that fits the parameters, JSON that does not, and garbage."""

import json
from random import Random

from tests.parity.generated.hostile import (
    BROKEN_BODIES,
    CONTENT_TYPES,
    JSON_CONTENT_TYPE,
    JSON_TEXTS,
)
from tests.parity.generated.specification import Field, Model, Parameter


def draw_body(
    random: Random, parameters: list[Parameter], wrong: float
) -> tuple[bytes, bytes | None]:
    """A body and its content type; both are there now and then where nobody asks for them."""
    if not parameters and random.random() < 0.9:
        return b"", None
    content_type = random.choice(CONTENT_TYPES) if random.random() < wrong else JSON_CONTENT_TYPE
    if random.random() < wrong / 2:
        return random.choice((b"", *BROKEN_BODIES)), content_type
    text = _whole(random, parameters, wrong)
    return _encoded(random, text, wrong), content_type


def _encoded(random: Random, text: str, wrong: float) -> bytes:
    if random.random() >= wrong / 3:
        return text.encode("utf-8", "surrogatepass")
    encoding = random.choice(("utf-16", "utf-32", "utf-8-sig", "utf-16-le", "utf-16-be", "latin-1"))
    data = text.encode(encoding, "replace")
    # Cut short, as what a client sends may be.
    return data[: random.randrange(len(data) + 1)] if random.random() < 0.3 else data


def _whole(random: Random, parameters: list[Parameter], wrong: float) -> str:
    names = {parameter.name for parameter in parameters}
    embedded = len(names) > 1 or any("embed=True" in item.options for item in parameters)
    if not embedded or random.random() < wrong / 2:
        return _value(random, parameters[0], wrong) if parameters else random.choice(JSON_TEXTS)
    members = [
        (parameter.name, _value(random, parameter, wrong))
        for parameter in parameters
        if random.random() >= (wrong / 2 if parameter.required else 0.4)
    ]
    return _object(random, members, wrong)


def _value(random: Random, parameter: Parameter, wrong: float) -> str:
    if random.random() < wrong / 2:
        return random.choice(JSON_TEXTS)
    if parameter.model is not None:
        return _of_model(random, parameter.model, wrong)
    return random.choice(parameter.kind.values)


def _of_model(random: Random, model: Model, wrong: float) -> str:
    members = [
        (_name(random, field, wrong), _of_field(random, field, wrong))
        for field in model.fields
        if random.random() >= (wrong / 2 if field.required else 0.4)
    ]
    return _object(random, members, wrong)


def _name(random: Random, field: Field, wrong: float) -> str:
    return field.name if random.random() < wrong / 2 else field.alias or field.name


def _of_field(random: Random, field: Field, wrong: float) -> str:
    return random.choice(JSON_TEXTS if random.random() < wrong else field.kind.values)


def _object(random: Random, members: list[tuple[str, str]], wrong: float) -> str:
    if random.random() < wrong:
        members.append((random.choice(("unknown", "", "__proto__", "m0", "\u00e9")), "1"))
    comma, colon = random.choice(((",", ":"), (", ", ": "), (" ,\n", "\t: ")))
    return "{" + comma.join(f"{json.dumps(name)}{colon}{value}" for name, value in members) + "}"
