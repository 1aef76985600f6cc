"""Requests that no route takes, where the handlers are those of FastAPI."""

from fastapi import FastAPI

from tests.parity.cases import missing, missing_cases


def make() -> FastAPI:
    return missing.make()


app = make()

CASES = missing_cases.cases()
