"""The pixel secret of a program: derived, so that nothing secret is stored and a new version makes a new secret."""

from uuid import UUID

from affiliate import signing
from affiliate.programs.models import Program


def derived_secret(*, program_id: UUID, version: int, secret_key: str) -> str:
    """The secret with which a shop's server signs pixels: 64 hexadecimal digits.

    `secret_key` is the installation's secret; whoever has it and the version can check a signature without SQL.
    """
    return signing.keyed_hash(signing.derive(secret_key, "pixel"), f"{program_id}:{version}")


def pixel_secret(program: Program, secret_key: str) -> str:
    """The secret of the program at its present version."""
    return derived_secret(program_id=program.id, version=program.pixel_secret_version, secret_key=secret_key)
