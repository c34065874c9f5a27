"""The public pages: programs, a worked sale by the real plan."""

import json
import re
from dataclasses import replace
from datetime import timedelta
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from creative_cast import png
from factories import NOW, make_plan, make_program
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from affiliate.accounts.actors import SYSTEM
from affiliate.commissions.terms import simple
from affiliate.errors import Invalid
from affiliate.joining import writing
from affiliate.joining.models import Article, ArticleKind
from affiliate.programs import branding
from affiliate.programs.models import Program, ProgramStatus


@pytest.fixture
def program(app_session: Session) -> Program:
    program = make_program(
        app_session, name="Casa Ondera", slug="casa-ondera", payout_min_minor=25_00, terms="One.\n\nTwo."
    )
    make_plan(app_session, program=program, rate_bps=800)
    app_session.commit()
    return program


def test_the_home_page_lists_live_programs_and_no_others(
    client: FlaskClient, app_session: Session, program: Program
) -> None:
    make_program(app_session, name="A draft", status=ProgramStatus.DRAFT)
    app_session.commit()
    page = client.get("/").text
    assert 'href="/p/casa-ondera"' in page
    assert "8\u00a0% for a sale" in page
    assert "A draft" not in page


def _told(page: str) -> dict[str, str]:
    found = re.findall(r'<meta (?:property|name)="(og:[a-z_:]+|twitter:card|description)" content="([^"]*)">', page)
    assert len(found) == len(dict(found))
    return dict(found)


_TAGS = {
    *("description", "og:title", "og:description", "og:type", "og:url", "og:site_name", "og:image", "og:image:alt"),
    *("og:locale", "twitter:card"),
}


def test_each_public_page_says_how_it_looks_where_it_is_shared(
    client: FlaskClient, app_session: Session, program: Program
) -> None:
    words = {"slug": "a-pan", "title": "A pan", "summary": "", "body": "Of iron.", "told_by": "", "language": "it"}
    by = {"program_id": program.id, "actor": SYSTEM, "now": NOW}
    draft = writing.Draft(**words, kind=ArticleKind.ARTICLE, is_agreed=True)  # type: ignore[arg-type]
    one = writing.save_article(app_session, draft=draft, article_id=None, **by)
    writing.publish(app_session, article_id=one.id, is_public=True, **by)
    app_session.commit()
    pages = {path: _told(client.get(path).text) for path in ("/", "/p/casa-ondera", "/p/casa-ondera/a/a-pan")}
    for path, told in pages.items():
        assert set(told) == _TAGS, path
        assert all(told.values()), path
        assert told["og:image"].startswith("http://localhost")
        assert "/static/logo.png" in told["og:image"]
        assert client.get(told["og:image"]).mimetype == "image/png"
    assert pages["/p/casa-ondera/a/a-pan"]["og:site_name"] == "Casa Ondera"
    assert (pages["/p/casa-ondera/a/a-pan"]["og:type"], pages["/"]["og:type"]) == ("article", "website")
    assert pages["/p/casa-ondera/a/a-pan"]["og:locale"] == "it"


def test_the_logo_of_the_program_stands_for_its_pages(
    client: FlaskClient, app_session: Session, program: Program
) -> None:
    branding.set_logo(app_session, program_id=program.id, content=png(40, 40), name="l.png", actor=SYSTEM, now=NOW)
    app_session.commit()
    picture = _told(client.get("/p/casa-ondera").text)["og:image"]
    assert re.fullmatch(r"http://localhost(:\d+)?/p/casa-ondera/logo\?v=[0-9a-f]{8}", picture)
    assert client.get(picture).mimetype == "image/png"
    program.own_host = "partners.casa.example"
    app_session.commit()
    shared = _told(client.get("/p/casa-ondera", base_url="https://partners.casa.example").text)["og:image"]
    assert re.match(r"https?://partners.casa.example/p/casa-ondera/logo", shared)  # the scheme is the installation's


