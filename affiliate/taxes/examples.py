"""Rules that a program may take over as examples, each to be confirmed by its accountant. Pure data.

Shares and rates are basis points, stamp duty is in minor units of `currency`. Names are translated where they are shown;
the note stands on papers, in the language of the law that it names.
"""

from dataclasses import asdict, dataclass
from typing import Any

N_ = str  # marks a sentence for the translators


@dataclass(frozen=True, slots=True)
class Example:
    """How a kind of partner of a country is taxed."""

    code: str
    name: str
    country: str
    currency: str
    vat_bps: int = 0
    base_share_bps: int = 0
    rate_bps: int = 0
    stamp_minor: int = 0
    stamp_above_minor: int = 0
    note: str = ""

    def facts(self, *, currency: str) -> dict[str, Any]:
        """The columns of a rule in a program of this currency; stamp duty of another currency is left out."""
        found = asdict(self)
        if found.pop("currency") != currency:
            found |= {"stamp_minor": 0, "stamp_above_minor": 0}
        return found


EXAMPLES = (
    Example(
        "it_occasional", N_("Italy: occasional work of a person"), "IT", "EUR",
        base_share_bps=100_00, rate_bps=20_00, stamp_minor=2_00, stamp_above_minor=77_47,
        note="Prestazione occasionale, art. 2222 c.c., fuori campo IVA, art. 5 DPR 633/1972",
    ),
    Example(
        "it_agent", N_("Italy: agent with VAT number"), "IT", "EUR", vat_bps=22_00, base_share_bps=50_00, rate_bps=23_00,
        note="Ritenuta d’acconto del 23 % sul 50 % delle provvigioni, art. 25-bis DPR 600/1973",
    ),
    Example(
        "it_forfettario", N_("Italy: flat-rate scheme (forfettario)"), "IT", "EUR",
        stamp_minor=2_00, stamp_above_minor=77_47,
        note="Operazione in franchigia da IVA, art. 1 commi 54-89 L. 190/2014; senza ritenuta d’acconto",
    ),
    Example("it_company", N_("Italy: company"), "IT", "EUR", vat_bps=22_00),
    Example("pl_person", N_("Poland: private person"), "PL", "PLN"),
    Example("pl_company", N_("Poland: company"), "PL", "PLN", vat_bps=23_00),
)  # fmt: skip
