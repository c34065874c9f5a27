"""Pages for everybody: the open programs, a program, robots.txt."""

from flask import Blueprint, Response, current_app, render_template, request, url_for
from flask_babel import gettext as _

from affiliate.accounts import access
from affiliate.attribution import queries as attribution
from affiliate.money import Money
from affiliate.programs import queries as programs
from affiliate.programs.models import Program, ProgramStatus
from affiliate.reports import plan_words, policies, sales
from affiliate.site import banners, sample
from affiliate.site.frame import frame, open_program
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
    found = open_program(slug)
    plan = sales.plans_in_force(orm.session, program_ids=[found.id], now=request_now()).get(found.id)
    minimum = Money(found.payout_min_minor, found.currency)
    return render_template(
        "site/program.html",
        **frame(found),
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
        apply_url=url_for("joining.apply", slug=slug, **_origin()),
    )


def _rule(found: Program) -> list[str]:
    """Who gets a sale, and for how long a contact counts."""
    known = attribution.terms(orm.session, program_ids=[found.id])[found.id]
    return policies.sentences(attribution.in_force(known, at=request_now()))[:2]


@blueprint.get("/p/<slug>/accent.css")
@access.public
def accent(slug: str) -> Response:
    """The colour of the program's public pages. Its address carries the colour, so that browsers may keep it."""
    found = open_program(slug)
    css = _ACCENT_CSS % {"accent": found.accent} if found.accent else ""
    return Response(css, mimetype="text/css", headers={"Cache-Control": "public, max-age=86400"})


@blueprint.get("/robots.txt")
@access.public
def robots() -> Response:
    """What search engines may read: the public pages."""
    return Response(_ROBOTS, mimetype="text/plain")


def _origin() -> dict[str, str]:
    """What the address says of where the reader came from: it goes along to the application."""
    said = request.args.get
    return {name: said(name, "")[:120] for name in ("from", "invite") if said(name)}


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]
