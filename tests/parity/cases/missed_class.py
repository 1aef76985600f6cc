"""Requests that no route takes, where the application handles every HTTPException."""

from fastapi import FastAPI

from tests.parity.cases import missing


def make() -> FastAPI:
    return missing.make("class fastapi")


app = make()

CASES = missing.cases(silent=(0, None))
