"""Entries by hand: bonuses, make-goods, corrections and write-offs, and what a partner costs beside its commissions."""

from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import flash, g, redirect, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from werkzeug.wrappers.response import Response as BaseResponse
from wtforms import SelectField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length

from affiliate import amounts, formats
from affiliate.accounts import access
from affiliate.console import words
from affiliate.console.blueprint import acted, blueprint, cursor, given_reason, pager, show
from affiliate.console.forms import say, say_all
from affiliate.console.money import adjustment_sheets
from affiliate.console.queries import lists
from affiliate.errors import Invalid
from affiliate.fields import DayField
from affiliate.money import Money
from affiliate.partners import queries as partner_queries
from affiliate.payouts import adjusting, costs
from affiliate.payouts.models import Adjustment, AdjustmentKind, AdjustmentStatus, CostKind
from affiliate.relations import crediting
from affiliate.web import orm, request_now

_COST = "cost"
_NEEDED = InputRequired(_l("This is needed."))
_TYPED_KINDS = (AdjustmentKind.BONUS, AdjustmentKind.MAKE_GOOD, AdjustmentKind.CORRECTION)


class AdjustmentForm(FlaskForm):  # type: ignore[misc] # the library is not typed
    """Money for a partner, or from it."""

    kind = SelectField(
        _l("What for"), choices=lambda: [SelectChoice(each.value, words.adjustment(each)) for each in _TYPED_KINDS]
    )
    amount = StringField(
        _l("Amount"), validators=[_NEEDED], description=_l("With a minus it is taken away: only a correction can.")
    )
    reason = TextAreaField(
        _l("Reason"), validators=[_NEEDED, Length(max=500)], description=_l("The partner reads it in its statement.")
    )


class CostForm(FlaskForm):  # type: ignore[misc] # the library is not typed
    """What was spent on a partner elsewhere."""

    kind = SelectField(
        _l("What for"), choices=lambda: [SelectChoice(each.value, words.cost(each)) for each in CostKind]
    )
    spent_on = DayField(_l("Day"), validators=[_NEEDED])
    amount = StringField(_l("Amount"), validators=[_NEEDED])
    note = StringField(
        _l("Note"),
        validators=[_NEEDED, Length(max=500)],
        description=_l("For your colleagues; the partner never sees it."),
    )


@blueprint.get("/<slug>/payouts/entries")
@access.console("manager", "finance")
def adjustments() -> str:
    """What waits for a second person, and the newest entries of all partners."""
    page = lists.adjustments(orm.session, program_id=g.program.id, waits=False, cursor=cursor())
    waiting = lists.adjustments(orm.session, program_id=g.program.id, waits=True, cursor=cursor("waits"))
    return show(
        "money/adjustments.html",
        waiting=[adjustment_sheets.line(row) for row in waiting.rows],
        rows=[adjustment_sheets.line(row) for row in page.rows],
        waiting_pager=pager(waiting, name="waits", anchor="waiting"),
        **pager(page, anchor="done"),
    )


@blueprint.get('/<slug>/payouts/partners/<public("ptn"):partner_id>/entries')
@access.console("manager", "finance")
def partner_entries(partner_id: UUID) -> str:
    """The entries of one partner, what it costs, and the forms for more."""
    return _page(partner_id)


@blueprint.post('/<slug>/payouts/partners/<public("ptn"):partner_id>/entries')
@access.fresh(access.console("manager", "finance"))
def enter_adjustment(partner_id: UUID) -> ResponseReturnValue:
    """Give the partner money, or take some away."""
    name, form = _name(partner_id), AdjustmentForm()
    amount = _amount(form) if form.validate() else None
    if amount is None:
        return _page(partner_id, form=form), 422
    try:
        entry = adjusting.enter(
            orm.session, program_id=g.program.id, partner_id=partner_id, kind=AdjustmentKind(form.kind.data),
            amount=amount, reason=form.reason.data, actor=access.actor(), now=request_now(),
        )  # fmt: skip
    except Invalid as refusal:
        orm.session.rollback()
        say_all(form, refusal.errors)
        return _page(partner_id, form=form), 422
    flash(_told(entry, name), "success")
    return redirect(url_for("console.partner_entries", partner_id=partner_id), 303)


@blueprint.post('/<slug>/payouts/partners/<public("ptn"):partner_id>/write_off')
@access.fresh(access.console("manager", "finance"))
def write_off_debt(partner_id: UUID) -> BaseResponse:
    """Give up what a partner that has left still owes."""
    name = _name(partner_id)

    def act() -> str:
        entry = adjusting.write_off(
            orm.session, program_id=g.program.id, partner_id=partner_id, reason=given_reason(),
            actor=access.actor(), now=request_now(),
        )  # fmt: skip
        return _told(entry, name)

    return acted(url_for("console.partner_entries", partner_id=partner_id), act)


