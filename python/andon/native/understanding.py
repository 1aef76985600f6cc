"""`NotUnderstood`: why something is left to the application."""


class NotUnderstood(Exception):
    """What is inspected cannot be served natively; the message is the reason, for people."""

    @property
    def reason(self) -> str:
        """The reason, to stand in a table or behind a colon."""
        return str(self)
