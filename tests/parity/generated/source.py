"""Writes the specification of an application as the source of a Python module."""

from collections.abc import Iterable, Iterator

from tests.parity.generated.specification import (
    ASYNC,
    ASYNC_CALLABLE,
    ASYNC_GENERATOR,
    CALLABLE,
    CLASS,
    GENERATOR,
    PARTIAL,
    Application,
    Effect,
    Field,
    Function,
    Model,
    Parameter,
    Route,
    Use,
)

HEADER = """\
import asyncio
import functools
from collections.abc import AsyncIterable, Iterable
from datetime import date, datetime, timedelta
from decimal import Decimal
from ipaddress import IPv4Address
from pathlib import Path as FilePath
from typing import Annotated, Any, Literal
from uuid import UUID

import anyio
from fastapi import (
    APIRouter, BackgroundTasks, Body, Cookie, Depends, FastAPI, File, Form, Header, HTTPException,
    Path, Query, Request, Response, Security, UploadFile, security,
)
from fastapi.exceptions import RequestValidationError, ResponseValidationError
from fastapi.middleware.cors import CORSMiddleware
from fastapi.middleware.gzip import GZipMiddleware
from fastapi.middleware.httpsredirect import HTTPSRedirectMiddleware
from fastapi.middleware.trustedhost import TrustedHostMiddleware
from fastapi.responses import (
    HTMLResponse, JSONResponse, PlainTextResponse, RedirectResponse, StreamingResponse,
)
from fastapi.security import SecurityScopes
from fastapi.sse import EventSourceResponse, ServerSentEvent
from pydantic import AliasChoices, BaseModel, ConfigDict, Field, Json, StrictInt
from starlette.background import BackgroundTask
from starlette.exceptions import HTTPException as AnyHTTPException
from starlette.requests import HTTPConnection

from tests.parity.generated.prelude import (
    VARIABLE, Bounded, Colour, Even, Hexadecimal, Level, Noted, Odd, Opaque, Pair, Point, Short,
    Text, Tree, VeryOdd, async_background, background, cancel, chance, leave, mark, note, plain,
    plain_on_thread, show, where,
)

EPOCH = datetime(1970, 1, 1)
"""
INDENT = "    "


def module(application: Application) -> str:
    """The whole module; its application is called `app`."""
    return "\n\n".join(_parts(application)) + "\n"


def _parts(application: Application) -> Iterator[str]:
    yield HEADER
    for model in application.models:
        yield "\n".join(_model(model))
    for name, scheme in application.security:
        yield f"{name} = {scheme}"
    for function in application.dependencies:
        yield "\n".join(_dependency(function))
    yield f"app = FastAPI({', '.join([*application.options, *_uses_option(application.uses)])})"
    for number, router in enumerate(application.routers):
        uses = _uses_option(router.uses)
        arguments = uses if router.mounted else [f"prefix={router.prefix!r}", *uses]
        made = "FastAPI" if router.mounted else "APIRouter"
        yield f"router_{number} = {made}({', '.join(arguments)})"
    for route in application.routes:
        yield "\n".join(_route(route))
    # The innermost first, for including copies nothing but keeps a reference.
    for number in reversed(range(len(application.routers))):
        router = application.routers[number]
        if router.mounted:
            yield f"{_router(router.nested_in)}.mount({router.prefix!r}, router_{number})"
        else:
            yield f"{_router(router.nested_in)}.include_router(router_{number})"
    yield from application.statements
    yield f"SCOPED = {application.scoped}"


def _model(model: Model) -> Iterator[str]:
    yield f"class {model.name}(BaseModel):"
    if model.config:
        yield f"{INDENT}model_config = ConfigDict({', '.join(model.config)})"
    for field in model.fields:
        yield f"{INDENT}{field.name}: {field.kind.annotation}{_field_default(field)}"


def _field_default(field: Field) -> str:
    if field.alias is None:
        return "" if field.required else f" = {field.kind.default}"
    arguments = [] if field.required else [f"default={field.kind.default}"]
    return f" = Field({', '.join([*arguments, f'alias={field.alias!r}'])})"


