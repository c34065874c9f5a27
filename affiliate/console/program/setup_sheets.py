"""The set-up assistant as plain values: its steps, what each shows, and what is still missing of the test."""

from http import HTTPStatus
from typing import Any
from uuid import UUID

from flask import g, url_for
from flask_babel import gettext as _

from affiliate import formats, signing, streams
from affiliate.commissions import plan_queries
from affiliate.commissions.models import CommissionPlan
from affiliate.console.blueprint import settings
from affiliate.console.goals import goal_sheets
from affiliate.console.queries import arrivals
from affiliate.console.tracking.tracking import code_of
from affiliate.links.models import Link
from affiliate.money import Money
from affiliate.programs import addresses, arrival, queries
from affiliate.programs import setup as remembered
from affiliate.programs.arrival import Missing, Sight
from affiliate.programs.models import ProgramSetup, ProgramStatus
from affiliate.reports import plan_words
from affiliate.tracking import rawlog, tracker
from affiliate.web import orm, request_now

STEPS = ("shop", "pay", "counting", "goal", "connect", "test")
REQUESTS_READ = 20
RENEWED_SECONDS = 3
_ARRIVED_BEFORE = {
    "click": frozenset({Missing.CLICK}),
    "order": frozenset({Missing.CLICK, Missing.ORDER, Missing.FINE_REQUEST, Missing.TEST_MARK}),
}


def after(step: str) -> str:
    """The step after this one; the last one stays."""
    return STEPS[min(STEPS.index(step) + 1, len(STEPS) - 1)]


def next_step() -> str:
    """The first step that is not done."""
    done = _done(_setup())
    return next((step for step in STEPS if not done[step]), STEPS[-1])


def plan_in_force() -> CommissionPlan | None:
    """What the program pays now."""
    return plan_queries.in_force(orm.session, program_id=g.program.id, at=request_now())


def test_link() -> Link | None:
    """The program's own link."""
    known = _setup()
    return orm.session.get(Link, known.test_link_id) if known and known.test_link_id else None


def page(step: str, *, secret: str | None) -> dict[str, Any]:
    """All that the template of a step shows beside its form."""
    known = _setup()
    return {
        "step": step,
        "steps": _steps(step, _done(known)),
        "back_url": url_for("console.setup", step=STEPS[STEPS.index(step) - 1]) if step != STEPS[0] else None,
        "next_url": url_for("console.setup", step=after(step)),
        **_SHOWN[step](known, secret),
    }


def _setup() -> ProgramSetup | None:
    return remembered.of(orm.session, program_id=g.program.id)


def _done(known: ProgramSetup | None) -> dict[str, bool]:
    """Which steps are done; a program that went live by other ways needs none of it."""
    return {
        "shop": True,
        "pay": plan_in_force() is not None,
        "counting": known is not None and known.counting_kept_at is not None,
        "goal": queries.has_goal(orm.session, program_id=g.program.id),
        "connect": known is not None and known.way is not None,
        "test": g.program.status is not ProgramStatus.DRAFT,
    }


def _steps(step: str, done: dict[str, bool]) -> list[dict[str, Any]]:
    names = {
        "shop": _("Shop"), "pay": _("What you pay"), "counting": _("What counts"), "goal": _("Goal"),
        "connect": _("Connect"), "test": _("Test"),
    }  # fmt: skip
    return [
        {
            "name": names[each],
            "state": "now" if each == step else "done" if done[each] else "",
            "url": url_for("console.setup", step=each),
        }
        for each in STEPS
    ]


def _of_pay(_known: ProgramSetup | None, _secret: str | None) -> dict[str, Any]:
    plan = plan_in_force()
    return {"sentences": plan_words.sentences(plan.terms, g.program.currency) if plan else []}


def _of_goal(_known: ProgramSetup | None, _secret: str | None) -> dict[str, Any]:
    return {"offers": goal_sheets.offers(), "has_goal": queries.has_goal(orm.session, program_id=g.program.id)}


def _of_connect(known: ProgramSetup | None, secret: str | None) -> dict[str, Any]:
    return {"way": known.way.value if known and known.way else None, "code": code_of(secret=secret), "secret": secret}


