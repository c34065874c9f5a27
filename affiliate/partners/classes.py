"""How a program ranks its partners. Pure."""

import enum


class PartnerClass(enum.StrEnum):
    """A partner's rank in a program; it matters only where the program's attribution policy says so."""

    PREFERRED = "preferred"
    STANDARD = "standard"
    LOW = "low"

    @property
    def rank(self) -> int:
        """The lower, the stronger."""
        return list(PartnerClass).index(self)
