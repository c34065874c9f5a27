"""Acts on many creatives: chosen one by one or all that the list shows; how far they are stands in `work.bulk_acts`."""

from typing import Any

from flask import g, request, url_for
from flask_babel import ngettext
from werkzeug.wrappers.response import Response as BaseResponse

from affiliate.accounts import access
from affiliate.console import coming_back, presenters, roles
from affiliate.console.blueprint import blueprint, given_reason
from affiliate.console.relations import creative_sheets as sheets
from affiliate.console.work import bulk_acts
from affiliate.creatives import queries
from affiliate.relations import bulk
from affiliate.relations.bulk_models import BulkAct, BulkKind
from affiliate.web import orm, request_now

_KINDS = {
    "retire": BulkKind.RETIRE_CREATIVES,
    "groups": BulkKind.GROUP_CREATIVES,
    "campaign": BulkKind.MOVE_CREATIVES,
}
_TYPED_LENGTH_MAX = 1_000  # twenty groups of forty characters, with commas


@blueprint.post("/<slug>/creatives/act/<any(retire, groups, campaign):act>")
@access.console(*roles.MARKETING)
def act_on_creatives(act: str) -> BaseResponse:
    """Begin an act on the chosen creatives. A small one is through at once; a large one goes on while one does other things."""

    def told(done: BulkAct) -> str:
        return ngettext("Changed: %(num)d creative.", "Changed: %(num)d creatives.", done.changed)

    back: dict[str, Any] = {**coming_back.kept()}
    return bulk_acts.begin(url_for("console.creatives", **back), _KINDS[act], _arguments(act), _chosen(), told=told)


def _arguments(act: str) -> dict[str, str]:
    if act == "retire":
        return {"days": str(sheets.notice_days(request.form.get("days", ""))), "reason": given_reason()}
    return {act: request.form.get(act, "").strip()[:_TYPED_LENGTH_MAX]}


def _chosen() -> list[bulk.Chosen]:
    """The ticked creatives, or all that the list shows with its filters."""
    chosen = presenters.picked(bulk_acts.PICKED_MAX, "creative", "crv")
    if request.form.get("all") == "yes":
        wanted = sheets.wanted(coming_back.kept())
        chosen = [
            *queries.ids_matching(
                orm.session, program_id=g.program.id, wanted=wanted, now=request_now(), limit=bulk.SUBJECTS_MAX + 1
            )
        ]
    return [bulk.Chosen(creative_id=one) for one in chosen]
