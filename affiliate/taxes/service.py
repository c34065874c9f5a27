"""Every write on taxes: the buyer's data, rules and their confirmation, profiles, questions to VIES."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, cast
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Session

from affiliate import db, ids
from affiliate.accounts import audit
from affiliate.accounts.actors import Actor
from affiliate.countries import EU
from affiliate.errors import Conflict, Invalid, NotFound
from affiliate.money import BPS_PER_UNIT
from affiliate.partners import marks
from affiliate.partners.models import MarkKind
from affiliate.programs.models import Program
from affiliate.taxes import queries
from affiliate.taxes.examples import EXAMPLES, Example
from affiliate.taxes.figures import PaperKind
from affiliate.taxes.models import TaxProfile, TaxRule, TaxSettings, VatAnswer, VatCheck
from affiliate.taxes.numbers import BadVatId, read_vat_id

N_ = str  # marks a sentence for the translators
_COUNTRY = re.compile(r"[A-Z]{2}")
_CODE = re.compile(r"[a-z0-9_]{2,40}")
_LENGTHS = {"legal_name": 200, "address": 500, "tax_number": 40, "text": 200, "name": 120, "note": 300}
_NEEDED = ("legal_name", "address")
_UNTOLD = ("address", "tax_number", "vat_id")
DAY_TAKEN = N_("This kind has a rule from that day already. Choose another day.")
VIES_ATTEMPTS_MAX = 5


class UnknownRule(NotFound):
    """There is no such rule in this program."""


class ChangedMeanwhile(Conflict):
    """Somebody else has entered a profile or a rule at the same moment."""

    code = "changed_meanwhile"


@dataclass(frozen=True, slots=True)
class Identity:
    """Who somebody is for the taxes, as it was typed."""

    legal_name: str
    address: str
    country: str
    vat_id: str = ""
    tax_number: str = ""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a partner chooses beside its identity."""

    is_company: bool
    paper: PaperKind
    rule_code: str | None
    agrees: bool = False
    locale: str = "en"


def set_buyer(
    session: Session, *, program_id: UUID, buyer: Identity, text: str, demands_profile: bool,
    offers_self_billing: bool, actor: Actor, now: datetime,
) -> None:  # fmt: skip
    """The buyer's data on the papers of a program from now on, and what is asked of its partners.

    Raises:
        Invalid: names each wrong field.
    """
    read, wrong = _read(buyer, extra={"text": text})
    if wrong:
        raise Invalid(wrong)
    after = read | {"demands_profile": demands_profile, "offers_self_billing": offers_self_billing}
    stored = queries.settings_of(session, program_id=program_id)
    before = {name: getattr(stored, name) for name in after} if stored else {}
    session.merge(TaxSettings(program_id=program_id, updated_at=now, **after))
    session.flush()
    told = _difference(before, after)
    _record(session, "program.tax_settings", "program", program_id, program_id, actor=actor, now=now, details=told)


