"""What the second person looks at before a payout run is approved."""

from collections.abc import Mapping, Sequence
from typing import Any

from flask_babel import gettext as _
from flask_babel import ngettext

from affiliate import amounts, formats
from affiliate.console.queries.money import First
from affiliate.money import Money, divide_half_even
from affiliate.payouts.models import PayoutRun
from affiliate.payouts.queries import Review

UNUSUAL_TIMES = 3
"""A payout of more than so many times the partner's last one is looked at before it is approved."""

NOTES_MAX = 100
"""Of each kind one by one; the largest payouts come first, and one note tells the rest. Who has so many would better take them out."""

NAMES_MAX = 10


def notes(
    payouts: Sequence[Any], currency: str, reviews: Sequence[Review] = (), *, first: First | None = None
) -> list[dict[str, str]]:
    """What the second person looks at first; each is ticked before the money moves. `first`: those who were never paid before."""
    flagged = {review.partner_id: review for review in reviews}
    payouts = [each for each in payouts if each.taken_out_at is None]
    unusual = [each for each in payouts if each.before_minor and each.amount_minor > UNUSUAL_TIMES * each.before_minor]
    changed = [each for each in payouts if each.details_changed_at is not None]
    reviewed = [each for each in payouts if each.partner_id in flagged]
    found = [_unusual(each, currency) for each in unusual[:NOTES_MAX]] + _rest("unusual", unusual, currency)
    found += [_changed(each) for each in changed[:NOTES_MAX]] + _rest("changed", changed, currency)
    found += [_flagged(each, flagged[each.partner_id]) for each in reviewed[:NOTES_MAX]]
    found += _rest("flagged", reviewed, currency)
    return [*found, _first_payouts(first, currency)] if first and first.number else found


def _rest(kind: str, found: Sequence[Any], currency: str) -> list[dict[str, str]]:
    """One note for those of a kind beyond the first hundred, with their sum; ticked as every other."""
    rest = found[NOTES_MAX:]
    if not rest:
        return []
    title = ngettext(
        "%(num)d more as those above: %(amount)s in all.",
        "%(num)d more as those above: %(amount)s in all.",
        len(rest),
        amount=formats.money(Money(sum(each.amount_minor for each in rest), currency)),
    )
    text = _(
        "%(names)s. Look at them in the list below.",
        names=_names([each.partner for each in rest[:NAMES_MAX]], len(rest)),
    )
    return [{"id": f"more-{kind}", "kind": "wait", "icon": "alert-triangle", "title": title, "text": text}]


def _names(names: Sequence[str], number: int) -> str:
    return ", ".join(names[:NAMES_MAX]) + ("…" if number > NAMES_MAX else "")


def _flagged(each: Any, review: Review) -> dict[str, str]:
    title = ngettext(
        "%(num)d other sale of %(name)s is under review.",
        "%(num)d other sales of %(name)s are under review.",
        review.commissions,
        name=each.partner,
    )
    text = _("They are not in this run. Look at them before you pay the rest.")
    return {"id": f"flagged-{each.id.hex}", "kind": "hold", "icon": "flag", "title": title, "text": text}


def _changed(each: Any) -> dict[str, str]:
    title = _("%(name)s has changed its payment details since the run was proposed.", name=each.partner)
    text = _("This payout still goes to %(masked)s. Take it out if that account is closed.", masked=each.masked)
    return {"id": f"changed-{each.id.hex}", "kind": "wait", "icon": "alert-triangle", "title": title, "text": text}


def _unusual(each: Any, currency: str) -> dict[str, str]:
    amount, before = (formats.money(Money(minor, currency)) for minor in (each.amount_minor, each.before_minor))
    times = formats.number(divide_half_even(each.amount_minor, each.before_minor))
    title = _(
        "%(name)s gets %(amount)s, %(times)s times the last payout.", name=each.partner, amount=amount, times=times
    )
    return {
        "id": each.id.hex,
        "kind": "wait",
        "icon": "alert-triangle",
        "title": title,
        "text": _("The last one was %(before)s.", before=before),
    }


def _first_payouts(first: First, currency: str) -> dict[str, str]:
    amount = formats.money(Money(first.amount_minor, currency))
    title = ngettext(
        "%(num)d partner gets its first payout, %(amount)s.",
        "%(num)d partners get their first payout, %(amount)s.",
        first.number,
        amount=amount,
    )
    text = _("%(names)s. Make sure that you know where to send it.", names=_names(first.names, first.number))
    return {"id": "first", "kind": "acc", "icon": "star", "title": title, "text": text}


def approval_errors(form: Mapping[str, str], run: PayoutRun, warnings: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """What is missing before the run can be approved, by field. `warnings`: its notes."""
    errors = {}
    total = Money(run.total_minor, run.currency)
    try:
        typed = amounts.read(form.get("total", ""), run.currency)
    except amounts.BadNumber as wrong:
        errors["total"] = _(str(wrong))
    else:
        if typed != total:
            errors["total"] = _(
                "The run's total is %(total)s; you typed %(typed)s.",
                total=formats.money(total),
                typed=formats.money(typed),
            )
    unseen = [each for each in warnings if form.get(f"seen-{each['id']}") is None]
    if unseen:
        errors["seen"] = ngettext("%(num)d note is not ticked yet.", "%(num)d notes are not ticked yet.", len(unseen))
    return errors
