"""A program with a buyer and tax rules, and partners with profiles, for tests of taxes and papers."""

from datetime import date
from typing import Any
from uuid import UUID

from factories import NOW
from sqlalchemy.orm import Session

from affiliate import ids
from affiliate.accounts.actors import SYSTEM
from affiliate.programs.models import Program
from affiliate.taxes import service
from affiliate.taxes.figures import PaperKind
from affiliate.taxes.models import TaxProfile, TaxRule
from affiliate.taxes.service import Identity, Wanted

IT_VAT = "IT00743110157"
PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n"


def make_buyer(session: Session, program: Program, **facts: Any) -> None:
    """Casa Ondera S.r.l. of Florence buys."""
    buyer = Identity("Casa Ondera S.r.l.", "Via dei Calzaiuoli 12\n50122 Firenze", "IT", IT_VAT)
    asked = {"text": "", "demands_profile": False, "offers_self_billing": True} | facts
    service.set_buyer(session, program_id=program.id, buyer=buyer, actor=SYSTEM, now=NOW, **asked)
    session.flush()


def make_rule(session: Session, program: Program, code: str = "agent", **facts: Any) -> TaxRule:
    """An agent in Italy: VAT of 22 %, 23 % withheld of one half."""
    usual: dict[str, Any] = {
        "name": code, "country": "IT", "valid_from": date(2026, 1, 1), "base_share_bps": 50_00, "rate_bps": 23_00,
        "vat_bps": 22_00, "stamp_minor": 0, "stamp_above_minor": 0, "note": "", "created_at": NOW,
    }  # fmt: skip
    rule = TaxRule(id=ids.new(), program_id=program.id, code=code, **usual | facts)
    session.add(rule)
    session.flush()
    return rule


def make_profile(
    session: Session, program: Program, partner_id: UUID, *, paper: PaperKind = PaperKind.OWN_INVOICE,
    rule: str | None = "agent", **facts: Any,
) -> TaxProfile:  # fmt: skip
    """Piatto Lento of Bologna, an agent with a VAT number unless a receipt is wanted."""
    vat_id = "" if paper is PaperKind.RECEIPT else "IT12345670017"
    identity = {"legal_name": "Piatto Lento", "address": "Vicolo Stretto 3\n40125 Bologna", "country": "IT"}
    wanted = Wanted(is_company=False, paper=paper, rule_code=rule, agrees=True, locale=facts.pop("locale", "it"))
    profile = service.enter_profile(
        session, program_id=program.id, partner_id=partner_id, identity=Identity(**identity | {"vat_id": vat_id} | facts),
        wanted=wanted, actor=SYSTEM, now=NOW,
    )  # fmt: skip
    session.flush()
    return profile
