"""Requests that no route takes, where the application has handlers for 404 and 405."""

from fastapi import FastAPI

from tests.parity.cases import missing, missing_cases


def make() -> FastAPI:
    return missing.make("status all")


app = make()

CASES = missing_cases.cases()
