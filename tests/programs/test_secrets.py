"""The pixel secret is derived, never stored."""

from affiliate import ids
from affiliate.programs import secrets
from affiliate.programs.models import Program


def test_the_secret_follows_from_installation_program_and_version_and_from_nothing_else() -> None:
    program = Program(id=ids.new(), pixel_secret_version=1)
    first = secrets.pixel_secret(program, "installation")
    assert first == secrets.derived_secret(program_id=program.id, version=1, secret_key="installation")
    others = {
        secrets.derived_secret(program_id=program.id, version=2, secret_key="installation"),
        secrets.derived_secret(program_id=ids.new(), version=1, secret_key="installation"),
        secrets.pixel_secret(program, "another installation"),
    }
    assert len(others) == 3
    assert first not in others
