"""What can go wrong while measuring, told apart by who has to act on it."""


class BenchError(Exception):
    """The bench itself cannot go on: a tool or a file is missing. The message ends in a hint."""


class MeasurementFailed(Exception):
    """One row could not be measured: a server did not start, died or answered wrongly. The bench
    goes on.
    """
