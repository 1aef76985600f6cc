"""How releases of FastAPI differ in what native routes do for it.

Native routes are written after the newest release. What an older one does otherwise, or under
other names, is here: `release` tells it, and each other module is about one subject. A release for
which this is not enough is not among those of ``digests.json``.
"""
