"""Acts on many partners: chosen one by one or all that a list shows; how far they are stands in `work.bulk_acts`."""

from typing import Any

from flask import request, url_for
from flask_babel import ngettext
from werkzeug.wrappers.response import Response as BaseResponse

from affiliate.accounts import access
from affiliate.console import coming_back, presenters
from affiliate.console.blueprint import blueprint, given_reason
from affiliate.console.joining.applications import AGAIN_DAYS
from affiliate.console.partners import partner_list
from affiliate.console.queries import partners as queries
from affiliate.console.work import bulk_acts
from affiliate.relations import bulk
from affiliate.relations.bulk_models import OF_COMMISSIONS, OF_CREATIVES, OF_ORDERS, BulkAct, BulkKind
from affiliate.web import orm

_KINDS = frozenset(BulkKind) - OF_COMMISSIONS - OF_ORDERS - OF_CREATIVES


@blueprint.post("/<slug>/partners/act/<kind>")
@access.console("manager")
def act_on_partners(kind: str) -> BaseResponse:
    """Begin an act on the chosen partners. A small one is through at once; a large one goes on while one does other things."""
    if kind not in _KINDS:
        raise access.NotHere

    def told(act: BulkAct) -> str:
        return ngettext("Changed: %(num)d partner.", "Changed: %(num)d partners.", act.changed)

    return bulk_acts.begin(_back(), BulkKind(kind), _arguments(), _chosen(), told=told)


def _arguments() -> dict[str, str]:
    typed = {name: request.form.get(name, "").strip()[:120] for name in ("tag", "group", "lead")}
    again = request.form.get("again", "")
    typed["again_days"] = again if again in {str(days) for days in AGAIN_DAYS} else ""
    return {name: value for name, value in (typed | {"reason": given_reason()}).items() if value}


def _chosen() -> list[bulk.Chosen]:
    """The ticked partners, or all that the list shows with its filters."""
    if request.form.get("all") != "yes":
        return [bulk.Chosen(one) for one in presenters.picked(bulk_acts.PICKED_MAX)]
    kept = coming_back.kept()
    if request.form.get("from") == "applications":
        asked = partner_list.applied(kept)
        asked["statuses"] = [asked.pop("status")]
    else:
        asked = partner_list.asked(kept)
    return [bulk.Chosen(one) for one in queries.matching(orm.session, **asked, limit=bulk.SUBJECTS_MAX + 1)]


def _back() -> str:
    """The list as it stood: its filters and its page."""
    place: dict[str, Any] = {**coming_back.kept()}
    return coming_back.back_to(url_for("console.partners", **place))
