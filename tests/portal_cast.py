"""The cast of the tests of the portal."""

from dataclasses import dataclass

from affiliate.accounts.models import User
from affiliate.links.models import Link
from affiliate.partners.models import Partner
from affiliate.programs.models import Program


@dataclass(frozen=True, slots=True)
class Cast:
    """Everybody and everything in these tests."""

    program: Program
    person: User
    partner: Partner
    link: Link
    other: Partner
