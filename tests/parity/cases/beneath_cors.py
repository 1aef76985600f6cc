"""The same behind `CORSMiddleware`, without handlers."""

from fastapi import FastAPI
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware

from tests.parity.cases import missing, missing_cases


def make() -> FastAPI:
    return missing.make("all", [Middleware(CORSMiddleware, allow_origins=["*"])])


app = make()

CASES = missing_cases.cases()
