"""What another version of a tax rule does: before and after, from when, and what it would say of what is owed now."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from flask import g
from flask_babel import gettext as _
from flask_babel import ngettext

from affiliate import formats
from affiliate.console.payouts import paper_sheets
from affiliate.console.payouts.policy_effects import Line, changed
from affiliate.console.queries import effects
from affiliate.money import Money
from affiliate.taxes import queries
from affiliate.taxes.figures import Figures, figures
from affiliate.taxes.models import TaxProfile, TaxRule, TaxSettings
from affiliate.web import orm


@dataclass(frozen=True, slots=True)
class _Owed:
    """What is owed now to the partners under a rule; `buyer` is who would write or get their papers."""

    buyer: TaxSettings | None
    sums: Sequence[tuple[TaxProfile, int]]

    def told(self, before: TaxRule | None, after: TaxRule, part: Callable[[Figures], int]) -> str:
        """A part of all papers if everything were paid now, under each of the two."""
        if self.buyer is None:
            return str(_("Nobody has entered the buyer's data yet: payouts go out without papers."))
        amounts = {"after": self._sum(self.buyer, after, part), "before": self._sum(self.buyer, before, part)}
        return ngettext(
            "On what is owed to %(num)d partner under this rule now: %(after)s; as it is: %(before)s.",
            "On what is owed to %(num)d partners under this rule now: %(after)s; as it is: %(before)s.",
            len(self.sums), **amounts,
        )  # fmt: skip

    def _sum(self, buyer: TaxSettings, rule: TaxRule | None, part: Callable[[Figures], int]) -> str:
        papers = ((queries.position(buyer, profile, rule).terms, owed) for profile, owed in self.sums)
        minor = sum(part(figures(terms, taxable_minor=owed)) for terms, owed in papers)
        return formats.money(Money(minor, g.program.currency))


def of_rule(facts: Mapping[str, Any], *, versions: Sequence[TaxRule], today: date) -> list[Line]:
    """Each part of a rule that a new version would change. `versions` are those there are of it, the newest first."""
    rule = TaxRule(**facts)
    before = next((one for one in versions if one.valid_from <= rule.valid_from), None)
    later = next((one for one in reversed(versions) if one.valid_from > rule.valid_from), None)
    owed = _Owed(
        queries.settings_of(orm.session, program_id=g.program.id),
        effects.owed_under_rule(orm.session, program_id=g.program.id, code=rule.code),
    )
    means, was, now = _means(rule, later, today), _said(before), _said(rule)
    parts: dict[str, Callable[[Figures], int]] = {
        "withheld": lambda paper: paper.withheld_minor,
        "vat": lambda paper: paper.vat_minor,
        "stamp": lambda paper: paper.stamp_minor,
    }
    names = {
        "name": _("Name that partners read"), "country": _("Country"), "withheld": _("Withheld"), "vat": _("VAT"),
        "stamp": _("Stamp duty"), "note": _("Sentence on the paper"),
    }  # fmt: skip
    found = [
        changed(label, was[name], now[name], means, owed.told(before, rule, parts[name]) if name in parts else None)
        for name, label in names.items()
        if was[name] != now[name]
    ]
    lines = [line for line in found if line]
    return lines[:1] + [line | {"means": ""} for line in lines[1:]]  # from when is said once: it is the same for all


def _means(rule: TaxRule, later: TaxRule | None, today: date) -> str:
    """For which payouts the version counts."""
    if later is not None and later.valid_from <= today:
        return str(_("Counts for no payout: a version from %(day)s is in force.", day=formats.day(later.valid_from)))
    first = formats.day(max(rule.valid_from, today))
    until = "" if later is None else " " + _("A later version follows on %(day)s.", day=formats.day(later.valid_from))
    return str(_("Counts for payouts proposed from %(day)s on. Those proposed before keep theirs.", day=first)) + until


def _said(rule: TaxRule | None) -> dict[str, str]:
    """What a version says, as the page's table shows it."""
    if rule is None:
        return dict.fromkeys(("name", "country", "withheld", "vat", "stamp", "note"), "")
    return {
        "name": rule.name,
        "country": formats.country(rule.country),
        "withheld": paper_sheets.withheld(rule) or _("nothing"),
        "vat": formats.percent_bps(rule.vat_bps),
        "stamp": paper_sheets.stamp(rule) or "",
        "note": rule.note,
    }
