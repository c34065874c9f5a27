"""Where a partner comes in: the choice of a program, and the home page."""

from flask import g, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import format_date
from flask_login import current_user

from affiliate.accounts import access
from affiliate.partners import queries as partners
from affiliate.partners.models import EnrollmentStatus
from affiliate.portal import dashboard, first_steps, lines, sale_choice, worth_doing
from affiliate.portal.blueprint import blueprint, show, unread_notices, zone
from affiliate.portal.forms import LinkForm
from affiliate.relations import queries as relations
from affiliate.reports import home as reports_home
from affiliate.reports import money_words, sales, transactions
from affiliate.web import orm, request_now

LATEST = 6
_SHUT = (EnrollmentStatus.REJECTED, EnrollmentStatus.BANNED)


@blueprint.get("/")
@access.signed_in
def choose() -> ResponseReturnValue:
    """The programs of this person; straight in when there is one only."""
    memberships = partners.memberships_of(orm.session, user_id=current_user.id)
    open_ones = [one for one in memberships if one.status not in _SHUT]
    if len(open_ones) == 1 and len(memberships) == 1:
        return redirect(url_for("portal.home", slug=open_ones[0].program_slug))
    cards = [
        {
            "name": one.program_name,
            "partner": one.partner_name,
            "sign": lines.enrollment(one.status),
            "url": None if one.status in _SHUT else url_for("portal.home", slug=one.program_slug),
        }
        for one in memberships
    ]
    return render_template("portal/choose.html", memberships=cards)


@blueprint.get("/<slug>/")
@access.partner
def home() -> str:
    """What was earned and why, what is on its way, how the last 30 days went."""
    who = dashboard.Who(g.program, g.partner.id, request_now(), zone())
    mine = {"program_id": g.program.id, "partner_id": g.partner.id}
    standing = reports_home.standing(orm.session, **mine, now=who.now)
    numbers = dashboard.numbers(orm.session, who, standing.medians)
    cases = [line.case for line in relations.cases(orm.session, **mine, limit=worth_doing.EACH_MAX)]
    tasks = worth_doing.tasks(orm.session, who, cases, standing)
    news = worth_doing.news(orm.session, who, cases, user_id=current_user.id, group=standing.group_name)
    unread = unread_notices(worth_doing.NOTICES_READ)
    latest = sales.sales(orm.session, wanted=sales.Wanted(**mine), limit=LATEST)
    return show(
        "home.html",
        greeting=dashboard.greeting(current_user.name, now=who.now, zone=who.zone),
        today=format_date(numbers["today"], "EEEE d MMMM y"),
        numbers=numbers,
        flow=dashboard.flow(orm.session, who, standing),
        tasks=tasks,
        news=worth_doing.with_notices(news, who, unread, besides=tasks),
        sales=[lines.sale(one) for one in latest],
        sale_terms=money_words.of_sales(
            sale_choice.column_words(), transactions.USUAL_COLUMNS, [one.status for one in latest]
        ),
        has_links=standing.has_links,
        first_steps=first_steps.told(standing.done, now=who.now),
        form=LinkForm(),
        terms=lines.terms(g.program, standing.plan_terms, standing.validation_takes),
        shop_url=g.program.shop_url,
    )
