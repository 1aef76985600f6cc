"""Requests that no route takes, where the application handles every HTTPException."""

from fastapi import FastAPI

from tests.parity.cases import missing, missing_cases


def make() -> FastAPI:
    return missing.make("class fastapi")


app = make()

CASES = missing_cases.cases(silent=(0, None))