def _difference(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """What changes, as the history tells it. That an address or a tax number is another one is said, not which.

    More people read the history than the papers, and it is kept for ever.
    """
    changed = {name: value for name, value in after.items() if (before.get(name) or None) != (value or None)}
    others = {f"other_{name}": True for name in _UNTOLD if name in changed}
    told = {name: value for name, value in changed.items() if name not in _UNTOLD}
    return {"before": {name: before.get(name) for name in told}, "after": told} | others


def take_examples(session: Session, *, program: Program, actor: Actor, today: date, now: datetime) -> int:
    """Take over the shipped examples that the program has no rule for, unconfirmed; gives their number."""
    rows = [_example_row(program, each, actor, today, now) for each in EXAMPLES]
    known = {rule.code for rule in queries.rules_of(session, program_id=program.id)}
    inserted = db.insert_new(session, TaxRule, [row for row in rows if row["code"] not in known])
    _record(
        session,
        "program.tax_examples",
        "program",
        program.id,
        program.id,
        actor=actor,
        now=now,
        details={"count": len(inserted)},
    )
    return len(inserted)


def _example_row(program: Program, example: Example, actor: Actor, today: date, now: datetime) -> dict[str, Any]:
    row = {"id": ids.new_at(now), "program_id": program.id, "valid_from": today.replace(month=1, day=1)}
    return row | example.facts(currency=program.currency) | {"created_by_id": actor.id, "created_at": now}


def check_rule(*, facts: Mapping[str, Any]) -> None:
    """Look at the columns of a rule before it is added.

    Raises:
        Invalid: names each wrong field.
    """
    wrong = dict(_problems(facts))
    if not _CODE.fullmatch(str(facts["code"])):
        wrong["code"] = [N_("Use 2 to 40 small letters, digits and underscores.")]
    for name in ("base_share_bps", "rate_bps", "vat_bps"):
        if not 0 <= facts[name] <= BPS_PER_UNIT:
            wrong[name] = [N_("Write a percentage from 0 to 100.")]
    if wrong:
        raise Invalid(wrong)


def add_rule(session: Session, *, program_id: UUID, facts: Mapping[str, Any], actor: Actor, now: datetime) -> None:
    """A rule from a day on: a new one, or the next version of one that has the same code. It counts as confirmed.

    Raises:
        Invalid: names each wrong field.
        ChangedMeanwhile: that code has a version from that day already.
    """
    check_rule(facts=facts)
    stored = queries.rules_on(session, program_id=program_id, day=facts["valid_from"]).get(facts["code"])
    row = {"id": ids.new_at(now), "program_id": program_id, "created_by_id": actor.id, "created_at": now}
    row |= {"confirmed_by_id": actor.id, "confirmed_at": now}
    if not db.insert_new(session, TaxRule, [row | dict(facts)]):
        raise ChangedMeanwhile(DAY_TAKEN)
    named = ("code", "valid_from")
    after = {name: value for name, value in facts.items() if name not in named}
    before = {name: getattr(stored, name) for name in after} if stored else {}
    told = {name: str(facts[name]) for name in named} | _difference(before, after)
    _record(session, "program.tax_rule", "program", program_id, program_id, actor=actor, now=now, details=told)


def confirm_rule(session: Session, *, program_id: UUID, rule_id: UUID, actor: Actor, now: datetime) -> None:
    """An accountant has seen the rule.

    Raises:
        UnknownRule: not of this program.
        ChangedMeanwhile: it is confirmed already.
    """
    rule = session.get(TaxRule, rule_id)
    if rule is None or rule.program_id != program_id:
        raise UnknownRule(N_("There is no such rule."))
    still = (TaxRule.id == rule_id, TaxRule.confirmed_at.is_(None))
    if _changed(session, sa.update(TaxRule).where(*still).values(confirmed_by_id=actor.id, confirmed_at=now)) != 1:
        raise ChangedMeanwhile(N_("This rule is confirmed already."))
    _record(
        session,
        "program.confirm_tax_rule",
        "program",
        program_id,
        program_id,
        actor=actor,
        now=now,
        details={"rule": str(rule_id)},
    )


def enter_profile(
    session: Session, *, program_id: UUID, partner_id: UUID, identity: Identity, wanted: Wanted,
    actor: Actor, now: datetime,
) -> TaxProfile:  # fmt: skip
    """Who the partner is for the taxes of a program from now on. Payouts that are proposed already keep what held before.

    Raises:
        Invalid: names each wrong field.
        ChangedMeanwhile: a colleague was faster.
    """
    settings = queries.settings_of(session, program_id=program_id)
    read, wrong = _read(identity)
    wrong |= _unfit(session, program_id, wanted, has_vat_id=bool(identity.vat_id.strip()), settings=settings)
    if wrong:
        raise Invalid(wrong)
    before = queries.profile_of(session, program_id=program_id, partner_id=partner_id)
    agreed = wanted.paper is PaperKind.SELF_BILLING
    row = {"id": ids.new_at(now), "program_id": program_id, "partner_id": partner_id, **read}
    row |= {"is_company": wanted.is_company, "paper": wanted.paper, "rule_code": wanted.rule_code}
    row |= {"locale": wanted.locale, "created_by_id": actor.id, "created_at": now}
    row |= {"agreed_at": now if agreed else None, "agreed_by_id": actor.id if agreed else None}
    if before is not None:
        still = (TaxProfile.id == before.id, TaxProfile.replaced_at.is_(None))
        _changed(session, sa.update(TaxProfile).where(*still).values(replaced_at=now))
    if not db.insert_new(session, TaxProfile, [row]):
        raise ChangedMeanwhile(N_("The tax profile was changed at the same moment. Look at it again."))
    if read["vat_id"]:
        mark = marks.vat_id(read["vat_id"])
        marks.note(session, partner_ids=[partner_id], kind=MarkKind.VAT_ID, mark=mark, now=now)
    told = {"paper": wanted.paper.value, "country": read["country"], "rule": wanted.rule_code, "agreed": agreed}
    _record(session, "partner.tax_profile", "partner", partner_id, program_id, actor=actor, now=now, details=told)
    return session.get_one(TaxProfile, row["id"])


def _unfit(
    session: Session, program_id: UUID, wanted: Wanted, *, has_vat_id: bool, settings: TaxSettings | None
) -> dict[str, list[str]]:
    """Why the wanted paper or kind does not fit the rest."""
    wrong: dict[str, list[str]] = {}
    if wanted.paper is PaperKind.RECEIPT and (has_vat_id or wanted.is_company):
        wrong["paper"] = [N_("A receipt is for persons without VAT number. Choose an invoice.")]
    if wanted.paper is PaperKind.SELF_BILLING:
        if settings is None or not settings.offers_self_billing:
            wrong["paper"] = [N_("This program does not write invoices for its partners.")]
        elif not wanted.agrees:
            wrong["agrees"] = [N_("Agree first: without your agreement we cannot write invoices for you.")]
    codes = {rule.code for rule in queries.rules_of(session, program_id=program_id)}
    if wanted.rule_code is not None and wanted.rule_code not in codes:
        wrong["rule_code"] = [N_("Choose one of the list.")]
    return wrong


def ask_vies(session: Session, *, profile: TaxProfile, actor: Actor, now: datetime) -> None:
    """Ask VIES about a profile's VAT number; a job does it and writes the answer down.

    Raises:
        Invalid: there is no number of the European Union.
    """
    if profile.vat_id is None or profile.country not in EU:
        raise Invalid({"vat_id": [N_("VIES knows only VAT numbers of the European Union.")]})
    row = {"profile_id": profile.id, "vat_id": profile.vat_id, "answer": VatAnswer.WAITING, "asked_at": now}
    session.add(VatCheck(id=ids.new_at(now), **row))
    _record(session, "partner.ask_vies", "partner", profile.partner_id, profile.program_id, actor=actor, now=now)


def answer_vies(session: Session, *, check_id: UUID, is_valid: bool | None, name: str | None, now: datetime) -> None:
    """Write down what VIES said; without an answer it is asked again a few times, then the question ends."""
    waiting = sa.update(VatCheck).where(VatCheck.id == check_id, VatCheck.answer == VatAnswer.WAITING)
    if is_valid is None:
        last = VatCheck.attempts + 1 >= VIES_ATTEMPTS_MAX
        answer = sa.case((last, VatAnswer.UNAVAILABLE.value), else_=VatAnswer.WAITING.value)
        at = sa.case((last, sa.bindparam("at", now, type_=db.UtcDateTime())), else_=None)
        _changed(session, waiting.values(attempts=VatCheck.attempts + 1, answer=answer, answered_at=at))
        return
    found = VatAnswer.VALID if is_valid else VatAnswer.INVALID
    facts = {"answer": found, "name": name and name[:200], "answered_at": now, "attempts": VatCheck.attempts + 1}
    _changed(session, waiting.values(facts))


def _read(identity: Identity, *, extra: Mapping[str, str] | None = None) -> tuple[dict[str, Any], dict[str, list[str]]]:
    """The identity as columns, and what is wrong with it by field."""
    facts: dict[str, Any] = {
        "legal_name": " ".join(identity.legal_name.split()),
        "address": "\n".join(line.strip() for line in identity.address.strip().splitlines() if line.strip()),
        "country": identity.country.strip().upper(),
        "vat_id": None,
        "tax_number": identity.tax_number.strip() or None,
    } | dict(extra or {})
    wrong = dict(_problems(facts))
    for name in _NEEDED:
        if not facts[name]:
            wrong[name] = [N_("This is needed.")]
    if identity.vat_id.strip() and "country" not in wrong:
        try:
            facts["vat_id"] = read_vat_id(identity.vat_id, country=facts["country"])
        except BadVatId as bad:
            wrong["vat_id"] = [str(bad)]
    return facts, wrong


def _problems(facts: Mapping[str, Any]) -> dict[str, list[str]]:
    wrong = {
        name: [N_("This is too long.")]
        for name, length in _LENGTHS.items()
        if isinstance(facts.get(name), str) and len(facts[name]) > length
    }
    if not _COUNTRY.fullmatch(str(facts["country"])):
        wrong["country"] = [N_("Choose a country.")]
    return wrong


def _changed(session: Session, change: sa.Update) -> int:
    result = session.execute(change, execution_options={"synchronize_session": False})
    return cast("CursorResult[Any]", result).rowcount


def _record(
    session: Session, action: str, kind: str, subject_id: UUID, program_id: UUID, *,
    actor: Actor, now: datetime, details: dict[str, Any] | None = None,
) -> None:  # fmt: skip
    audit.record(
        session, actor=actor, action=action, subject_kind=kind, subject_id=subject_id,
        program_id=program_id, details=details, now=now,
    )  # fmt: skip
