"""Compliance suites of other projects: gunicorn's ASGI suites and its wire files."""
