"""The pixel secret and the postback token of a program: derived, so that nothing secret is stored and a new version makes a new one."""

from uuid import UUID

from affiliate import ids, signing
from affiliate.programs.models import Program

_TOKEN_DIGITS = 40


def derived_secret(*, program_id: UUID, version: int, secret_key: str) -> str:
    """The secret with which a shop's server signs pixels: 64 hexadecimal digits.

    `secret_key` is the installation's secret; whoever has it and the version can check a signature without SQL.
    """
    return signing.keyed_hash(signing.derive(secret_key, "pixel"), f"{program_id}:{version}")


def derived_postback_token(*, program_id: UUID, version: int, secret_key: str) -> str:
    """The token that another tracker writes into its postbacks: the program's public id, a dot, 40 hexadecimal digits."""
    digest = signing.keyed_hash(signing.derive(secret_key, "postback"), f"{program_id}:{version}")
    return f"{ids.public('prg', program_id)}.{digest[:_TOKEN_DIGITS]}"


def postback_token(program: Program, secret_key: str) -> str:
    """The token of the program at its present version."""
    return derived_postback_token(program_id=program.id, version=program.postback_token_version, secret_key=secret_key)


def pixel_secret(program: Program, secret_key: str) -> str:
    """The secret of the program at its present version."""
    return derived_secret(program_id=program.id, version=program.pixel_secret_version, secret_key=secret_key)
