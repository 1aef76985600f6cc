"""Draws endpoints that are generators: what they yield, and how it goes out."""

from dataclasses import replace
from random import Random

from tests.parity.generated import statements
from tests.parity.generated.specification import (
    ASYNC_GENERATOR,
    GENERATOR,
    Effect,
    Function,
    Model,
)

EVENT_ITEMS = (
    'ServerSentEvent(data=values, event="named", id="1", retry=5)',
    'ServerSentEvent(raw_data="a\\r\\nb\\rc\\n", comment="x\\ny")',
    'ServerSentEvent(data=Tree(children=[Tree(name="é")]))',
    "ServerSentEvent(data=[1e-05, float('inf'), Point(1)])",
    "ServerSentEvent()",
    'ServerSentEvent(event="a\\nb")',
)
RAW_ITEMS = ("values", 'b"\\x00\\xff"', "memoryview(b'view')", '""', "where()", '"\\ud800"', "1")
RAW_CLASSES = (
    *("StreamingResponse", "StreamingResponse", "StreamingResponse"),
    *("PlainTextResponse", "JSONResponse"),
)


def streaming(
    random: Random, endpoint: Function, models: tuple[Model, ...], threads_at_end: bool
) -> tuple[Function, tuple[str, ...]]:
    """Make a generator of an endpoint; with it, the options of its route.

    ``threads_at_end``: the ends of dependencies may run on threads. Then there are no server-sent
    events, for whether those come first is up to the threads.
    """
    style = random.choice((ASYNC_GENERATOR, ASYNC_GENERATOR, GENERATOR))
    # What the client sends is waited for by the response, and not for the endpoint to take.
    injections = tuple(item for item in endpoint.injections if item[0] != "request")
    effects = tuple(
        effect
        for effect in statements.effects(random, style, injections, False)
        # The head goes out meanwhile, under middleware.
        if not on_thread(effect)
    )
    made = replace(endpoint, style=style, effects=effects, returns="", annotation=None)
    draw = random.random()
    if draw < 0.3:
        pieces = tuple(random.choices(RAW_ITEMS, k=random.choice((0, 1, 2, 3))))
        return replace(made, items=pieces), (f"response_class={random.choice(RAW_CLASSES)}",)
    items, annotation, options = _encoded(random, models)
    if draw < 0.55 and style == ASYNC_GENERATOR and not threads_at_end:
        items += tuple(random.choices(EVENT_ITEMS, k=random.choice((0, 1, 2))))
        options = (*options, "response_class=EventSourceResponse")
    outer = "AsyncIterable" if style == ASYNC_GENERATOR else "Iterable"
    of = None if annotation is None else f"{outer}[{annotation}]"
    return replace(made, items=items, annotation=of), options


def on_thread(effect: Effect) -> bool:
    """Whether something is noted on a thread."""
    return "to_thread" in effect.statement


def _encoded(
    random: Random, models: tuple[Model, ...]
) -> tuple[tuple[str, ...], str | None, tuple[str, ...]]:
    """Items of which each is encoded, their annotation, and options."""
    count = random.choice((0, 1, 2, 3))
    if random.random() < 0.5:
        annotation, right = random.choice(statements.ANNOTATED)
        wrong = (random.choice(statements.VALUES),) if random.random() < 0.3 else ()
        return (right,) * count + wrong, annotation, ()
    if random.random() < 0.5:
        item, model, options = statements.of_model(random, random.choice(models))
        # A model of the whole answer does not count.
        return (item,) * count, model, tuple(options)
    return tuple(random.choices(statements.VALUES, k=count)), None, ()
