"""What a worker is told by the process that started it."""

import json
import os
from dataclasses import dataclass

VARIABLE = "ANDON_WORKER"


@dataclass(frozen=True)
class Setup:
    """The worker's orders. ``wire`` and ``memory`` are inherited descriptors; times are seconds."""

    wire: int
    memory: int
    number: int
    target: str
    factory: bool
    app_dir: str
    root_path: str
    lifespan: str
    loop: str
    log_level: str
    graceful_shutdown: float
    threads: int = 1000
    stall_report: float = 0.1
    cancel_on_disconnect: bool = False
    native: str = "auto"

    @classmethod
    def from_environment(cls) -> "Setup":
        """Take the orders out of the environment: no child of the application inherits them."""
        text = os.environ.pop(VARIABLE, None)
        if text is None:
            raise SystemExit(
                "error: andon.worker is started by andon itself\n\nhint: run `andon main:app`"
            )
        return cls(**json.loads(text))
