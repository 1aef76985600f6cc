"""The same request through plain ASGI and through the native path: nobody may tell the difference.

`python -m tests.parity suite` runs FastAPI's own tests in each mode, `fuzz` sends hostile requests
to generated applications, `cases` runs the hand-written checklist, also over sockets.

What runs inside FastAPI's test suite (`plugin` and what it imports) is found there under the name
`andon_parity`, because that suite is a package called `tests` itself: hence relative imports here.
"""
