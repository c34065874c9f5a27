"""Articles and success stories of a program, for everybody."""

from typing import Any

from flask import Blueprint, render_template, url_for
from flask_babel import gettext as _
from markupsafe import Markup

from affiliate import formats
from affiliate.accounts import access
from affiliate.joining import queries
from affiliate.joining.models import Article, ArticleKind
from affiliate.joining.writing import NoSuchArticle
from affiliate.newsletters import markdown
from affiliate.programs.models import Program
from affiliate.site import found
from affiliate.site.frame import frame, open_program, origin
from affiliate.web import orm, request_now

blueprint = Blueprint("articles", __name__)


@blueprint.get("/p/<slug>/a/<name>")
@access.public
def article(slug: str, name: str) -> str:
    """One article; whoever came to it by nothing else, and applies from here, has it as source."""
    program = open_program(slug)
    one = queries.article(orm.session, program_id=program.id, slug=name)
    if one is None or one.published_at is None or one.published_at > request_now():
        raise NoSuchArticle(_("There is no such article."))
    page, around = found.address("articles.article", slug=slug, name=name), frame(program)
    came = {"from": f"article:{one.slug}"} | origin()  # who came by something else keeps that
    return render_template(
        "site/article.html",
        **around,
        picture_url=found.picture(program, around["brand"]["logo_url"]),
        article=card(program, one) | {"body": rendered(one.body)},
        canonical_url=page,
        structured=found.structured([_facts(program, one, page)]),
        apply_url=url_for("joining.apply", slug=slug, **came),
        back_url=url_for("site.program", slug=slug, **came),
    )


def card(program: Program, one: Article) -> dict[str, Any]:
    """An article as a line of a list; its address keeps the reader's origin. `foreign` names its language where that is not the page's."""
    return {
        "title": one.title,
        "summary": one.summary,
        "told_by": one.told_by if one.kind is ArticleKind.STORY else "",
        "at": one.published_at,
        "language": one.language,
        "foreign": None if one.language == formats.locale() else formats.LANGUAGES.get(one.language, one.language),
        "url": url_for("articles.article", slug=program.slug, name=one.slug, **origin()),
    }


def rendered(text: str) -> Markup:
    """Markdown as it may stand on a public page: cleaned, without pictures and without HTML of its own."""
    return Markup(markdown.to_html(text))  # noqa: S704 - cleaned by nh3


def _facts(program: Program, one: Article, page: str) -> dict[str, Any]:
    published = one.published_at or one.created_at
    return {
        "@type": "Article",
        "headline": one.title,
        "description": one.summary,
        "inLanguage": one.language,
        "datePublished": published.isoformat(),
        "dateModified": one.updated_at.isoformat(),
        "mainEntityOfPage": page,
        "publisher": {"@type": "Organization", "name": program.name, "url": program.shop_url},
    }
