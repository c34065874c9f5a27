"""Every write on how partners are paid: where their money goes, who is not paid for now, and the program's policy."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate import db, ids
from affiliate.accounts import audit
from affiliate.accounts.actors import Actor
from affiliate.currencies import queries as currencies
from affiliate.errors import Conflict, Forbidden, Invalid
from affiliate.ledger import service as ledger_service
from affiliate.money import Money
from affiliate.partners import marks
from affiliate.partners.models import MarkKind, Partner
from affiliate.payouts import mails, methods, queries
from affiliate.payouts.holding import changed
from affiliate.payouts.methods import BadDetails, MethodKind
from affiliate.payouts.models import PayoutBlock, PayoutMethod, PayoutPolicy
from affiliate.payouts.schedule import Cadence
from affiliate.payouts.steps import given, person
from affiliate.payouts.vault import Vault
from affiliate.payouts.wise import Template
from affiliate.programs.models import Program

N_ = str  # marks a sentence for the translators
PAUSE = timedelta(hours=72)
NET_DAYS_MAX = 120


class NotTheOwner(Forbidden):
    """Only an owner of a partner says where its money goes."""

    code = "not_the_owner"


class ChangedMeanwhile(Conflict):
    """Somebody else of the partner changed the details at the same moment."""

    code = "changed_meanwhile"


class AlreadyBlocked(Conflict):
    """The partner is blocked already, or not any more."""

    code = "already_blocked"


def enter_method(
    session: Session, *, program: Program, partner_id: UUID, kind: MethodKind, typed: Mapping[str, str],
    vault: Vault, actor: Actor, now: datetime, currency: str | None = None,
) -> PayoutMethod:  # fmt: skip
    """Where the partner's money goes from now on. Later entries count after a pause, and its people get a mail meanwhile.

    `currency` is the account's; None for whatever a program pays in.

    Raises:
        NotTheOwner: the actor does not own the partner.
        Invalid: names each wrong field.
        ChangedMeanwhile: a colleague was faster.
    """
    if not queries.is_owner(session, user_id=person(actor), partner_id=partner_id):
        raise NotTheOwner(N_("Only an owner of the account can change where the money goes."))
    try:
        details = methods.read(kind, typed, country=session.get_one(Partner, partner_id).country)
    except BadDetails as wrong:
        raise Invalid({name: [sentence] for name, sentence in wrong.errors.items()}) from wrong
    if currency not in {None, program.currency, *currencies.listed(session)}:
        raise Invalid({"currency": [N_("We know no exchange rate of this currency.")]})
    before = queries.current_method(session, partner_id=partner_id)
    usable_from = now if before is None else now + PAUSE
    row = {
        "id": ids.new_at(now), "partner_id": partner_id, "kind": kind, "details": vault.close(details.fields),
        "masked": details.masked, "currency": currency, "usable_from": usable_from,
        "created_by_id": actor.id, "created_at": now,
    }  # fmt: skip
    if before is not None:
        still = (PayoutMethod.id == before.id, PayoutMethod.replaced_at.is_(None))
        changed(session, sa.update(PayoutMethod).where(*still).values(replaced_at=now))
    if not db.insert_new(session, PayoutMethod, [row]):
        raise ChangedMeanwhile(N_("The details were changed at the same moment. Look at them again."))
    if mark := vault.mark(details.fields):
        marks.note(session, partner_ids=[partner_id], kind=MarkKind.ACCOUNT, mark=mark, now=now)
    told = {"kind": kind.value, "first": before is None}
    _record(session, "partner.payout_details", "partner", partner_id, program.id, actor=actor, details=told, now=now)
    if before is not None:
        mails.tell_details_changed(
            session,
            program=program,
            partner_id=partner_id,
            masked=details.masked,
            usable_from=usable_from,
            now=now,
        )
    return session.get_one(PayoutMethod, row["id"])


def block(session: Session, *, program_id: UUID, partner_id: UUID, reason: str, actor: Actor, now: datetime) -> None:
    """Do not pay this partner for now.

    Raises:
        AlreadyBlocked: it is.
        Invalid: there is no reason, or a very long one.
        NotAPerson: the actor is not a person.
    """
    why = given(reason)
    ledger_service.lock_books(session, program_ids=[program_id])  # a run that is being proposed sees it, or comes first
    row = {"id": ids.new_at(now), "program_id": program_id, "partner_id": partner_id, "reason": why}
    if not db.insert_new(session, PayoutBlock, [row | {"blocked_by_id": person(actor), "blocked_at": now}]):
        raise AlreadyBlocked(N_("This partner is blocked already."))
    told = {"reason": why}
    _record(session, "partner.block_payment", "partner", partner_id, program_id, actor=actor, details=told, now=now)


def lift_block(session: Session, *, program_id: UUID, partner_id: UUID, actor: Actor, now: datetime) -> None:
    """Pay this partner again.

    Raises:
        AlreadyBlocked: it is not blocked.
        NotAPerson: the actor is not a person.
    """
    mine = (PayoutBlock.program_id == program_id, PayoutBlock.partner_id == partner_id, PayoutBlock.lifted_at.is_(None))
    lifted = sa.update(PayoutBlock).where(*mine).values(lifted_by_id=person(actor), lifted_at=now)
    if changed(session, lifted) != 1:
        raise AlreadyBlocked(N_("This partner is not blocked any more."))
    _record(session, "partner.lift_payment_block", "partner", partner_id, program_id, actor=actor, now=now)


def set_policy(
    session: Session, *, program_id: UUID, cadence: Cadence, net_days: int, is_one_person: bool,
    payer_name: str, payer_account: str, vault: Vault, actor: Actor, now: datetime, adjustment_limit: Money | None = None,
    wise_template: Template | None = None,
) -> None:  # fmt: skip
    """How the program pays from now on. An empty `payer_account` keeps the present one, as no `adjustment_limit` does.

    Without a `wise_template` the file for Wise has its usual columns.

    Raises:
        Invalid: names each wrong field.
        NotAPerson: the actor is not a person.
    """
    person(actor)
    wrong: dict[str, list[str]] = {}
    if not 0 <= net_days <= NET_DAYS_MAX:
        wrong["net_days"] = [N_("Write a number of days from 0 to 120.")]
    before = queries.policy_of(session, program_id=program_id)
    limit_minor = before.adjustment_limit_minor if adjustment_limit is None else adjustment_limit.amount_minor
    if limit_minor < 0:
        wrong["adjustment_limit"] = [N_("Write an amount of zero or more.")]
    account = before.payer_account
    if payer_account:
        try:
            fields = methods.read(MethodKind.BANK, {"holder": payer_name, "account": payer_account}).fields
        except BadDetails as bad:
            wrong |= {f"payer_{'name' if name == 'holder' else name}": [text] for name, text in bad.errors.items()}
        else:
            account = vault.close(fields)
    if wrong:
        raise Invalid(wrong)
    facts = {"cadence": cadence, "net_days": net_days, "is_one_person": is_one_person}
    facts |= {"adjustment_limit_minor": limit_minor, "wise_template": wise_template and wise_template.text}
    row = PayoutPolicy(
        program_id=program_id, payer_name=payer_name or None, payer_account=account, updated_at=now, **facts
    )
    session.merge(row)
    session.flush()
    was = {name: getattr(before, name) for name in facts}
    told = {"before": was, "after": facts, "new_account": bool(payer_account)}
    _record(session, "program.payout_policy", "program", program_id, program_id, actor=actor, details=told, now=now)


def renew_vault(session: Session, *, vault: Vault) -> int:
    """Put every record that partners entrusted to us under the newest key, and give their number. Erased ones stay empty."""
    count = 0
    for key, column in ((PayoutMethod.id, PayoutMethod.details), (PayoutPolicy.program_id, PayoutPolicy.payer_account)):
        rows = session.execute(sa.select(key, column).where(column.is_not(None), column != "")).all()
        for identifier, token in rows:
            session.execute(
                sa.update(key.class_).where(key == identifier).values({column.key: vault.renew(str(token))})
            )
        count += len(rows)
    return count


def _record(
    session: Session, action: str, kind: str, subject_id: UUID, program_id: UUID, *,
    actor: Actor, details: dict[str, Any] | None = None, now: datetime,
) -> None:  # fmt: skip
    audit.record(
        session, actor=actor, action=action, subject_kind=kind, subject_id=subject_id,
        program_id=program_id, details=details, now=now,
    )  # fmt: skip
