"""Requests that no route takes, where the handlers are those of FastAPI."""

from fastapi import FastAPI

from tests.parity.cases import missing


def make() -> FastAPI:
    return missing.make()


app = make()

CASES = missing.cases()
