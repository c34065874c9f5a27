"""The other ways in: postbacks of other trackers, partners' own websites, browsers of the own team."""

from uuid import UUID

from flask import Response, g, redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers.response import Response as BaseResponse

from affiliate import ids
from affiliate.accounts import access
from affiliate.console.blueprint import acted, blueprint, settings, show
from affiliate.console.tracking.tracking import unkept
from affiliate.links import sites
from affiliate.programs import addresses, secrets, service
from affiliate.tracking import snippets, tracker
from affiliate.tracking.keys import stamp
from affiliate.web import orm, request_now


@blueprint.get("/<slug>/tracking/more")
@access.console("manager")
def ways_in() -> str:
    """What else can report clicks and orders."""
    return _page()


@blueprint.get("/<slug>/tracking/token")
@access.fresh(access.console("manager"))
def postback_token() -> Response:
    """The same page with the postback token on it, for who has just confirmed the password."""
    return unkept(_page(token=secrets.postback_token(g.program, settings().secret_key)))


@blueprint.post("/<slug>/tracking/token")
@access.fresh(access.console("manager"))
def rotate_postback_token() -> BaseResponse:
    """A new token; the old one stops working at once."""
    seen = request.form.get("version", default=0, type=int)
    version = seen if seen == g.program.postback_token_version else 0  # no version is 0: refused as already replaced
    return acted(url_for("console.postback_token"), lambda: _rotate(version))


@blueprint.post("/<slug>/tracking/sites")
@access.console("manager")
def confirm_site() -> BaseResponse:
    """Let visitors from a partner's website count for a link."""
    return acted(url_for("console.ways_in"), _confirm)


@blueprint.post('/<slug>/tracking/sites/<public("site"):site_id>/withdraw')
@access.console("manager")
def withdraw_site(site_id: UUID) -> BaseResponse:
    """Let visitors from a website count for nobody."""
    return acted(url_for("console.ways_in"), lambda: _withdraw(site_id))


@blueprint.post("/<slug>/tracking/team")
@access.console("manager", "finance")
def mark_team() -> BaseResponse:
    """Lead this browser to the tracking host, which marks it as one of the team or takes the mark away."""
    made = stamp(tracker.current().keys.team, program_id=g.program.id, now=request_now())
    leave = "&leave=1" if request.form.get("leave") == "1" else ""
    return redirect(
        f"{addresses.links(g.program.own_host, settings())}/t/team?program={g.program.slug}&stamp={made}{leave}", 303
    )


def _rotate(version: int) -> str:
    service.rotate_postback_token(
        orm.session, program_id=g.program.id, expected_version=version, actor=access.actor(), now=request_now()
    )
    return str(_("The token is new. Put the new address into the other tracker now: the old one is refused."))


def _confirm() -> str:
    sites.confirm(
        orm.session, program_id=g.program.id, shop_hosts=g.program.allowed_hosts, url=request.form.get("url", ""),
        code=request.form.get("code", ""), actor=access.actor(), now=request_now(),
    )  # fmt: skip
    return str(
        _("Visitors from this website count from now on. Put the line for the shop's pages in again: it has changed.")
    )


def _withdraw(site_id: UUID) -> str:
    sites.withdraw(orm.session, program_id=g.program.id, site_id=site_id, actor=access.actor(), now=request_now())
    return str(_("Visitors from this website count for nobody from now on."))


def _page(*, token: str | None = None) -> str:
    tracking_url = addresses.links(g.program.own_host, settings())
    return show(
        "tracking/ways_in.html",
        token=token,
        token_version=g.program.postback_token_version,
        postback_url=snippets.postback(tracking_url=tracking_url, token=token or "TOKEN"),
        sites=[_site(*row) for row in sites.sites_of(orm.session, program_id=g.program.id)],
    )


def _site(site_id: UUID, host: str, code: str, confirmed_at: object) -> dict[str, object]:
    return {
        "id": ids.public("site", site_id),
        "host": host,
        "code": code,
        "confirmed_at": confirmed_at,
        "withdraw_url": url_for("console.withdraw_site", site_id=site_id),
    }
