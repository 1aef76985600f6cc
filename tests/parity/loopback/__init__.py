"""The face `wire`: each request crosses a real front and a real worker over loopback.

The applications of FastAPI's tests live in the process of the tests, with their fixtures and what
is patched. So the front is a process of its own as ever, but its worker is a thread of this one:

    client -> `face` -> socket -> front (process) -> `relay` -> worker (thread of `bridge`) -> app

The front starts `hand_over` in the place of a worker, which passes the worker's two descriptors on
to this process. Between front and worker stands a relay: it tells when a request has ended for the
worker (its background tasks included), and puts the addresses of the test client into the head.
"""
