"""What an act on many does with one creative: the same calls as on its own page, with their guards and their letters."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from affiliate.accounts.actors import Actor
from affiliate.creatives import queries, service
from affiliate.creatives.facts import Facts, checked
from affiliate.creatives.kinds import group_names
from affiliate.creatives.service import NoSuchCreative
from affiliate.errors import Conflict
from affiliate.programs.models import Program
from affiliate.relations import endings
from affiliate.relations.bulk_models import BulkAct, BulkKind, BulkSubject
from affiliate.relations.bulk_money import known

N_ = str  # marks a sentence for the translators


class EndsSooner(Conflict):
    """Another notice would offer it for longer than it is now: that is for its own page."""

    code = "ends_sooner"


def check(*, arguments: Mapping[str, str], now: datetime) -> None:
    """Whether what is to be done can be.

    Raises:
        Invalid: too many groups, or a campaign that cannot be.
    """
    checked(_changed(Facts("–"), arguments), allowed_hosts=(), now=now)


def do(
    session: Session, *, kind: BulkKind, arguments: Mapping[str, str], subject: BulkSubject, program_id: UUID,
    actor: Actor, now: datetime,
) -> bool:  # fmt: skip
    """Do it; whether something changed.

    Raises:
        DomainError: the act's own refusals.
    """
    who: dict[str, Any] = {"program": session.get_one(Program, program_id), "creative_id": known(subject.creative_id)}
    who |= {"actor": actor, "now": now}
    if kind is BulkKind.RETIRE_CREATIVES:
        return _retire(session, int(arguments["days"]), arguments.get("reason", ""), who)
    facts = _facts(session, who)
    changed = _changed(facts, arguments)
    if changed == facts:
        return False
    service.change(session, facts=changed, **who)
    return True


def _retire(session: Session, days: int, note: str, who: dict[str, Any]) -> bool:
    """One that ends sooner already keeps its end: its users were told that day."""
    end, now = _facts(session, who).ends_at, who["now"]
    if end is not None and now < end <= now + timedelta(days=days):
        raise EndsSooner(N_("It ends sooner already."))
    endings.retire(session, days=days, note=note, tells=False, **who)  # `tell` does, once for all of the batch
    return True


def tell(session: Session, *, act: BulkAct, subjects: Sequence[BulkSubject], now: datetime) -> None:
    """Tell partners of what a batch of an act has changed for them, in one letter each."""
    creative_ids = [one.creative_id for one in subjects if one.creative_id is not None]
    if act.kind is BulkKind.RETIRE_CREATIVES and creative_ids:
        endings.tell_together(session, program_id=act.program_id, creative_ids=creative_ids, now=now)


def _facts(session: Session, who: Mapping[str, Any]) -> Facts:
    """What is said about the creative, which nobody else changes until this act has."""
    one = queries.held(session, program_id=who["program"].id, creative_id=who["creative_id"])
    if one is None:
        raise NoSuchCreative(N_("There is no such creative."))
    groups = tuple(queries.groups_of(session, creative_id=one.id))
    return Facts(one.title, one.campaign, one.language, one.landing_url, groups, one.starts_at, one.ends_at)


def _changed(facts: Facts, arguments: Mapping[str, str]) -> Facts:
    """With the groups or the campaign that the act names."""
    if "groups" in arguments:
        facts = replace(facts, group_names=tuple(group_names(arguments["groups"])))
    if "campaign" in arguments:
        facts = replace(facts, campaign=" ".join(arguments["campaign"].split()))
    return facts
