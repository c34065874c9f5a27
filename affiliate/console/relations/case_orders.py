"""The order of a case that never arrived, taken in by hand: by the same way as those of a table, and back to the case."""

import csv
import io
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import flash, g, redirect, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import StringField
from wtforms.validators import InputRequired, Length

from affiliate import amounts
from affiliate.accounts import access
from affiliate.console.blueprint import blueprint, show
from affiliate.console.forms import say
from affiliate.console.relations import case_sheets
from affiliate.fields import DayField
from affiliate.money import Money
from affiliate.partners import queries as partners
from affiliate.relations import queries, service
from affiliate.relations.models import Case
from affiliate.reports import periods
from affiliate.tracking import order_import, tracker
from affiliate.tracking.order_import import RowResult
from affiliate.web import orm, request_now

N_ = str  # marks a sentence for the translators

_NEEDED = InputRequired(_l("This is needed."))


class OrderForm(FlaskForm):  # type: ignore[misc] # the library is not typed
    """An order as the shop knows it."""

    order_id = StringField(
        _l("Order number"), filters=[lambda text: " ".join((text or "").split())], validators=[_NEEDED, Length(max=120)]
    )
    amount = StringField(
        _l("Amount"), validators=[_NEEDED], description=_l("What the customer paid, with tax and shipping.")
    )
    placed_on = DayField(_l("Day"), validators=[_NEEDED], description=_l("Of the order, as the shop shows it."))


@blueprint.get('/<slug>/cases/<public("cas"):case_id>/order')
@access.console("manager")
def case_order(case_id: UUID) -> str:
    """The form, with what the partner said."""
    case = _found(case_id)
    day = (case.happened_at or case.opened_at).astimezone(ZoneInfo(g.program.time_zone)).date()
    return _page(case, OrderForm(data={"order_id": case.order_id, "placed_on": day}))


@blueprint.post('/<slug>/cases/<public("cas"):case_id>/order')
@access.console("manager")
def take_case_order(case_id: UUID) -> ResponseReturnValue:
    """Take the order in and lead back to the case, which names it where it is accepted."""
    case, form = _found(case_id), OrderForm()
    amount = _amount(form) if form.validate() else None
    if amount is None:
        return _page(case, form), 422
    result = _take(form, amount)
    if result.status == "refused":
        _say_problems(form, result)
        return _page(case, form), 422
    flash(_("The order is taken in. In a few seconds it can be credited to the partner: accept the case."), "success")
    return redirect(url_for("console.case", case_id=case_id, order=form.order_id.data), 303)


def _take(form: OrderForm, amount: Money) -> RowResult:
    here, now = tracker.current(), request_now()
    placed_at = periods.start_of_day(form.placed_on.data, zone=g.program.time_zone)  # the same whenever it is pressed
    table = io.StringIO()
    rows = csv.writer(table)
    rows.writerow(("order_id", "amount", "occurred_at"))
    rows.writerow((form.order_id.data, amount.text(), placed_at.isoformat()))
    program = here.program_of_key(g.program.id, now=now)
    [result] = order_import.import_orders(
        table.getvalue().encode(), program=program, keys=here.keys, buffer=here.buffer, now=now
    )
    return result


def _say_problems(form: OrderForm, result: RowResult) -> None:
    for problem in result.problems:
        if problem.column == "occurred_at":
            say(form.placed_on, N_("Choose a day of the last two years."))
        else:
            field = form.amount if problem.column == "amount" else form.order_id
            field.errors = [*field.errors, _(problem.sentence) % problem.values]


def _amount(form: OrderForm) -> Money | None:
    try:
        return amounts.read(form.amount.data, g.program.currency)
    except amounts.BadNumber as wrong:
        say(form.amount, str(wrong))
        return None


def _page(case: Case, form: OrderForm) -> str:
    partner = partners.partner_by_id(orm.session, partner_id=case.partner_id)
    line: dict[str, Any] = case_sheets.line(case, partner.name if partner else "")
    return show("relations/case_order.html", case=line, form=form, currency=g.program.currency)


def _found(case_id: UUID) -> Case:
    found = queries.case_in(orm.session, program_id=g.program.id, case_id=case_id)
    if found is None:
        raise service.NoSuchCase(_("There is no such case."))
    return found
