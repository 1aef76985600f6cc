"""Andon's bench: side by side measurements of Andon and other ASGI servers.

Run as ``python -m bench`` from the root of the repository. ``README.md`` beside this file says how
it is built.
"""
