"""The routes of `neighbours` inside a middleware with `dispatch`."""

from fastapi import FastAPI

from tests.parity.cases import neighbours, passing

CASES = neighbours.CASES


def make() -> FastAPI:
    return passing.within(neighbours.make())


app = make()