def test_the_list_of_programs_tells_search_engines_what_is_in_it(client: FlaskClient, program: Program) -> None:
    block = re.search(r'<script type="application/ld\+json">(.*?)</script>', client.get("/").text)
    assert block is not None
    [page] = json.loads(block[1])["@graph"]
    [item] = page["mainEntity"]["itemListElement"]
    assert (page["@type"], item["position"], item["name"]) == ("CollectionPage", 1, "Casa Ondera")
    assert item["url"].endswith("/p/casa-ondera")


def test_the_home_page_without_programs_says_what_will_stand_there(client: FlaskClient) -> None:
    assert "No program is open yet" in client.get("/").text


def test_the_home_page_asks_as_often_for_many_programs_as_for_one(
    client: FlaskClient, app_session: Session, program: Program, count_queries: object
) -> None:
    with count_queries() as one:  # type: ignore[operator]
        client.get("/")
    for _ in range(5):
        make_plan(app_session, program=make_program(app_session))
    app_session.commit()
    with count_queries() as many:  # type: ignore[operator]
        client.get("/")
    assert len(many) == len(one)


def test_a_program_shows_a_sale_computed_by_its_plan(client: FlaskClient, program: Program) -> None:
    page = client.get("/p/casa-ondera").text
    assert "€105.74" in page  # 129.00 without 22 % of tax
    assert '<span class="closed money">€8.46</span>' in page
    assert "Paid from" in page
    assert "€25.00" in page
    assert "<p>Two.</p>" in page


def test_a_fixed_plan_is_shown_as_what_one_sale_pays(client: FlaskClient, app_session: Session) -> None:
    program = make_program(app_session, slug="fixed")
    make_plan(app_session, program=program, terms=simple(fixed_minor=5_00))
    app_session.commit()
    assert '<span class="closed money">€5.00</span>' in client.get("/p/fixed").text


def test_a_program_without_a_plan_still_has_its_page(client: FlaskClient, app_session: Session) -> None:
    make_program(app_session, slug="new")
    app_session.commit()
    assert client.get("/p/new").status_code == 200


@pytest.mark.parametrize("path", ["/p/nothing", "/apply/nothing", "/p/draft", "/apply/draft", "/apply/draft/status/x"])
def test_a_program_that_is_not_open_is_not_found(client: FlaskClient, app_session: Session, path: str) -> None:
    make_program(app_session, slug="draft", status=ProgramStatus.DRAFT)
    app_session.commit()
    assert client.get(path).status_code == 404


def test_search_engines_are_kept_out_of_private_pages(client: FlaskClient) -> None:
    robots = client.get("/robots.txt").text
    assert "Disallow: /portal/" in robots
    assert "Disallow: /p/" not in robots


def test_a_programs_own_colour_comes_as_a_style_sheet_of_ours(
    client: FlaskClient, app_session: Session, program: Program
) -> None:
    assert "accent.css" not in client.get("/p/casa-ondera").text
    program.accent = "#7a1f3d"
    app_session.commit()
    assert 'href="/p/casa-ondera/accent.css?v=7a1f3d"' in client.get("/p/casa-ondera").text
    answer = client.get("/p/casa-ondera/accent.css")
    assert (answer.mimetype, "#7a1f3d" in answer.text) == ("text/css", True)
    assert client.get("/p/nobodys/accent.css").status_code == 404


def _tell(session: Session, program: Program, language: str, **texts: object) -> None:
    said = {"headline": "", "summary": "", "stands_for": "", "sold": "", "audience": ""} | texts
    text = writing.PageText(**said)  # type: ignore[arg-type]
    writing.save_text(session, program_id=program.id, language=language, text=text, seen_at=None, actor=SYSTEM, now=NOW)
    session.commit()


