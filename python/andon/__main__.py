"""The console script ``andon``, also ``python -m andon``."""

import signal
import sys

from andon import _andon


def main() -> None:
    """Run the command line and exit with its code."""
    # The front has handlers of its own, which call those that they find. Python's would only raise
    # KeyboardInterrupt once the front has ended.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    sys.exit(_andon.main(sys.argv[1:], sys.executable))


if __name__ == "__main__":
    main()
