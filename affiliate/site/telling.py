"""What the page of a program says: its own words in the reader's language, and what follows from its plan and policy."""

from collections.abc import Mapping, Sequence
from typing import Any

from flask import url_for
from flask_babel import gettext as _

from affiliate import formats
from affiliate.attribution import queries as attribution
from affiliate.commissions import terms as plan_terms
from affiliate.commissions.models import CommissionPlan
from affiliate.commissions.terms import When
from affiliate.joining import accepting, queries
from affiliate.joining.models import ArticleKind, PublicText
from affiliate.joining.questions import LANGUAGES
from affiliate.money import Money
from affiliate.programs.models import Program
from affiliate.reports import plan_words, policies
from affiliate.site import articles, found
from affiliate.web import orm, request_now

ARTICLES_SHOWN = 6


def page(program: Program, plan: CommissionPlan | None) -> dict[str, Any]:
    """Everything that the page shows, plain."""
    texts = queries.texts(orm.session, program_ids=[program.id]).get(program.id, {})
    text, reader = words(texts), formats.locale()
    told = queries.published(
        orm.session, program_ids=[program.id], now=request_now(), limit=ARTICLES_SHOWN, language=reader
    )
    cards = {kind: [articles.card(program, one) for one in told if one.kind is kind] for kind in ArticleKind}
    headline = (text.headline if text else "") or program.mission
    return {
        "name": program.name,
        "headline": headline or _("Recommend %(program)s and see how every cent came about", program=program.name),
        "description": (text.summary if text else "") or program.description,
        "sold": articles.rendered(text.sold) if text else "",
        "stands_for": articles.rendered(text.stands_for) if text else "",
        "audience_text": articles.rendered(text.audience) if text else "",
        "audience": _lines(program.audience),
        "own_questions": [(question, articles.rendered(answer)) for question, answer in text.questions] if text else [],
        "terms": accepting.terms_for(program.terms, texts, reader=reader).plain(reader=reader),
        "window_days": program.attribution_window_days,
        "rule": _rule(program),
        "validation_days": program.validation_days,
        "minimum": Money(program.payout_min_minor, program.currency) or None,
        "has_cookie": program.cookie_by_default,
        "pays": plan_words.in_a_word(plan.terms, program.currency) if plan else None,
        "plan": plan.name if plan else None,
        "commission": commission(plan, program.currency) if plan else [],
        "stories": cards[ArticleKind.STORY],
        "articles": cards[ArticleKind.ARTICLE],
    }


def words(texts: Mapping[str, PublicText]) -> PublicText | None:
    """The text in the reader's language, else in the first that there is. One that holds only terms says nothing here."""
    order = (formats.locale(), *LANGUAGES)
    return next((texts[language] for language in order if language in texts and _tells(texts[language])), None)


def _tells(text: PublicText) -> bool:
    return any((text.headline, text.summary, text.stands_for, text.sold, text.audience, text.questions))


def commission(plan: CommissionPlan, currency: str) -> Sequence[str]:
    """What the plan pays, in plain words: what holds for everybody who joins, not what was agreed with one of them."""
    read = plan_terms.read(plan.terms).rules
    rules = [rule for rule, said in zip(plan.terms["rules"], read, strict=True) if _is_for_all(said.when)]
    return plan_words.sentences({**plan.terms, "rules": rules}, currency)


def facts(program: Program, shown: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The page for search engines: whose program it is, and its questions with their answers."""
    own = found.address("site.program", slug=program.slug)
    graph: list[dict[str, Any]] = [
        {
            "@type": "WebPage",
            "@id": own,
            "url": own,
            "name": str(shown["headline"]),
            "description": str(shown["description"]),
            "inLanguage": formats.locale(),
            "about": {"@type": "Organization", "name": program.name, "url": program.shop_url},
        }
    ]
    asked = [
        {"@type": "Question", "name": question, "acceptedAnswer": {"@type": "Answer", "text": str(answer)}}
        for question, answer in shown["own_questions"]
    ]
    return graph + ([{"@type": "FAQPage", "mainEntity": asked}] if asked else [])


def list_facts(open_programs: Sequence[Program]) -> list[dict[str, Any]]:
    """The list of programs for search engines, in its order."""
    own = found.address("site.home")
    items = [
        {
            "@type": "ListItem",
            "position": place,
            "name": program.name,
            "url": found.address("site.program", slug=program.slug),
        }
        for place, program in enumerate(open_programs, start=1)
    ]
    page = {
        "@type": "CollectionPage",
        "@id": own,
        "url": own,
        "name": _("Partner programs"),
        "inLanguage": formats.locale(),
    }
    return [page | {"mainEntity": {"@type": "ItemList", "itemListElement": items}}]


def cards(open_programs: Sequence[Program], plans: Mapping[Any, CommissionPlan]) -> list[dict[str, Any]]:
    """The programs as lines of the list, each in the reader's language."""
    texts = queries.texts(orm.session, program_ids=[program.id for program in open_programs])
    rows = []
    for program in open_programs:
        text, plan = words(texts.get(program.id, {})), plans.get(program.id)
        told = (text.summary or text.headline) if text else ""
        rows.append(
            {
                "name": program.name,
                "url": url_for("site.program", slug=program.slug),
                "text": told or program.mission or program.description,
                "pays": plan_words.in_a_word(plan.terms, program.currency) if plan else None,
                "days": program.attribution_window_days,
            }
        )
    return rows


def _is_for_all(when: When) -> bool:
    return not (when.coupon or when.link or when.partner or when.group)


def _rule(program: Program) -> list[str]:
    """Who gets a sale, and for how long a contact counts."""
    known = attribution.terms(orm.session, program_ids=[program.id])[program.id]
    return policies.sentences(attribution.in_force(known, at=request_now()))[:2]


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]
