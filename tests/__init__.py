"""The test suite of Andon over the installed wheel: a real server process and real clients."""
