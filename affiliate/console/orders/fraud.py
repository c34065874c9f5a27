"""Pages of fraud: the queue of orders under review, one case with its evidence, and what a manager may do about them."""

from typing import Any
from uuid import UUID

from flask import g, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers.response import Response as BaseResponse

from affiliate import ids
from affiliate.accounts import access
from affiliate.commissions import queries as commissions
from affiliate.console import presenters, roles
from affiliate.console.blueprint import acted, blueprint, can, cursor, given_reason, pager, refused, show
from affiliate.console.orders import fraud_sheets
from affiliate.console.queries import fraud as money
from affiliate.console.relations import case_sheets
from affiliate.console.work import bulk_acts
from affiliate.errors import Invalid
from affiliate.fraud import lists, service
from affiliate.fraud.rules import BY_NAME
from affiliate.fraud.signals import Verdict
from affiliate.partners import queries as partner_queries
from affiliate.payouts import stopping
from affiliate.relations import bulk
from affiliate.relations import queries as case_queries
from affiliate.relations import service as cases
from affiliate.relations.bulk_models import BulkKind
from affiliate.relations.models import Case
from affiliate.web import orm, request_now

_KINDS = {"pass": BulkKind.CLEAR_ORDERS, "reject": BulkKind.REJECT_ORDERS}
_ACTS = {"pass": Verdict.PASS, "review": Verdict.FLAG, "reject": Verdict.REJECT}


@blueprint.get("/<slug>/fraud")
@access.console(*roles.EVERYBODY)
def fraud() -> str:
    """Orders that wait for a manager, those first for which an answer is promised soonest."""
    appealed = request.args.get("state") == "appealed"
    rows, page = money.queue(orm.session, program_id=g.program.id, appealed=appealed, cursor=cursor())
    pairs = {(row.conversion_id, row.partner_id) for row in rows}
    amounts = commissions.reckoned(orm.session, program_id=g.program.id, pairs=pairs)
    counts = lists.counts(orm.session, program_id=g.program.id)
    return show("orders/fraud.html", pager=pager(page), **fraud_sheets.queue(rows, amounts, counts, appealed=appealed))


@blueprint.get('/<slug>/fraud/<public("cnv"):conversion_id>/<public("ptn"):partner_id>')
@access.console(*roles.EVERYBODY)
def fraud_case(conversion_id: UUID, partner_id: UUID) -> str:
    """One partner's credit for one order: what spoke against it, and everything that was said since."""
    mine = {"program_id": g.program.id, "conversion_id": conversion_id, "partner_id": partner_id}
    appeal = case_queries.appeal_waiting(orm.session, **mine)
    said = case_queries.message_count(orm.session, case_id=appeal.id) if appeal else 0  # before it is read
    found = lists.history(orm.session, **mine)
    if found.present is None:
        raise access.NotHere
    names = partner_queries.partner_names(orm.session, partner_ids=[partner_id])
    amounts = commissions.reckoned(orm.session, program_id=g.program.id, pairs={(conversion_id, partner_id)})
    commission_id = money.commission_id(orm.session, conversion_id=conversion_id, partner_id=partner_id)
    amount = amounts.get((conversion_id, partner_id))
    shown = fraud_sheets.case(found, names[partner_id], amount, commission_id, appeal, talk=_talk(appeal))
    return show("orders/fraud_case.html", said=said, typed=request.form, **shown)


