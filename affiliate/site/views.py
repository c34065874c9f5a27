"""Pages for everybody: the open programs, a program, the application, robots.txt."""

from typing import Any

from flask import Blueprint, Response, current_app, g, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user

from affiliate import errors, formats
from affiliate.accounts import access
from affiliate.attribution import queries as attribution
from affiliate.money import Money
from affiliate.partners import queries as partners
from affiliate.partners import service
from affiliate.partners.models import EnrollmentStatus
from affiliate.programs import queries as programs
from affiliate.programs.models import Program, ProgramStatus
from affiliate.reports import plan_words, policies, sales
from affiliate.site import banners, sample
from affiliate.site.forms import ApplicationForm, SignedInApplicationForm
from affiliate.web import orm, request_now

PROGRAMS_SHOWN = 100
_ROBOTS = """User-agent: *
Disallow: /account
Disallow: /api/
Disallow: /apply/
Disallow: /console/
Disallow: /portal/
Disallow: /r/
Disallow: /t/
"""

# The program's colour in both themes: dark enough under white text by the rules of programs, lightened for dark grounds.
_ACCENT_CSS = """:root {
  --accent: light-dark(%(accent)s, color-mix(in srgb, %(accent)s 40%%, white)); --on-accent: light-dark(#FFFFFF, #0D1411);
  --accent-soft: light-dark(color-mix(in srgb, %(accent)s 12%%, white), color-mix(in srgb, %(accent)s 30%%, black));
}
"""

blueprint = Blueprint("site", __name__)
blueprint.add_url_rule('/c/<public("crv"):creative_id>', view_func=banners.banner)


class NoSuchProgram(errors.NotFound):
    """There is no open program of this name."""


@blueprint.get("/")
@access.public
def home() -> str:
    """The open programs."""
    found = programs.programs(orm.session, status=ProgramStatus.LIVE, limit=PROGRAMS_SHOWN)
    plans = sales.plans_in_force(orm.session, program_ids=[program.id for program in found], now=request_now())
    cards = [
        {
            "name": program.name,
            "url": url_for("site.program", slug=program.slug),
            "text": program.mission or program.description,
            "pays": plan_words.in_a_word(plans[program.id].terms, program.currency) if program.id in plans else None,
            "days": program.attribution_window_days,
        }
        for program in found
    ]
    return render_template("site/home.html", programs=cards)


@blueprint.get("/p/<slug>")
@access.public
def program(slug: str) -> str:
    """What a program offers and expects, with a worked sale."""
    found = _open_program(slug)
    plan = sales.plans_in_force(orm.session, program_ids=[found.id], now=request_now()).get(found.id)
    minimum = Money(found.payout_min_minor, found.currency)
    return render_template(
        "site/program.html",
        **_frame(found),
        shown={
            "name": found.name,
            "headline": found.mission
            or _("Recommend %(program)s and see how every cent came about", program=found.name),
            "description": found.description,
            "audience": _lines(found.audience),
            "terms": found.terms,
            "window_days": found.attribution_window_days,
            "rule": _rule(found),
            "validation_days": found.validation_days,
            "minimum": minimum or None,
            "has_cookie": found.cookie_by_default,
            "pays": plan_words.in_a_word(plan.terms, found.currency) if plan else None,
            "plan": plan.name if plan else None,
        },
        sale=sample.sale(found, plan) if plan else None,
        canonical_url=current_app.extensions["affiliate_settings"].base_url + url_for("site.program", slug=slug),
        apply_url=url_for("site.apply", slug=slug),
    )


def _rule(found: Program) -> list[str]:
    """Who gets a sale, and for how long a contact counts."""
    known = attribution.terms(orm.session, program_ids=[found.id])[found.id]
    return policies.sentences(attribution.in_force(known, at=request_now()))[:2]


@blueprint.get("/p/<slug>/accent.css")
@access.public
def accent(slug: str) -> Response:
    """The colour of the program's public pages. Its address carries the colour, so that browsers may keep it."""
    found = _open_program(slug)
    css = _ACCENT_CSS % {"accent": found.accent} if found.accent else ""
    return Response(css, mimetype="text/css", headers={"Cache-Control": "public, max-age=86400"})


@blueprint.route("/apply/<slug>", methods=["GET", "POST"])
@access.public
def apply(slug: str) -> ResponseReturnValue:
    """The application form; who is a member already is led to the portal."""
    found = _open_program(slug)
    signed_in = current_user.is_authenticated
    if signed_in and (stands := _standing(found)):
        return stands
    form = SignedInApplicationForm(data=_known()) if signed_in else ApplicationForm()
    if not form.validate_on_submit():
        page = render_template("site/apply.html", **_frame(found), form=form, terms=found.terms, name=found.name)
        return page, (422 if form.errors else 200)
    service.receive(
        orm.session,
        program=found,
        applicant=_applicant(form),
        signed_in_id=current_user.id if signed_in else None,
        now=request_now(),
    )
    return redirect(url_for("site.thanks", slug=slug), 303)


@blueprint.get("/apply/<slug>/thanks")
@access.public
def thanks(slug: str) -> str:
    """The same words for everybody, whoever has an account."""
    found = _open_program(slug)
    return render_template("site/thanks.html", **_frame(found), name=found.name, url=url_for("site.program", slug=slug))


@blueprint.get("/robots.txt")
@access.public
def robots() -> Response:
    """What search engines may read: the public pages."""
    return Response(_ROBOTS, mimetype="text/plain")


def _open_program(slug: str) -> Program:
    found = programs.program_by_slug(orm.session, slug=slug)
    if found is None or found.status is not ProgramStatus.LIVE:
        raise NoSuchProgram(_("There is no open program at this address."))
    g.program = found  # times on the page are in the program's zone
    return found


def _frame(found: Program) -> dict[str, Any]:
    accent_url = url_for("site.accent", slug=found.slug, v=found.accent.removeprefix("#")) if found.accent else None
    return {"brand": {"name": found.name, "url": url_for("site.program", slug=found.slug)}, "accent_url": accent_url}


def _standing(found: Program) -> ResponseReturnValue | None:
    """Where a signed-in person who has applied already is led; None for who has not."""
    memberships = partners.memberships_of(orm.session, user_id=current_user.id)
    mine = next((one for one in memberships if one.program_id == found.id), None)
    if mine is None:
        return None
    if mine.status in {EnrollmentStatus.REJECTED, EnrollmentStatus.BANNED}:
        enrollment = partners.enrollment_in(orm.session, enrollment_id=mine.enrollment_id, program_id=found.id)
        reason = enrollment.reason if enrollment else None
        return render_template("site/refused.html", **_frame(found), name=found.name, reason=reason)
    return redirect(f"/portal/{found.slug}/", 303)


def _known() -> dict[str, Any]:
    partner = partners.owned_partner(orm.session, user_id=current_user.id)
    if partner is None:
        return {}
    return {"partner_name": partner.name, "website": partner.website, "country": partner.country}


def _applicant(form: ApplicationForm | SignedInApplicationForm) -> service.Applicant:
    typed = {name: form[name].data for name in ("partner_name", "website", "country", "channels", "why")}
    return service.Applicant(
        email=form.email.data if "email" in form else current_user.email,
        name=form.name.data if "name" in form else current_user.name,
        partner_name=form.partner_name.data,
        website=form.website.data or None,
        country=form.country.data or None,
        locale=formats.locale(),
        answers=typed | {"terms_accepted_at": request_now().isoformat()},
    )


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]
