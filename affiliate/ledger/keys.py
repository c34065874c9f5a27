"""Whose signature under a seal counts: the key of this installation, and those it had before its secret was changed."""

from affiliate.ledger import chain
from affiliate.settings import Settings

EARLIER = "ledger-public-keys"
"""A file in DATA_DIR with one public key in hex per line, for installations whose secret was changed."""


def trusted(settings: Settings) -> frozenset[str]:
    """The public keys of all who may have signed."""
    path = settings.data_dir / EARLIER
    earlier = path.read_text().split() if path.exists() else []
    return frozenset([chain.public_key(settings.secret_key), *earlier])