def _dependency(function: Function) -> Iterator[str]:
    signature = _signature(function)
    if function.style in (GENERATOR, ASYNC_GENERATOR):
        yield f"{_def(function.style)} {function.name}({signature}):"
        yield from _generator_body(function)
        return
    result = f"mark({function.name!r}, values)"
    if function.style == CLASS:
        yield f"class {function.name}:"
        yield f"{INDENT}def __init__(self, {signature}):"
        yield from _indented([*_body(function), f"{INDENT}self.text = {result}"])
        yield f"{INDENT}def __repr__(self):"
        yield f"{INDENT * 2}return self.text"
    elif function.style in (CALLABLE, ASYNC_CALLABLE):
        yield f"class Callable_{function.name}:"
        yield f"{INDENT}{_def(function.style)} __call__(self, {signature}):"
        yield from _indented([*_body(function), f"{INDENT}return {result}"])
        yield f"{function.name} = Callable_{function.name}()"
    else:
        name = f"whole_{function.name}" if function.style == PARTIAL else function.name
        yield f"{_def(function.style)} {name}({signature}):"
        yield from [*_body(function), f"{INDENT}return {result}"]
        if function.style == PARTIAL:
            yield f"{function.name} = functools.partial({name})"


def _generator_body(function: Function) -> Iterator[str]:
    yield from _body(function)
    yield f"{INDENT}try:"
    yield f"{INDENT * 2}yield mark({function.name!r}, values)"
    yield f"{INDENT}except Exception as error:"
    yield f"{INDENT * 2}note({function.name!r}, 'saw', type(error).__name__, where())"
    yield f"{INDENT * 2}{function.on_error}"
    yield f"{INDENT}finally:"
    yield f"{INDENT * 2}note({function.name!r}, 'ends', where())"
    yield from _indented(_effects(function.at_end))


def _body(function: Function) -> Iterator[str]:
    names = [parameter.name for parameter in function.parameters]
    names += [use.name for use in function.uses if use.name is not None]
    names += [name for name, _ in function.injections]
    yield f"{INDENT}values = show({', '.join(f'{name}={name}' for name in names)})"
    yield f"{INDENT}note({function.name!r}, values, where())"
    yield from _effects(function.effects)


def _effects(effects: Iterable[Effect]) -> Iterator[str]:
    for effect in effects:
        if effect.every == 1:
            yield f"{INDENT}{effect.statement}"
        else:
            yield f"{INDENT}if chance(values, {effect.every}):"
            yield f"{INDENT * 2}{effect.statement}"


def _route(route: Route) -> Iterator[str]:
    endpoint = route.endpoint
    arguments = [repr(route.path), *route.options, *_uses_option(route.uses)]
    arrow = "" if endpoint.annotation is None else f" -> {endpoint.annotation}"
    yield f"@{_router(route.router)}.{route.method.lower()}({', '.join(arguments)})"
    yield f"{_def(endpoint.style)} {endpoint.name}({_signature(endpoint)}){arrow}:"
    yield from _body(endpoint)
    if endpoint.style not in (GENERATOR, ASYNC_GENERATOR):
        yield f"{INDENT}return {endpoint.returns}"
        return
    yield from (f"{INDENT}yield {item}" for item in endpoint.items)
    yield f"{INDENT}note({endpoint.name!r}, 'ends', where())"
    if not endpoint.items:
        yield f"{INDENT}if False:"
        yield f"{INDENT * 2}yield"


def _signature(function: Function) -> str:
    parameters = [_parameter(parameter) for parameter in function.parameters]
    parameters += [f"{use.name}: Annotated[Any, {_use(use)}]" for use in function.uses if use.name]
    parameters += [f"{name}: {annotation}" for name, annotation in function.injections]
    return f"*, {', '.join(parameters)}" if parameters else ""


def _parameter(parameter: Parameter) -> str:
    annotation = parameter.model.name if parameter.model else parameter.kind.annotation
    default = "" if parameter.required else parameter.kind.default
    call = f"{parameter.source}({', '.join(parameter.options)})"
    if not parameter.options and not parameter.annotated:
        return f"{parameter.name}: {annotation}" + (f" = {default}" if default else "")
    if parameter.annotated:
        text = f"{parameter.name}: Annotated[{annotation}, {call}]"
        return text + (f" = {default}" if default else "")
    arguments = ", ".join([*([default] if default else []), *parameter.options])
    return f"{parameter.name}: {annotation} = {parameter.source}({arguments})"


def _use(use: Use) -> str:
    kind = "Depends" if use.scopes is None else "Security"
    scopes = [] if use.scopes is None else [f"scopes={list(use.scopes)!r}"]
    return f"{kind}({', '.join([use.dependency, *scopes, *use.options])})"


def _uses_option(uses: tuple[Use, ...]) -> list[str]:
    return [f"dependencies=[{', '.join(map(_use, uses))}]"] if uses else []


def _router(number: int | None) -> str:
    return "app" if number is None else f"router_{number}"


def _def(style: str) -> str:
    return "async def" if style in (ASYNC, ASYNC_CALLABLE, ASYNC_GENERATOR) else "def"


def _indented(lines: Iterable[str]) -> Iterator[str]:
    return (f"{INDENT}{line}" for line in lines)