@blueprint.post('/<slug>/payouts/entries/<public("man"):adjustment_id>/<any(approve, decline):what>')
@access.fresh(access.console("manager", "finance"))
def decide_adjustment(adjustment_id: UUID, what: str) -> BaseResponse:
    """The second person's word."""

    def act() -> str:
        told: dict[str, Any] = {"adjustment_id": adjustment_id, "actor": access.actor(), "now": request_now()}
        if what == "approve":
            entry = crediting.approve(orm.session, program=g.program, **told)
        else:
            entry = adjusting.decline(orm.session, program_id=g.program.id, **told)
        amount = formats.money(Money(entry.amount_minor, entry.currency))
        if entry.status is AdjustmentStatus.CREDITED:
            return str(_("Kept. The order is being decided again."))
        if what == "approve":
            return str(_("%(amount)s approved. The next run takes it into account.", amount=amount))
        return str(_("%(amount)s declined. Nothing has moved.", amount=amount))

    return acted(url_for("console.adjustments"), act)


@blueprint.post('/<slug>/payouts/partners/<public("ptn"):partner_id>/costs')
@access.console("manager", "finance")
def enter_cost(partner_id: UUID) -> ResponseReturnValue:
    """Write down what the partner has cost."""
    _name(partner_id)
    form = CostForm(prefix=_COST)
    amount = _amount(form) if form.validate() else None
    if amount is None:
        return _page(partner_id, cost_form=form), 422
    try:
        costs.enter_cost(
            orm.session, program_id=g.program.id, partner_id=partner_id, kind=CostKind(form.kind.data),
            spent_on=form.spent_on.data, amount=amount, note=form.note.data, actor=access.actor(), now=request_now(),
        )  # fmt: skip
    except Invalid as refusal:
        orm.session.rollback()
        say_all(form, refusal.errors, {"reason": "note"})
        return _page(partner_id, cost_form=form), 422
    flash(_("Cost kept. Performance counts it on its day."), "success")
    return redirect(url_for("console.partner_entries", partner_id=partner_id), 303)


@blueprint.post('/<slug>/payouts/partners/<public("ptn"):partner_id>/costs/<public("cst"):cost_id>/remove')
@access.console("manager", "finance")
def remove_cost(partner_id: UUID, cost_id: UUID) -> BaseResponse:
    """It was a mistake."""

    def act() -> str:
        facts: dict[str, Any] = {"program_id": g.program.id, "actor": access.actor(), "now": request_now()}
        costs.remove_cost(orm.session, cost_id=cost_id, partner_id=partner_id, **facts)
        return str(_("Cost removed. The history keeps it."))

    return acted(url_for("console.partner_entries", partner_id=partner_id), act)


def _page(partner_id: UUID, *, form: AdjustmentForm | None = None, cost_form: CostForm | None = None) -> str:
    whose: dict[str, Any] = {"program_id": g.program.id, "partner_id": partner_id}
    name = _name(partner_id)
    page = lists.adjustments(orm.session, **whose, cursor=cursor())
    costs = lists.costs(orm.session, **whose, cursor=cursor("costs"))
    today = request_now().astimezone(ZoneInfo(g.program.time_zone)).date()
    return show(
        "money/entries.html",
        name=name,
        payment_url=url_for("console.payment", partner_id=partner_id),
        form=form or AdjustmentForm(formdata=None),
        cost_form=cost_form or CostForm(formdata=None, data={"spent_on": today}, prefix=_COST),
        rows=[adjustment_sheets.line(row) for row in page.rows],
        **pager(page, anchor="entries", at="console.partner_entries"),
        costs=[adjustment_sheets.cost(row) for row in costs.rows],
        costs_pager=pager(costs, name="costs", anchor="costs", at="console.partner_entries"),
        debt=adjusting.debt_of(orm.session, **whose),
        urls=adjustment_sheets.urls(partner_id),
    )


def _amount(form: Any) -> Money | None:
    try:
        found = amounts.read(form.amount.data, g.program.currency)
    except amounts.BadNumber as wrong:
        say(form.amount, str(wrong))
        return None
    return found


def _told(entry: Adjustment, name: str) -> str:
    amount = formats.money(Money(entry.amount_minor, entry.currency))
    if entry.status is AdjustmentStatus.POSTED:
        return str(_("%(amount)s for %(name)s posted.", amount=amount, name=name))
    return str(_("%(amount)s for %(name)s waits for a second person.", amount=amount, name=name))


def _name(partner_id: UUID) -> str:
    """The partner's name; one of another program is not here."""
    if partner_queries.enrollment_of(orm.session, program_id=g.program.id, partner_id=partner_id) is None:
        raise access.NotHere
    return partner_queries.partner_names(orm.session, partner_ids=[partner_id])[partner_id]
