"""How public pages are found: structured data, a feed, a map of the site, and one address for each language."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from xml.etree import ElementTree as ET

from flask import Blueprint, Response, current_app, g, json, request, url_for
from flask_babel import refresh
from markupsafe import Markup

from affiliate import formats
from affiliate.accounts import access
from affiliate.joining import queries
from affiliate.joining.models import Article
from affiliate.programs import addresses as hosts
from affiliate.programs import queries as programs
from affiliate.programs.models import Program, ProgramStatus
from affiliate.site.frame import open_program
from affiliate.web import orm, request_now, static_url

PROGRAMS_SHOWN = 100
ENTRIES_SHOWN = 50
_ATOM = "http://www.w3.org/2005/Atom"
_SITEMAP = "http://www.sitemaps.org/schemas/sitemap/0.9"
_XHTML = "http://www.w3.org/1999/xhtml"
blueprint = Blueprint("found", __name__)

ET.register_namespace("xhtml", _XHTML)


def take_language() -> None:
    """Show this page in the language that its address names: search engines ask for each of them apart."""
    said = request.args.get("lang")
    if said in formats.LANGUAGES:
        g.user_locale = said
        refresh()


def addresses(endpoint: str, **values: Any) -> dict[str, Any]:
    """What the head of a page says of its addresses: its own, and that of each language."""
    own = address(endpoint, **values)
    languages = {language: f"{own}?lang={language}" for language in formats.LANGUAGES}
    said = request.args.get("lang")
    return {"canonical_url": languages.get(said or "", own), "plain_url": own, "languages": languages}


def address(endpoint: str, **values: Any) -> str:
    """A full address, by where the program's pages or the installation are: never by what a request calls it."""
    program: Program | None = g.get("program")
    own_host = program.own_host if program is not None and values.get("slug") == program.slug else None
    return _base(own_host) + url_for(endpoint, **values)


def picture(program: Program | None = None, logo_path: str | None = None) -> str:
    """The full address of what stands for a page where it is shared: the program's logo, else ours. Such places take no SVG."""
    return _base(program.own_host if program else None) + (logo_path or static_url("logo.png"))


def _base(own_host: str | None) -> str:
    return hosts.pages(own_host, current_app.extensions["affiliate_settings"])


def structured(graph: Sequence[Mapping[str, Any]]) -> Markup:
    """Facts about a page for search engines (JSON-LD).

    A block of data is no script: the content policy lets it stand. Nothing in it can end it, because `<`, `>` and `&` are
    written as escapes.
    """
    text = json.dumps({"@context": "https://schema.org", "@graph": list(graph)}, ensure_ascii=False, sort_keys=False)
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup('<script type="application/ld+json">{}</script>').format(Markup(text))  # noqa: S704 - escaped above


@blueprint.get("/p/<slug>/feed.atom")
@access.public
def feed(slug: str) -> Response:
    """The program's articles and stories, youngest first (RFC 4287)."""
    program = open_program(slug)
    found = queries.published(orm.session, program_ids=[program.id], now=request_now(), limit=ENTRIES_SHOWN)
    root = ET.Element("feed", xmlns=_ATOM)
    own, page = address("found.feed", slug=slug), address("site.program", slug=slug)
    _text(root, "id", own)
    _text(root, "title", program.name)
    _text(root, "updated", _moment(max((one.updated_at for one in found), default=program.created_at)))
    ET.SubElement(root, "link", rel="self", href=own)
    ET.SubElement(root, "link", rel="alternate", type="text/html", href=page)
    author = ET.SubElement(root, "author")
    _text(author, "name", program.name)
    for one in found:
        _entry(root, program, one)
    return _xml(root, "application/atom+xml")


@blueprint.get("/sitemap.xml")
@access.public
def sitemap() -> Response:
    """Every public page, with its other languages."""
    found = programs.programs(orm.session, status=ProgramStatus.LIVE, limit=PROGRAMS_SHOWN)
    names = {program.id: program.slug for program in found}
    articles = queries.published(orm.session, program_ids=list(names), now=request_now())
    root = ET.Element("urlset", {"xmlns": _SITEMAP})
    _place(root, address("site.home"), has_languages=True)
    for program in found:
        _place(root, address("site.program", slug=program.slug), has_languages=True)
    for one in articles:
        _place(root, address("articles.article", slug=names[one.program_id], name=one.slug), at=one.updated_at)
    return _xml(root, "application/xml")


def _entry(root: ET.Element, program: Program, one: Article) -> None:
    entry = ET.SubElement(root, "entry", {"xml:lang": one.language})
    page = address("articles.article", slug=program.slug, name=one.slug)
    _text(entry, "id", page)
    _text(entry, "title", one.title)
    _text(entry, "updated", _moment(one.updated_at))
    _text(entry, "published", _moment(one.published_at or one.created_at))
    _text(entry, "summary", one.summary)
    ET.SubElement(entry, "link", rel="alternate", type="text/html", href=page)


def _place(root: ET.Element, location: str, *, at: datetime | None = None, has_languages: bool = False) -> None:
    place = ET.SubElement(root, "url")
    _text(place, "loc", location)
    if at is not None:
        _text(place, "lastmod", _moment(at))
    for language in formats.LANGUAGES if has_languages else ():
        href = f"{location}?lang={language}"
        ET.SubElement(place, f"{{{_XHTML}}}link", rel="alternate", hreflang=language, href=href)


def _text(parent: ET.Element, name: str, text: str) -> None:
    ET.SubElement(parent, name).text = "".join(c for c in text if c.isprintable() or c == "\n")


def _moment(at: datetime) -> str:
    return at.isoformat(timespec="seconds").replace("+00:00", "Z")


def _xml(root: ET.Element, media_type: str) -> Response:
    body: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return Response(body, mimetype=media_type, headers={"Cache-Control": "public, max-age=600"})
