"""What becomes of the traceback of an exception that a handler has answered.

Starlette forgets it from 1.10.0 on, so that an exception that is raised again does not gather them.
"""

import sys

from andon.native.framework import inner_code


def are_forgotten() -> bool:
    """Whether the Starlette that is loaded forgets it."""
    handling = sys.modules["starlette._exception_handler"]
    code = inner_code(handling.wrap_app_handling_exceptions, "wrapped_app")
    return code is not None and "__traceback__" in code.co_names
