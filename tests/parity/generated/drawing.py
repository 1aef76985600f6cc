"""Draws the parameters of a function: sources, types, defaults, aliases, models."""

from random import Random

from tests.parity.generated.forms import draw_form_parameters
from tests.parity.generated.kinds import BODY_KINDS, KINDS, LIST, SCALAR, Kind
from tests.parity.generated.specification import (
    BODY,
    COOKIE,
    HEADER,
    PATH,
    QUERY,
    Field,
    Model,
    Parameter,
)

# A model stands for all parameters of its source.
MODEL_SHARE = 0.08
# Of the functions that read a body.
FORM_SHARE = 0.25
NAMES = ("q", "limit", "user_id", "x_token", "tag", "a", "b", "sort_by")
CONVERTED = {":int": "int", ":float": "float", ":uuid": "UUID", ":path": "str", ":str": "str"}


def draw_parameters(
    random: Random,
    path_names: str,
    counts: tuple[int, ...],
    models: tuple[Model, ...],
    body_share: float,
    known: dict[tuple[str, str], Kind],
) -> tuple[Parameter, ...]:
    """The parameters of one function; `path_names` as "a:int b" are all of the path's.

    `known` are the kinds of an application's parameters by source and name. Most functions that
    share a name share its kind, or no request would be right for all of them.
    """
    parameters = [_path_parameter(random, text) for text in path_names.split()]
    names = random.sample(NAMES, random.choice(counts))
    parameters.extend(_parameter(random, name, known) for name in names)
    flat = [model for model in models if model.flat]
    if flat and random.random() < MODEL_SHARE:
        parameters.append(_model_parameter(random, random.choice(flat)))
    if random.random() < body_share * FORM_SHARE:
        parameters.extend(draw_form_parameters(random, models))
    elif random.random() < body_share:
        count = random.choice((1, 1, 1, 2, 3))
        parameters.extend(_body(random, f"body_{index}", models) for index in range(count))
    return tuple(parameters)


def _path_parameter(random: Random, text: str) -> Parameter:
    name, colon, convertor = text.partition(":")
    kinds = [kind for kind in KINDS if kind.path]
    if colon and random.random() < 0.9:
        kinds = [kind for kind in kinds if kind.annotation == CONVERTED[f":{convertor}"]]
    annotated = random.random() < 0.5
    return Parameter(name, PATH, random.choice(kinds), True, annotated=annotated, aliases=(name,))


def _parameter(random: Random, name: str, known: dict[tuple[str, str], Kind]) -> Parameter:
    source = random.choice((QUERY, QUERY, QUERY, HEADER, COOKIE))
    kinds = [kind for kind in KINDS if source != COOKIE or kind.shape == SCALAR]
    kind = random.choice(kinds)
    if random.random() < 0.9:
        kind = known.setdefault((source, name), kind)
    options, aliases = _alias(random, source, name)
    # A plain annotation means the query; a list needs Query() to be one.
    annotated = source != QUERY or kind.shape == LIST or random.random() < 0.5
    style = annotated and random.random() < 0.9
    required = random.random() < 0.5
    if annotated and not style and not options:
        # As a default value, Query() without a default is a required one.
        options = ("description='x'",)
    return Parameter(name, source, kind, required, options, style, aliases)


def _alias(random: Random, source: str, name: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    usual = name.replace("_", "-") if source == HEADER else name
    draw = random.random()
    if draw < 0.1:
        return (f"alias='{name}-Alias'",), (f"{name}-Alias",)
    if draw < 0.15:
        return (f"validation_alias='{name}-valid'",), (f"{name}-valid",)
    if draw < 0.2:
        choices = f"validation_alias=AliasChoices('{name}-one', '{name}-two')"
        return (choices,), (f"{name}-two", f"{name}-one")
    if draw < 0.25 and source == HEADER:
        return ("convert_underscores=False",), (name,)
    if draw < 0.3:
        return ("title='t'", "deprecated=True"), (usual,)
    return (), (usual,)


def _model_parameter(random: Random, model: Model) -> Parameter:
    source = random.choice((QUERY, QUERY, HEADER, COOKIE))
    aliases = tuple(field.alias or _of_header(field, source) for field in model.fields)
    kind = Kind(model.name, (), (), "None", path=False)
    return Parameter("group", source, kind, True, (), True, aliases, model)


def _of_header(field: Field, source: str) -> str:
    return field.name.replace("_", "-") if source == HEADER else field.name


def _body(random: Random, name: str, models: tuple[Model, ...]) -> Parameter:
    options = ("embed=True",) if random.random() < 0.15 else ()
    if random.random() < 0.6:
        model = random.choice(models)
        kind = Kind(model.name, (), (), "None", path=False)
        return Parameter(name, BODY, kind, True, options, True, (name,), model)
    kind = random.choice(BODY_KINDS)
    return Parameter(name, BODY, kind, random.random() < 0.7, options, True, (name,))
