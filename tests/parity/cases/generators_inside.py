"""The routes of `generators` inside a middleware with `dispatch`."""

from fastapi import FastAPI

from tests.parity.cases import generators, passing

# The head of an answer waits in the middleware until there is something after it.
CASES = generators.cases(failing_events=500)


def make() -> FastAPI:
    return passing.within(generators.make())


app = make()
