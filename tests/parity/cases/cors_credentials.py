"""`CORSMiddleware` as the only middleware: any origin, with credentials."""

from fastapi import FastAPI

from tests.parity.cases.cors import cases_of, made


def make() -> FastAPI:
    return made(
        allow_origins=["*"], allow_credentials=True, expose_headers=["X-Token"], allow_methods=["*"]
    )


app = make()

CASES = cases_of(200)
