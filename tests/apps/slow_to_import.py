"""A module whose import takes a while, as that of a large library does."""

import time

time.sleep(0.05)
