"""Hostile requests to generated applications, through both faces, without sockets.

`making` draws an application's specification from a seed, `source` writes it as Python, `requests`
draws requests for it, `driving` runs both faces and compares, `shrinking` makes a small repro of a
difference. The same seed gives the same applications and requests everywhere.
"""
