"""The worker's log: the same lines on standard error as the front's."""

import logging
import sys
import time

_LEVELS = {
    "critical": logging.CRITICAL,
    "error": logging.ERROR,
    "warning": logging.WARNING,
    "info": logging.INFO,
    "debug": logging.DEBUG,
    "trace": logging.DEBUG,
}


class _Formatter(logging.Formatter):
    """``2026-01-02T03:04:05.678Z ERROR worker 1: text``, times in UTC."""

    converter = staticmethod(time.gmtime)
    default_time_format = "%Y-%m-%dT%H:%M:%S"
    default_msec_format = "%s.%03dZ"


def configure(level: str, worker: int) -> logging.Logger:
    """Set up the logger ``andon``; the application's own loggers are left alone."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Formatter(f"%(asctime)s %(levelname)-5s worker {worker}: %(message)s"))
    logger = logging.getLogger("andon")
    logger.handlers[:] = [handler]
    logger.setLevel(_LEVELS.get(level, logging.INFO))
    logger.propagate = False
    return logger
