"""An application whose import raises two calls deep."""


def read_setting() -> str:
    """Raise as a missing setting does."""
    settings: dict[str, str] = {}
    return settings["DATABASE_URL"]


app = read_setting()
