"""Pages of fraud: the queue of orders under review, one case with its evidence, and what a manager may do about them."""

from uuid import UUID

from flask import flash, g, redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers.response import Response as BaseResponse

from affiliate import ids
from affiliate.accounts import access
from affiliate.console import fraud_sheets, roles
from affiliate.console.blueprint import acted, blueprint, given_reason, show
from affiliate.console.queries import fraud as money
from affiliate.errors import Conflict, NotFound
from affiliate.fraud import lists, service
from affiliate.fraud.rules import BY_NAME
from affiliate.fraud.signals import Verdict
from affiliate.partners import queries as partner_queries
from affiliate.payouts import stopping
from affiliate.web import orm, request_now

SHOWN_MAX = 50
_ACTS = {"pass": Verdict.PASS, "review": Verdict.FLAG, "reject": Verdict.REJECT}


@blueprint.get("/<slug>/fraud")
@access.console(*roles.EVERYBODY)
def fraud() -> str:
    """Orders that wait for a manager, those first for which an answer is promised soonest."""
    appealed = request.args.get("state") == "appealed"
    rows = lists.waiting(orm.session, program_id=g.program.id, limit=SHOWN_MAX, appealed=appealed)
    pairs = {(row.conversion_id, row.partner_id) for row in rows}
    amounts = money.reckoned(orm.session, program_id=g.program.id, pairs=pairs)
    counts = lists.counts(orm.session, program_id=g.program.id)
    return show("fraud.html", **fraud_sheets.queue(rows, amounts, counts, appealed=appealed, shown_max=SHOWN_MAX))


@blueprint.get('/<slug>/fraud/<public("cnv"):conversion_id>/<public("ptn"):partner_id>')
@access.console(*roles.EVERYBODY)
def fraud_case(conversion_id: UUID, partner_id: UUID) -> str:
    """One partner's credit for one order: what spoke against it, and everything that was said since."""
    mine = {"program_id": g.program.id, "conversion_id": conversion_id, "partner_id": partner_id}
    found = lists.history(orm.session, **mine)
    if found.present is None:
        raise access.NotHere
    names = partner_queries.partner_names(orm.session, partner_ids=[partner_id])
    amounts = money.reckoned(orm.session, program_id=g.program.id, pairs={(conversion_id, partner_id)})
    commission_id = money.commission_id(orm.session, conversion_id=conversion_id, partner_id=partner_id)
    shown = fraud_sheets.case(found, names[partner_id], amounts.get((conversion_id, partner_id)), commission_id)
    return show("fraud_case.html", **shown)


@blueprint.post(
    '/<slug>/fraud/<public("cnv"):conversion_id>/<public("ptn"):partner_id>/<any(pass, review, reject):act>'
)
@access.console("manager")
def decide_case(conversion_id: UUID, partner_id: UUID, act: str) -> BaseResponse:
    """Let one order pass, put it under review or reject it, with a note."""
    back = url_for("console.fraud_case", conversion_id=conversion_id, partner_id=partner_id)
    rule = request.form.get("rule") if request.form.get("rule") in BY_NAME else None

    def decide() -> str:
        _decide(conversion_id, partner_id, _ACTS[act], seen=_seen(request.form.get("seen")), rule=rule)
        return fraud_sheets.decided(act, done=1, missed=0)

    return acted(back, decide)


@blueprint.post("/<slug>/fraud/<any(pass, reject):act>")
@access.console("manager")
def decide_cases(act: str) -> BaseResponse:
    """Let the selected orders pass, or reject them, with one note; each stands for itself, and what was refused is said."""
    back, chosen = url_for("console.fraud"), _selected()
    if not chosen:
        flash(_("Select at least one order first."), "error")
    elif not given_reason():
        flash(_("Write why: the partner reads it."), "error")
    else:
        return acted(back, lambda: _decide_all(act, chosen))
    return redirect(back, 303)


@blueprint.post('/<slug>/fraud/partners/<public("ptn"):partner_id>/pause')
@access.console("manager")
def pause_suspect(partner_id: UUID) -> BaseResponse:
    """Pause a partner: its links stop counting, and no payout takes it along until it may go on, waiting ones included."""
    enrollment = partner_queries.enrollment_of(orm.session, program_id=g.program.id, partner_id=partner_id)
    if enrollment is None:
        raise access.NotHere
    if not given_reason():
        flash(_("Write a reason first: the partner will ask, and the history keeps it."), "error")
        return redirect(url_for("console.fraud"), 303)

    def pause() -> str:
        stopping.pause(
            orm.session, enrollment_id=enrollment.id, program_id=g.program.id,
            actor=access.actor(), reason=given_reason(), now=request_now(),
        )  # fmt: skip
        return str(
            _("The partner is paused: its clicks do not count, and it is left out of payouts. You can undo it here.")
        )

    return acted(url_for("console.fraud"), pause)


def _decide(conversion_id: UUID, partner_id: UUID, verdict: Verdict, *, seen: int, rule: str | None = None) -> None:
    service.decide(
        orm.session, program_id=g.program.id, conversion_id=conversion_id, partner_id=partner_id, verdict=verdict,
        note=given_reason(), rule=rule, seen=seen, actor=access.actor(), now=request_now(),
    )  # fmt: skip


def _decide_all(act: str, chosen: list[tuple[UUID, UUID, int]]) -> str:
    done = sum(1 for case in chosen if _decided(act, *case))
    if not done:
        raise service.DecidedMeanwhile(_("Somebody else has decided on these orders. Look at them again."))
    return fraud_sheets.decided(act, done=done, missed=len(chosen) - done)


def _decided(act: str, conversion_id: UUID, partner_id: UUID, seen: int) -> bool:
    """Whether this one could be decided; a refusal undoes only itself."""
    try:
        with orm.session.begin_nested():
            _decide(conversion_id, partner_id, _ACTS[act], seen=seen)
    except (Conflict, NotFound):
        return False
    return True


def _selected() -> list[tuple[UUID, UUID, int]]:
    """The ticked cases, without doubles; what is no case of ours was not on the page."""
    found: dict[tuple[UUID, UUID], int] = {}
    for text in request.form.getlist("case")[:SHOWN_MAX]:
        order, _dot, rest = text.partition(".")
        partner, _dot, seen = rest.partition(".")
        try:
            found[ids.parse("cnv", order), ids.parse("ptn", partner)] = _seen(seen)
        except ids.BadPublicId:
            continue
    return [(*pair, seen) for pair, seen in found.items()]


def _seen(text: str | None) -> int:
    """How many decisions the person saw; what cannot be read was none, and is refused if there are any."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 6 else 0  # noqa: PLR2004 - five digits are plenty