@blueprint.post(
    '/<slug>/fraud/<public("cnv"):conversion_id>/<public("ptn"):partner_id>/<any(pass, review, reject):act>'
)
@access.console("manager")
def decide_case(conversion_id: UUID, partner_id: UUID, act: str) -> BaseResponse:
    """Let one order pass, put it under review or reject it, with a note."""
    back = url_for("console.fraud_case", conversion_id=conversion_id, partner_id=partner_id)
    rule = request.form.get("rule") if request.form.get("rule") in BY_NAME else None

    def decide() -> str:
        cases.decide_order(
            orm.session, program_id=g.program.id, conversion_id=conversion_id, partner_id=partner_id, verdict=_ACTS[act],
            note=given_reason(), rule=rule, seen=presenters.seen(request.form.get("seen")),
            said=presenters.seen(request.form.get("said")), actor=access.actor(), now=request_now(),
        )  # fmt: skip
        return fraud_sheets.decided(act, done=1)

    return acted(back, decide, names={"note": "reason"})


@blueprint.post("/<slug>/fraud/<any(pass, reject):act>")
@access.console("manager")
def decide_cases(act: str) -> BaseResponse:
    """Let the selected orders pass, or reject them, or all that the list shows, with one note; each refusal is told."""
    back, chosen = _back(), _chosen()
    if not chosen:
        return refused(back, Invalid({"case": [_("Select at least one order first.")]}))
    if not given_reason():
        return refused(back, Invalid({"reason": [_("Write why: the partner reads it.")]}))
    return bulk_acts.begin(
        back, _KINDS[act], {"reason": given_reason()}, chosen,
        told=lambda done: fraud_sheets.decided(act, done=done.changed),
        none_done=service.DecidedMeanwhile(
            _("Somebody else has decided on these orders. Look at them again.")
        ),
    )  # fmt: skip


@blueprint.post('/<slug>/fraud/partners/<public("ptn"):partner_id>/pause')
@access.console("manager")
def pause_suspect(partner_id: UUID) -> BaseResponse:
    """Pause a partner: its links stop counting, and no payout takes it along until it may go on, waiting ones included."""
    enrollment = partner_queries.enrollment_of(orm.session, program_id=g.program.id, partner_id=partner_id)
    if enrollment is None:
        raise access.NotHere

    def pause() -> str:
        if not given_reason():
            raise Invalid({"reason": [_("Write a reason first: the partner will ask, and the history keeps it.")]})
        stopping.pause(
            orm.session, enrollment_id=enrollment.id, program_id=g.program.id,
            actor=access.actor(), reason=given_reason(), now=request_now(),
        )  # fmt: skip
        return str(
            _("The partner is paused: its clicks do not count, and it is left out of payouts. You can undo it here.")
        )

    return acted(url_for("console.fraud"), pause)


def _talk(appeal: Case | None) -> list[dict[str, Any]]:
    """All that was said in the appeal, for who may read cases: whoever decides here must have been shown it."""
    if appeal is None or not can("case"):
        return []
    return case_sheets.messages(appeal)


def _chosen() -> list[bulk.Chosen]:
    """The ticked cases, without doubles, or all that the list shows; what is no case of ours was not on the page."""
    if request.form.get("all") == "yes":
        appealed = request.form.get("state") == "appealed"
        rows = lists.all_waiting(
            orm.session, program_id=g.program.id, limit=bulk.SUBJECTS_MAX + 1, appealed=appealed
        )  # fmt: skip
        return [bulk.Chosen(one.partner_id, conversion_id=one.conversion_id, seen=one.decisions) for one in rows]
    found: dict[tuple[UUID, UUID], int] = {}
    for text in request.form.getlist("case")[: bulk_acts.PICKED_MAX]:
        order, _dot, rest = text.partition(".")
        partner, _dot, seen = rest.partition(".")
        try:
            found[ids.parse("cnv", order), ids.parse("ptn", partner)] = presenters.seen(seen)
        except ids.BadPublicId:
            continue
    known = money.known(orm.session, program_id=g.program.id, pairs=found)
    return [bulk.Chosen(pair[1], conversion_id=pair[0], seen=seen) for pair, seen in found.items() if pair in known]


def _back() -> str:
    """The list as it stood."""
    kept: dict[str, Any] = {name: request.form[name] for name in ("state", "page") if request.form.get(name)}
    return url_for("console.fraud", **kept)
