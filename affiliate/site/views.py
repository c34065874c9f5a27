"""Pages for everybody: the open programs, a program, robots.txt."""

from flask import Blueprint, Response, render_template, url_for

from affiliate import files
from affiliate.accounts import access
from affiliate.programs import branding
from affiliate.programs import queries as programs
from affiliate.programs.models import ProgramStatus
from affiliate.reports import sales
from affiliate.site import banners, found, news, product_feeds, sample, telling
from affiliate.site.frame import NoSuchProgram, frame, open_program, origin
from affiliate.web import orm, request_now

PROGRAMS_SHOWN = 100
_ROBOTS = """User-agent: *
Disallow: /account
Disallow: /api/
Disallow: /apply/
Disallow: /console/
Disallow: /join/
Disallow: /n/
Disallow: /news/
Disallow: /portal/
Disallow: /r/
Disallow: /t/
"""

blueprint = Blueprint("site", __name__)
blueprint.add_url_rule('/c/<public("crv"):creative_id>', view_func=banners.banner)
blueprint.add_url_rule("/p/<slug>/products/<token>.<any(csv, xml, json):kind>", view_func=product_feeds.product_feed)


@blueprint.get("/")
@access.public
def home() -> str:
    """The open programs."""
    found.take_language()
    live = programs.programs(orm.session, status=ProgramStatus.LIVE, limit=PROGRAMS_SHOWN)
    plans = sales.plans_in_force(orm.session, program_ids=[program.id for program in live], now=request_now())
    return render_template(
        "site/home.html",
        programs=telling.cards(live, plans),
        **found.addresses("site.home"),
        picture_url=found.picture(),
        structured=found.structured(telling.list_facts(live)),
    )


@blueprint.get("/p/<slug>")
@access.public
def program(slug: str) -> str:
    """What a program offers and expects, with a worked sale."""
    found.take_language()
    shown_of = open_program(slug)
    plan = sales.plans_in_force(orm.session, program_ids=[shown_of.id], now=request_now()).get(shown_of.id)
    shown, around = telling.page(shown_of, plan), frame(shown_of)
    return render_template(
        "site/program.html",
        **around,
        picture_url=found.picture(shown_of, around["brand"]["logo_url"]),
        shown=shown,
        sale=sample.sale(shown_of, plan) if plan else None,
        **found.addresses("site.program", slug=slug),
        feed_url=url_for("found.feed", slug=slug),
        structured=found.structured(telling.facts(shown_of, shown)),
        apply_url=url_for("joining.apply", slug=slug, **origin()),
        news_form=news.form_for(shown_of),
        news_url=url_for("news.sign_up", slug=slug),
        origin=origin(),
    )


@blueprint.get("/p/<slug>/accent.css")
@access.public
def accent(slug: str) -> Response:
    """The colour of the program's public pages. Its address carries the colour, so that browsers may keep it."""
    colour = open_program(slug).accent
    css = branding.accent_css(colour) if colour else ""
    return Response(css, mimetype="text/css", headers={"Cache-Control": "public, max-age=86400"})


@blueprint.get("/p/<slug>/logo")
@access.public
def logo(slug: str) -> Response:
    """The program's logo, of any program: its partners see it, too. Its address carries its version."""
    known = programs.program_by_slug(orm.session, slug=slug)
    file_id = branding.logo_id(orm.session, program_id=known.id) if known else None
    kept = files.file_by_id(orm.session, file_id=file_id) if file_id else None
    if kept is None:
        raise NoSuchProgram("There is no logo here.")
    headers = {"Cache-Control": "public, max-age=86400", "X-Content-Type-Options": "nosniff"}
    return Response(kept.content, mimetype=kept.media_type, headers=headers)


@blueprint.get("/robots.txt")
@access.public
def robots() -> Response:
    """What search engines may read: the public pages."""
    return Response(f"{_ROBOTS}Sitemap: {found.address('found.sitemap')}\n", mimetype="text/plain")
