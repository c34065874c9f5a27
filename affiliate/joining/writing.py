"""Writes on what programs tell in public: their page in each language, articles, stories. Takes session and now; never commits."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate import ids
from affiliate.accounts import audit
from affiliate.accounts.actors import Actor
from affiliate.db import insert_new
from affiliate.errors import Conflict, Invalid, NotFound
from affiliate.joining import queries
from affiliate.joining.models import Article, ArticleKind, PublicText
from affiliate.joining.questions import LANGUAGES

N_ = str  # marks a sentence for the translators

TEXT_LENGTH_MAX = 8_000
TERMS_LENGTH_MAX = 10_000  # as those of the program
BODY_LENGTH_MAX = 40_000
LINE_LENGTH_MAX = 300
QUESTIONS_MAX = 20
_SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,78}[a-z0-9])?", re.ASCII)


class NoSuchArticle(NotFound):
    """There is no such article in this program."""


@dataclass(frozen=True, slots=True)
class PageText:
    """What a program says of itself in one language; `questions` are pairs of question and answer.

    Where `terms` are empty, those of the program hold.
    """

    headline: str
    summary: str
    stands_for: str
    sold: str
    audience: str
    questions: Sequence[tuple[str, str]] = ()
    terms: str = ""


@dataclass(frozen=True, slots=True)
class Draft:
    """An article as it was written. A story says whose it is, and that this partner agreed to these words, if it did."""

    slug: str
    language: str
    kind: ArticleKind
    title: str
    summary: str
    body: str
    told_by: str = ""
    is_agreed: bool = False


def save_text(
    session: Session,
    *,
    program_id: UUID,
    language: str,
    text: PageText,
    seen_at: datetime | None,
    actor: Actor,
    now: datetime,
) -> None:
    """Keep the page's text in a language. `seen_at`: when the stored one was read; null: there was none.

    Raises:
        Invalid: a field is too long, or the language is none of ours. Conflict: somebody has changed it meanwhile.
    """
    if wrong := _text_problems(language, text):
        raise Invalid(wrong)
    values: dict[str, Any] = {
        "headline": text.headline, "summary": text.summary, "stands_for": text.stands_for, "sold": text.sold,
        "audience": text.audience, "questions": [list(pair) for pair in text.questions], "terms": text.terms,
        "updated_at": now,
    }  # fmt: skip
    before = queries.terms_in(session, program_id=program_id, language=language)
    if seen_at is None:
        row = {"program_id": program_id, "language": language, **values}
        is_done = bool(insert_new(session, PublicText, [row], returning=PublicText.language))
    else:
        same = (PublicText.program_id == program_id, PublicText.language == language, PublicText.updated_at == seen_at)
        change = sa.update(PublicText).where(*same).values(values).returning(PublicText.language)
        is_done = session.scalar(change) is not None
    if not is_done:
        raise Conflict("Somebody has changed this page meanwhile. Look at it, then change it again.")
    audit.record(
        session, actor=actor, action="public_text.save", subject_kind="program", subject_id=program_id,
        program_id=program_id, details=_told(language, before, text.terms), now=now,
    )  # fmt: skip


def save_article(
    session: Session, *, program_id: UUID, draft: Draft, article_id: UUID | None, actor: Actor, now: datetime
) -> Article:
    """Write an article, or change one; a public one changes at once. Its name in addresses stays once it was public.

    A partner agrees to words: a story whose words change is kept only if it agreed to the new ones.

    Raises:
        Invalid: a field is wrong. NoSuchArticle: see there. Conflict: another article has this name.
    """
    stored = _article(session, program_id, article_id) if article_id else None
    if wrong := _article_problems(draft, needs_word=stored is None or _words(draft) != _words(stored)):
        raise Invalid(wrong)
    named = queries.article(session, program_id=program_id, slug=draft.slug)
    if named is not None and named.id != article_id:
        raise Conflict("Another article has this name. Choose another one.")
    found = stored or Article(id=ids.new_at(now), created_at=now)
    if article_id is None:
        found.program_id, found.slug, found.published_at = program_id, draft.slug, None
        session.add(found)
    elif found.published_at is None:
        found.slug = draft.slug
    found.language, found.kind, found.title = draft.language, draft.kind, draft.title
    found.summary, found.body, found.told_by, found.updated_at = draft.summary, draft.body, draft.told_by, now
    session.flush()
    _audit(session, found, "article.save", actor=actor, now=now)
    return found


def publish(
    session: Session, *, program_id: UUID, article_id: UUID, is_public: bool, actor: Actor, now: datetime
) -> None:
    """Show an article to everybody from now on, or take it off. Twice changes nothing.

    Raises:
        NoSuchArticle: not in this program.
    """
    found = _article(session, program_id, article_id)
    if (found.published_at is not None) == is_public:
        return
    found.published_at = now if is_public else None
    found.updated_at = now
    _audit(session, found, "article.publish" if is_public else "article.withdraw", actor=actor, now=now)


def _article(session: Session, program_id: UUID, article_id: UUID | None) -> Article:
    found = session.get(Article, article_id)
    if found is None or found.program_id != program_id:
        raise NoSuchArticle("There is no such article.")
    return found


def _told(language: str, before: str, after: str) -> dict[str, Any]:
    """What the audit keeps of a change: of terms every version, for applications name the one that they accepted."""
    changed = {"before": {"terms": before}, "after": {"terms": after}} if after != before else {}
    return {"language": language} | changed


def _text_problems(language: str, text: PageText) -> Mapping[str, Sequence[str]]:
    long = {name for name in ("stands_for", "sold", "audience") if len(getattr(text, name)) > TEXT_LENGTH_MAX}
    wrong = {name: [N_("Keep it below 8,000 characters.")] for name in long}
    lines = {name for name in ("headline", "summary") if len(getattr(text, name)) > LINE_LENGTH_MAX}
    wrong |= {name: [N_("Keep it below 300 characters.")] for name in lines}
    if len(text.questions) > QUESTIONS_MAX or any(
        not question or not answer or len(question) > LINE_LENGTH_MAX or len(answer) > TEXT_LENGTH_MAX
        for question, answer in text.questions
    ):
        wrong["questions"] = [N_("Up to 20 questions, each with its answer.")]
    if len(text.terms) > TERMS_LENGTH_MAX:
        wrong["terms"] = [N_("This text is too long: 10,000 characters are the limit.")]
    if language not in LANGUAGES:
        wrong["language"] = [N_("Choose a language.")]
    return wrong


def _words(told: Draft | Article) -> tuple[str, ...]:
    """What a partner agrees to."""
    return told.kind, told.title, told.summary, told.body, told.told_by


def _article_problems(draft: Draft, *, needs_word: bool) -> Mapping[str, Sequence[str]]:
    is_story = draft.kind is ArticleKind.STORY
    checks = (
        ("slug", _SLUG.fullmatch(draft.slug) is None, N_("Use up to 80 letters, digits and hyphens.")),
        ("language", draft.language not in LANGUAGES, N_("Choose a language.")),
        ("title", not 1 <= len(draft.title) <= 160, N_("Write a title of up to 160 characters.")),  # noqa: PLR2004 - of the column
        ("summary", len(draft.summary) > LINE_LENGTH_MAX, N_("Keep it below 300 characters.")),
        ("body", not 1 <= len(draft.body) <= BODY_LENGTH_MAX, N_("Write up to 40,000 characters.")),
        ("told_by", is_story and not 1 <= len(draft.told_by) <= 120, N_("Say whose story it is.")),  # noqa: PLR2004 - of the column
        ("is_agreed", is_story and needs_word and not draft.is_agreed, N_("A story is told only if the partner agreed to these words.")),
    )  # fmt: skip
    return {name: [sentence] for name, applies, sentence in checks if applies}


def _audit(session: Session, article: Article, action: str, *, actor: Actor, now: datetime) -> None:
    audit.record(
        session, actor=actor, action=action, subject_kind="article", subject_id=article.id,
        program_id=article.program_id, details={"slug": article.slug, "kind": article.kind.value}, now=now,
    )  # fmt: skip