def _of_test(known: ProgramSetup | None, _secret: str | None) -> dict[str, Any]:
    link = test_link()
    if link is None:
        return {"link": None}
    refused = _refused()
    sight = arrivals.sight(
        orm.session, program_id=g.program.id, link_id=link.id, refused_at=refused.received_at if refused else None,
        now=request_now(),
    )  # fmt: skip
    missing = arrival.missing(sight)
    return {
        "link": f"{addresses.links(g.program.own_host, settings())}/r/{link.code}",
        "way": known.way.value if known and known.way else None,
        "stations": _stations(sight, missing),
        "told": _told(missing, refused.reason if refused else ""),
        "arrived": missing is Missing.NOTHING,
        "code": code_of(order_id=f"TEST-{request_now():%H%M%S}", click_id=_token(sight.click_id), test=True),
        "renews": None if missing is Missing.NOTHING else RENEWED_SECONDS,
        "has_goal": queries.has_goal(orm.session, program_id=g.program.id),
        "goal_url": url_for("console.setup", step="goal"),
    }


_SHOWN: dict[str, Any] = {
    "shop": lambda _known, _secret: {}, "pay": _of_pay, "counting": lambda _known, _secret: {}, "goal": _of_goal,
    "connect": _of_connect, "test": _of_test,
}  # fmt: skip


def _token(click_id: UUID | None) -> str:
    """The click as the shop got it: what its order has to carry."""
    if click_id is None:
        return "clk_…"
    return signing.click_token(tracker.current().keys.click, program_id=g.program.id, click_id=click_id)


def _refused() -> rawlog.RawRequest | None:
    """The newest request of the shop that was refused; nothing while Redis is away."""
    try:
        found = rawlog.last(streams.client(), program_id=g.program.id, limit=REQUESTS_READ)
    except streams.ERRORS:
        return None
    return next((one for one in found if one.status >= HTTPStatus.BAD_REQUEST), None)


def _stations(sight: Sight, missing: Missing) -> list[dict[str, Any]]:
    """Click, order, credit: what is here, with its moment."""
    order = sight.order
    earned = formats.money(Money(order.amount_minor, g.program.currency)) if order and order.amount_minor else ""
    return [
        {"name": _("Test click"), "done": missing not in _ARRIVED_BEFORE["click"], "at": sight.clicked_at},
        {
            "name": _("Test order %(id)s", id=order.order_id) if order else _("Test order"),
            "done": order is not None and missing not in _ARRIVED_BEFORE["order"],
            "at": order.arrived_at if order else None,
        },
        {
            "name": _("Commission of %(amount)s", amount=earned) if earned else _("Commission"),
            "done": missing is Missing.NOTHING,
            "at": None,
        },
    ]


def _told(missing: Missing, reason: str) -> str:
    sentences: dict[Missing, str] = {
        Missing.CLICK: _("No test click yet. Open the test link below: it leads to your shop."),
        Missing.ORDER: _("The click is here, and no order yet. Now order something in the shop, marked as a test."),
        Missing.FINE_REQUEST: _("The shop's last request was refused: %(reason)s", reason=reason or _("no reason")),
        Missing.TEST_MARK: _("An order came, but it was not marked as a test, so it counts. Send one with test: true."),
        Missing.CLICK_ID: _(
            "The test order names no click. Is the tag on every page, and does the order carry the cookie aff_track as click_id?"
        ),
        Missing.OWN_CLICK_ID: _("The click id in the order is none of ours. Pass it on as it is, without cutting it."),
        Missing.ATTRIBUTION: _("The test order is here. A moment: it is being given to its click."),
        Missing.CREDIT: _("The test order was given to nobody. Open the test link once more, then order again."),
        Missing.COMMISSION: _("The order found its click. A moment: the commission is being reckoned."),
        Missing.PLAN: _("The order earned nothing: no commission plan was in force, or it pays nothing for it."),
        Missing.NOTHING: _("Everything has arrived. A test never counts and is never paid."),
    }
    return sentences[missing]
