"""`CORSMiddleware` as the only middleware: any origin, without credentials."""

from fastapi import FastAPI

from tests.parity.cases.cors import cases_of, made


def make() -> FastAPI:
    return made(allow_origins=["*"], allow_methods=["*"], allow_headers=["*"])


app = make()

CASES = cases_of(200)
