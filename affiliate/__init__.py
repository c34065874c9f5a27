"""A self-hosted partner program server: a package per stage of the pipeline, imports one way."""

import os

# rq reads this when it is imported, wherever that is: our keys stand apart in a Redis that others use too.
os.environ.setdefault("RQ_KEY_PREFIX", "aff:rq")
