"""The collector of reference cycles, set for processes that answer or work: it otherwise took a third of a click's time, a quarter of a job's."""

import gc

_OBJECTS = 50_000
"""New objects until a collection. An answer leaves hardly a cycle behind; Python's default of 700 looks for them all the time."""


def settle() -> None:
    """Call it when everything is loaded: what is here now stays, and is never looked at again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_OBJECTS)
