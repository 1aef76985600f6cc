"""The table of Python objects that a description names by number."""

from typing import Any


class Objects:
    """Gives numbers to objects and keeps them alive; the same object has one number."""

    def __init__(self) -> None:
        self.table: list[Any] = []
        self._numbers: dict[int, int] = {}

    def number(self, value: Any) -> int:
        """Return the number of an object."""
        number = self._numbers.setdefault(id(value), len(self.table))
        if number == len(self.table):
            self.table.append(value)
        return number