def test_the_page_is_told_in_the_readers_language_and_found_in_each(
    client: FlaskClient, app_session: Session, program: Program
) -> None:
    _tell(app_session, program, "it", headline="Ferro buono", sold="**Padelle** <script>x</script>")
    _tell(app_session, program, "en", headline="Good iron", questions=[("Why </script>?", "It *lasts*.")])
    page = client.get("/p/casa-ondera?lang=it").text
    assert "Ferro buono" in page
    assert "<strong>Padelle</strong> &lt;script&gt;" in page
    assert '<link rel="canonical" href="http://localhost/p/casa-ondera?lang=it">' in page
    assert 'hreflang="pl" href="http://localhost/p/casa-ondera?lang=pl"' in page
    plain = client.get("/p/casa-ondera", headers={"Accept-Language": "pl"}).text
    assert "Good iron" in plain  # not told in Polish: the first language that is
    [block] = re.findall(r'<script type="application/ld\+json">(.*?)</script>', plain, re.DOTALL)
    graph = json.loads(block)["@graph"]
    assert [one["@type"] for one in graph] == ["WebPage", "FAQPage"]
    assert graph[1]["mainEntity"][0]["name"] == "Why </script>?"


def test_the_commission_is_said_in_words_and_what_one_partner_agreed_is_not(
    client: FlaskClient, app_session: Session
) -> None:
    program = make_program(app_session, slug="plain")
    terms = simple(rate_bps=800)
    own = {"when": {"group": "Friends of the house"}, "pay": {"rate_bps": 1500}}
    make_plan(app_session, program=program, terms={**terms, "rules": [own, *terms["rules"]]})
    app_session.commit()
    page = client.get("/p/plain").text
    assert "8\u00a0% of the base." in page
    assert "Friends of the house" not in page


def _write(session: Session, program: Program, slug: str, kind: ArticleKind = ArticleKind.ARTICLE) -> Article:
    told = {"told_by": "Rosa", "is_agreed": True} if kind is ArticleKind.STORY else {}
    draft = writing.Draft(slug, "en", kind, f"About {slug} & more", "In short.", "# Big\n\nText.", **told)  # type: ignore[arg-type]
    return writing.save_article(session, program_id=program.id, draft=draft, article_id=None, actor=SYSTEM, now=NOW)


def test_articles_are_public_once_published_and_name_themselves_as_source(
    client: FlaskClient, app_session: Session, program: Program
) -> None:
    article = _write(app_session, program, "iron", ArticleKind.STORY)
    app_session.commit()
    assert client.get("/p/casa-ondera/a/iron").status_code == 404
    assert "About iron" not in client.get("/p/casa-ondera").text
    writing.publish(app_session, program_id=program.id, article_id=article.id, is_public=True, actor=SYSTEM, now=NOW)
    app_session.commit()
    page = client.get("/p/casa-ondera/a/iron").text
    assert "/apply/casa-ondera?from=article:iron" in page
    assert "Rosa" in client.get("/p/casa-ondera").text
    feed = ET.fromstring(client.get("/p/casa-ondera/feed.atom").data)  # noqa: S314 - our own answer
    assert [title.text for title in feed.iter("{http://www.w3.org/2005/Atom}title")] == [
        "Casa Ondera",
        "About iron & more",
    ]
    sitemap = ET.fromstring(client.get("/sitemap.xml").data)  # noqa: S314 - our own answer
    places = [place.text for place in sitemap.iter("{http://www.sitemaps.org/schemas/sitemap/0.9}loc")]
    assert places == [f"http://localhost{path}" for path in ("/", "/p/casa-ondera", "/p/casa-ondera/a/iron")]
    assert "Sitemap: http://localhost/sitemap.xml" in client.get("/robots.txt").text


