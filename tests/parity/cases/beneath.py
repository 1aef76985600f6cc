"""Mounts, routes of Starlette, and requests that no route takes, under middleware."""

from fastapi import FastAPI
from starlette.middleware import Middleware

from tests.parity.cases import missing, missing_cases


def make() -> FastAPI:
    return missing.make("status", [Middleware(missing.Telling)])


app = make()

CASES = missing_cases.cases()
