"""Pages of attribution: the policy in plain words and as a form, what a change would mean, and replays of stored orders."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import flash, g, redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers.response import Response as BaseResponse

from affiliate import exports, formats
from affiliate.accounts import access
from affiliate.attribution import publishing
from affiliate.attribution import queries as attribution
from affiliate.attribution.policy import Policy
from affiliate.console import roles
from affiliate.console.blueprint import acted, blueprint, given_reason, show
from affiliate.console.forms import say_all
from affiliate.console.program.changes import last_changes
from affiliate.console.queries import named
from affiliate.console.rules import replay_sheets
from affiliate.console.rules.attribution_forms import PolicyForm
from affiliate.errors import Conflict, Invalid
from affiliate.money import Money
from affiliate.partners import service as partners
from affiliate.partners.classes import PartnerClass
from affiliate.payouts.models import AdjustmentStatus
from affiliate.programs.models import Program
from affiliate.relations import crediting
from affiliate.replay import queries, service
from affiliate.replay.models import Replay
from affiliate.reports import policies as words
from affiliate.web import orm, request_now

DAYS_OFFERED = (7, 30, 90, 365)
DAYS_USUAL = 30
Answer = str | tuple[str, int] | BaseResponse


@blueprint.get("/<slug>/attribution")
@access.console(*roles.SETTINGS)
def attribution_policy() -> str:
    """Who gets a sale, in sentences; the form to change it; versions and replays."""
    return _page(PolicyForm.of(_newest()))


@blueprint.post("/<slug>/attribution")
@access.console("manager")
def change_attribution() -> Answer:
    """Show what a change means, try it on stored orders, or publish it from a day on."""
    newest = _newest()
    form = PolicyForm.of(newest)
    policy = form.policy(newest) if form.validate_on_submit() else None
    if policy is None:
        return _page(form), 422
    act = request.form.get("act")
    if act == "replay":
        return _start_replay(policy)
    if act == "publish":
        return _publish(form, policy)
    return _page(form, proposed=policy)


@blueprint.post("/<slug>/attribution/check")
@access.console("manager")
def check_attribution() -> BaseResponse:
    """Replay stored orders under the policy of then: nothing may change."""
    return _start_replay(None)


@blueprint.get('/<slug>/replays/<public("rpl"):replay_id>')
@access.console(*roles.SETTINGS)
def replay(replay_id: UUID) -> str:
    """How far a replay is, and what it found."""
    found = _known(replay_id)
    return show("rules/replay.html", **replay_sheets.page(orm.session, found), tomorrow=_tomorrow())


@blueprint.get('/<slug>/replays/<public("rpl"):replay_id>/<any(partners, orders):table>.<any(csv, xlsx):kind>')
@access.console(*roles.SETTINGS)
def replay_file(replay_id: UUID, table: str, kind: str) -> BaseResponse:
    """The money of every partner, or every order that would change as far as they are kept, as a file."""
    found = _known(replay_id)
    if table == "partners":
        rows = replay_sheets.partner_cells(orm.session, found)
        return exports.response(kind, "replay-partners", replay_sheets.PARTNERS_HEAD, rows)
    return exports.response(
        kind, "replay-orders", replay_sheets.ORDERS_HEAD, replay_sheets.order_cells(orm.session, found)
    )


@blueprint.get('/<slug>/replays/<public("rpl"):replay_id>/<public("cnv"):conversion_id>')
@access.console(*roles.SETTINGS)
def replay_change(replay_id: UUID, conversion_id: UUID) -> str:
    """An order that would go to somebody else: both traces."""
    _known(replay_id)
    row = queries.change(orm.session, replay_id=replay_id, conversion_id=conversion_id)
    if row is None:
        raise access.NotHere
    return show("rules/replay_change.html", **replay_sheets.change(orm.session, row))


@blueprint.post('/<slug>/replays/<public("rpl"):replay_id>/<any(stop, resume):act>')
@access.console("manager")
def move_replay(replay_id: UUID, act: str) -> BaseResponse:
    """Stop a replay where it is, or go on."""

    def move() -> str:
        change = service.stop if act == "stop" else service.resume
        change(orm.session, replay_id=replay_id, program_id=g.program.id, actor=access.actor(), now=request_now())
        return str(_("The replay is stopped.") if act == "stop" else _("The replay goes on."))

    return acted(url_for("console.replay", replay_id=replay_id), move)


@blueprint.post('/<slug>/replays/<public("rpl"):replay_id>/publish')
@access.console("manager")
def publish_replay(replay_id: UUID) -> BaseResponse:
    """Let the policy that was tried count, from a day on."""
    policy = service.proposal(_known(replay_id))
    starts_at = PolicyForm().starts_at(g.program.time_zone)

    def act() -> str:
        if policy is None or starts_at is None:
            raise Invalid({"starts_on": [_("Choose a day from which it counts.")]})
        return _published(Policy.of(policy.version - 1, policy.terms), starts_at)

    there = url_for("console.replay", replay_id=replay_id)
    return acted(url_for("console.attribution_policy"), act, page=there, names={"effective_from": "starts_on"})


@blueprint.post('/<slug>/partners/<public("ptn"):partner_id>/attribution')
@access.console("manager")
def set_attribution_terms(partner_id: UUID) -> BaseResponse:
    """Rank a partner, and promise it a window of its own."""
    back, typed = url_for("console.partner", partner_id=partner_id), request.form.get("window_days", "").strip()
    chosen = request.form.get("partner_class", "")

    def act() -> str:
        if chosen not in set(PartnerClass) or (typed and not typed.isdecimal()):
            raise Invalid({"window_days": [_("Choose from 1 to 365 days, or leave it empty.")]})
        partners.set_attribution_terms(
            orm.session, program_id=g.program.id, partner_id=partner_id, partner_class=PartnerClass(chosen),
            window_days=int(typed) if typed else None, actor=access.actor(), now=request_now(),
        )  # fmt: skip
        return str(_("Kept. It counts for orders from now on."))

    return acted(back, act)


@blueprint.post('/<slug>/conversions/<public("cnv"):conversion_id>/credit')
@access.console("manager")
def credit_by_hand(conversion_id: UUID) -> BaseResponse:
    """Say who brought an order."""
    back = url_for("console.conversion", conversion_id=conversion_id)
    known = named.of_program(orm.session, program_id=g.program.id)
    partner_id = known.get(("partner", request.form.get("partner", "").strip()))

    def act() -> str:
        if partner_id is None:
            raise Invalid({"partner": [_("There is none of this name in the program.")]})
        entry = crediting.give(
            orm.session, program=orm.session.get_one(Program, g.program.id),
            conversion_id=conversion_id, partner_id=partner_id,
            note=given_reason(), actor=access.actor(), now=request_now(),
        )  # fmt: skip
        if entry is not None and entry.status is AdjustmentStatus.PROPOSED:
            amount = Money(entry.amount_minor, entry.currency).text()
            return str(_("The credit of the order, about %(amount)s, waits for a second person.", amount=amount))
        return str(_("Kept. The order is being decided again."))

    return acted(back, act)


def _publish(form: PolicyForm, policy: Policy) -> Answer:
    starts_at = form.starts_at(g.program.time_zone)
    if starts_at is None:
        say_all(form, {"starts_on": [_("Choose a day from which it counts.")]})
        return _page(form, proposed=policy), 422
    return acted(url_for("console.attribution_policy"), lambda: _published(policy, starts_at))


def _published(policy: Policy, starts_at: datetime) -> str:
    """`policy` carries the version that the person has seen."""
    row = publishing.publish(
        orm.session, program_id=g.program.id, policy=policy, effective_from=starts_at, actor=access.actor(),
        now=request_now(),
    )  # fmt: skip
    return str(
        _("Policy %(version)s counts for orders from %(day)s on.", version=row.version, day=formats.day(starts_at))
    )


def _start_replay(policy: Policy | None) -> BaseResponse:
    now = request_now()
    span = timedelta(days=_days())
    try:
        started = service.start(
            orm.session, program_id=g.program.id, policy=policy, starts_at=now - span, ends_at=now,
            actor=access.actor(), now=now,
        )  # fmt: skip
    except Conflict as refusal:
        orm.session.rollback()
        flash(str(refusal), "error")
        return redirect(url_for("console.attribution_policy"), 303)
    return redirect(url_for("console.replay", replay_id=started.id), 303)


def _days() -> int:
    """Over how many of the last days orders are decided again."""
    days = request.form.get("days", default=DAYS_USUAL, type=int)
    return days if days in DAYS_OFFERED else DAYS_USUAL


def _known(replay_id: UUID) -> Replay:
    found = queries.replay(orm.session, replay_id=replay_id, program_id=g.program.id)
    if found is None:
        raise access.NotHere
    return found


def _newest() -> Policy:
    return attribution.terms(orm.session, program_ids=[g.program.id])[g.program.id][0].policy


def _tomorrow() -> str:
    return str((request_now() + timedelta(days=1)).astimezone(ZoneInfo(g.program.time_zone)).date())


def _page(form: PolicyForm, *, proposed: Policy | None = None) -> str:
    now = request_now()
    known = attribution.terms(orm.session, program_ids=[g.program.id])[g.program.id]
    current = attribution.in_force(known, at=now)
    authors = attribution.authors(orm.session, program_id=g.program.id)
    return show(
        "rules/attribution.html",
        form=form,
        sentences=words.sentences(current),
        version=current.version,
        changes=_changes(known[0].policy, proposed) if proposed else None,
        versions=[
            _version(term, current=current.version, now=now) | {"by": authors.get(term.policy.version)}
            for term in known
        ],
        replays=[replay_sheets.row(one) for one in queries.replays(orm.session, program_id=g.program.id)],
        days=[(days, ngettext("the last %(num)d day", "the last %(num)d days", days)) for days in DAYS_OFFERED],
        days_usual=_days(),
        trail=last_changes("attribution_policy.publish"),
    )


def _changes(before: Policy, after: Policy) -> dict[str, list[str]]:
    """The sentences that go and those that come."""
    old, new = words.sentences(before), words.sentences(after)
    return {"go": [one for one in old if one not in new], "come": [one for one in new if one not in old]}


def _version(term: attribution.Term, *, current: int, now: datetime) -> dict[str, Any]:
    return {
        "version": term.policy.version,
        "from": term.effective_from if term.effective_from.year > 1970 else None,  # noqa: PLR2004 - the first one counts since ever
        "sentences": words.sentences(term.policy),
        "is_current": term.policy.version == current,
        "is_later": term.effective_from > now,
    }