def test_a_page_tells_first_what_is_written_in_its_language_and_names_the_others(
    client: FlaskClient, app_session: Session, program: Program
) -> None:
    by: dict[str, Any] = {"program_id": program.id, "actor": SYSTEM}
    for at, language in enumerate(("it", "en")):
        draft = writing.Draft(f"in-{language}", language, ArticleKind.ARTICLE, f"In {language}", "Short.", "Text.")
        made = writing.save_article(app_session, draft=draft, article_id=None, **by, now=NOW)
        writing.publish(app_session, article_id=made.id, is_public=True, **by, now=NOW + timedelta(hours=at))
    app_session.commit()
    for language, other in (("it", "en"), ("en", "it")):
        page = client.get(f"/p/casa-ondera?lang={language}").text
        told = re.findall(r'<h3( lang="[^"]+")?><a href="[^"]+"(?: hreflang="[^"]+")?>(In [^<]+)</a>', page)
        assert told == [("", f"In {language}"), (f' lang="{other}"', f"In {other}")]
        name = {"en": "English", "it": "Italiano"}[other]
        assert page.count(f'<span lang="{other}">{name}</span>') == 1


@pytest.mark.parametrize(
    ("said", "carried"),
    [
        ("?from=fair", "?from=fair"),
        ("?invite=2345abcd", "?from=article:iron&amp;invite=2345abcd"),
        ("?from=fair&invite=2345abcd&lang=en", "?from=fair&amp;invite=2345abcd"),
        ("", "?from=article:iron"),
    ],
)
def test_who_reads_an_article_first_keeps_its_origin_on_every_way_to_the_application(
    client: FlaskClient, app_session: Session, program: Program, said: str, carried: str
) -> None:
    article = _write(app_session, program, "iron")
    writing.publish(app_session, program_id=program.id, article_id=article.id, is_public=True, actor=SYSTEM, now=NOW)
    app_session.commit()
    [card] = re.findall(r'<h3><a href="([^"]+)"', client.get(f"/p/casa-ondera{said}").text)
    page = client.get(card.replace("&amp;", "&")).text
    assert f'href="/apply/casa-ondera{carried}"' in page
    assert f'<a href="/p/casa-ondera{carried}">Back to the program' in page
    own = said.removesuffix("&lang=en").replace("&", "&amp;")
    assert f'class="brand" href="/p/casa-ondera{own}"' in page
    assert '<link rel="canonical" href="http://localhost/p/casa-ondera/a/iron">' in page


@pytest.mark.parametrize(
    "fields", [{"slug": "Über"}, {"title": ""}, {"body": ""}, {"told_by": ""}, {"is_agreed": False}]
)
def test_a_story_is_told_only_whole_and_agreed(
    app_session: Session, program: Program, fields: dict[str, object]
) -> None:
    whole: dict[str, object] = {"slug": "x", "language": "en", "kind": ArticleKind.STORY, "title": "T", "summary": ""}
    whole |= {"body": "B", "told_by": "Rosa", "is_agreed": True}
    draft = writing.Draft(**whole | fields)  # type: ignore[arg-type]
    with pytest.raises(Invalid) as refused:
        writing.save_article(app_session, program_id=program.id, draft=draft, article_id=None, actor=SYSTEM, now=NOW)
    assert set(refused.value.errors) == set(fields)


@pytest.mark.parametrize("fields", [{"title": "U"}, {"summary": "S"}, {"body": "C"}, {"told_by": "Otto"}])
def test_other_words_of_a_story_need_the_partners_word_anew(
    app_session: Session, program: Program, fields: dict[str, str]
) -> None:
    draft = writing.Draft("x", "en", ArticleKind.STORY, "T", "", "B", "Rosa", is_agreed=True)
    by: dict[str, Any] = {"program_id": program.id, "actor": SYSTEM, "now": NOW}
    kept = writing.save_article(app_session, draft=draft, article_id=None, **by)
    silent = replace(draft, is_agreed=False)
    writing.save_article(app_session, draft=replace(silent, slug="y"), article_id=kept.id, **by)
    with pytest.raises(Invalid) as refused:
        writing.save_article(app_session, draft=replace(silent, **fields), article_id=kept.id, **by)
    assert set(refused.value.errors) == {"is_agreed"}
    assert kept.slug == "y"
