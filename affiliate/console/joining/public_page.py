"""What a program tells in public, as its managers write it: its page in each language, articles, stories of partners."""

from typing import Any
from uuid import UUID

from flask import flash, g, redirect, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from werkzeug.wrappers.response import Response as BaseResponse
from wtforms import BooleanField, HiddenField, SelectField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice

from affiliate import formats
from affiliate.accounts import access
from affiliate.console.blueprint import acted, blueprint, refused, show
from affiliate.console.forms import moment, say_all
from affiliate.errors import Conflict, Invalid
from affiliate.joining import queries, writing
from affiliate.joining.models import Article, ArticleKind
from affiliate.joining.questions import LANGUAGES
from affiliate.web import orm, request_now

Answer = str | tuple[str, int] | BaseResponse
_MARKDOWN = _l("Markdown: **bold**, lists, [links](https://…).")


def _stripped(text: str | None) -> str:
    return (text or "").replace("\r\n", "\n").strip()


class PageForm(FlaskForm):  # type: ignore[misc] # the library is not typed
    """The page in one language. Questions: the first line of a block asks, the rest answers."""

    seen_at = HiddenField()
    headline = StringField(_l("Headline"), filters=[_stripped], description=_l("Left empty, the program's sentence."))
    summary = StringField(
        _l("In short"), filters=[_stripped], description=_l("Search engines and messengers show it below the title.")
    )
    sold = TextAreaField(_l("What is sold"), filters=[_stripped], description=_MARKDOWN)
    stands_for = TextAreaField(_l("What we stand for"), filters=[_stripped], description=_MARKDOWN)
    audience = TextAreaField(_l("Who it suits"), filters=[_stripped], description=_MARKDOWN)
    questions = TextAreaField(
        _l("Questions and answers"),
        filters=[_stripped],
        description=_l("One block each: the question in its first line, the answer below it, a blank line between blocks."),
    )  # fmt: skip

    terms = TextAreaField(
        _l("Terms"),
        filters=[_stripped],
        description=_l("In this language. Left empty, the terms under Settings hold. Whoever applies accepts the text that they read."),
    )  # fmt: skip

    def text(self) -> writing.PageText:
        """What was typed."""
        blocks = [block.strip().partition("\n") for block in self.questions.data.split("\n\n") if block.strip()]
        pairs = [(question.strip(), answer.strip()) for question, _newline, answer in blocks]
        return writing.PageText(
            self.headline.data, self.summary.data, self.stands_for.data, self.sold.data, self.audience.data, pairs,
            self.terms.data,
        )  # fmt: skip


class ArticleForm(FlaskForm):  # type: ignore[misc] # the library is not typed
    """An article, or the story of a partner."""

    kind = SelectField(
        _l("What it is"),
        choices=[SelectChoice("article", _l("An article")), SelectChoice("story", _l("The story of a partner"))],
    )
    title = StringField(_l("Title"), filters=[_stripped])
    slug = StringField(
        _l("Name in the address"), filters=[_stripped], description=_l("Letters, digits and hyphens; it stays.")
    )
    language = SelectField(
        _l("Language"), choices=lambda: [SelectChoice(code, name) for code, name in formats.LANGUAGES.items()]
    )
    summary = StringField(_l("In short"), filters=[_stripped])
    body = TextAreaField(_l("Text"), filters=[_stripped], description=_MARKDOWN)
    told_by = StringField(_l("Whose story it is"), filters=[_stripped])
    is_agreed = BooleanField(
        _l("The partner has read these words and agreed to them"),
        description=_l("Asked for anew whenever the words of a story change."),
    )

    def draft(self) -> writing.Draft:
        """What was typed."""
        kind = ArticleKind(self.kind.data)
        return writing.Draft(
            self.slug.data.lower(), self.language.data, kind, self.title.data, self.summary.data, self.body.data,
            self.told_by.data if kind is ArticleKind.STORY else "", self.is_agreed.data,
        )  # fmt: skip


@blueprint.get("/<slug>/settings/page/<any(en, it, pl):language>")
@access.console("manager")
def public_page(language: str) -> str:
    """The texts of the program's page in a language."""
    stored = queries.texts(orm.session, program_ids=[g.program.id]).get(g.program.id, {}).get(language)
    if stored is None:
        return _page(PageForm(), language)
    blocks = ["\n".join(pair) for pair in stored.questions]
    known = {name: getattr(stored, name) for name in ("headline", "summary", "sold", "stands_for", "audience", "terms")}
    known |= {"questions": "\n\n".join(blocks), "seen_at": stored.updated_at.isoformat()}
    return _page(PageForm(data=known), language)


@blueprint.post("/<slug>/settings/page/<any(en, it, pl):language>")
@access.console("manager")
def save_public_page(language: str) -> Answer:
    """Keep them; refused ones come back as they were typed."""
    form = PageForm()
    try:
        writing.save_text(
            orm.session, program_id=g.program.id, language=language, text=form.text(), seen_at=moment(form.seen_at.data),
            actor=access.actor(), now=request_now(),
        )  # fmt: skip
    except Invalid as refusal:
        orm.session.rollback()
        say_all(form, refusal.errors)
        return _page(form, language), 422
    except Conflict as refusal:
        return refused(url_for("console.public_page", language=language), refusal)
    flash(_("Kept. Everybody reads it now."), "success")
    return redirect(url_for("console.public_page", language=language), 303)


@blueprint.get("/<slug>/articles")
@access.console("manager")
def articles() -> str:
    """All articles and stories."""
    rows = [_row(one) for one in queries.articles(orm.session, program_id=g.program.id)]
    return show("joining/articles.html", rows=rows, tabs=_tabs("articles"))


@blueprint.get("/<slug>/articles/write")
@access.console("manager")
def new_article() -> str:
    """An empty one."""
    return _article_page(ArticleForm(language=formats.locale()), None)


@blueprint.get("/<slug>/articles/<uuid:article_id>")
@access.console("manager")
def edit_article(article_id: UUID) -> str:
    """One article as it stands."""
    found = _found(article_id)
    known = {name: getattr(found, name) for name in ("slug", "language", "title", "summary", "body", "told_by")}
    return _article_page(ArticleForm(data=known | {"kind": found.kind.value}), found)  # nobody agrees by a tick of ours


@blueprint.post("/<slug>/articles/write")
@access.console("manager")
def write_article() -> Answer:
    """Write a new one."""
    return _save(None)


@blueprint.post("/<slug>/articles/<uuid:article_id>")
@access.console("manager")
def change_article(article_id: UUID) -> Answer:
    """Change one."""
    return _save(_found(article_id))


@blueprint.post("/<slug>/articles/<uuid:article_id>/<any(publish, withdraw):act>")
@access.console("manager")
def publish_article(article_id: UUID, act: str) -> BaseResponse:
    """Show it to everybody, or take it off."""

    def publish() -> str:
        writing.publish(
            orm.session, program_id=g.program.id, article_id=article_id, is_public=act == "publish",
            actor=access.actor(), now=request_now(),
        )  # fmt: skip
        return str(_("Everybody can read it now.") if act == "publish" else _("Nobody can read it any more."))

    return acted(url_for("console.articles"), publish)


def _save(found: Article | None) -> Answer:
    form = ArticleForm()
    try:
        if not form.validate():
            return _article_page(form, found), 422
        made = writing.save_article(
            orm.session, program_id=g.program.id, draft=form.draft(), article_id=found.id if found else None,
            actor=access.actor(), now=request_now(),
        )  # fmt: skip
    except (Invalid, Conflict) as refusal:
        orm.session.rollback()
        say_all(form, refusal.errors if isinstance(refusal, Invalid) else {"slug": [str(refusal)]})
        return _article_page(form, found), 422
    flash(_("Saved."), "success")
    return redirect(url_for("console.edit_article", article_id=made.id), 303)


def _found(article_id: UUID) -> Article:
    found = orm.session.get(Article, article_id)
    if found is None or found.program_id != g.program.id:
        raise access.NotHere
    return found


def _page(form: PageForm, language: str) -> str:
    public = url_for("site.program", slug=g.program.slug, lang=language)
    return show("joining/public_page.html", form=form, tabs=_tabs(language), language=language, public_url=public)


def _article_page(form: ArticleForm, found: Article | None) -> str:
    return show("joining/article.html", form=form, article=_row(found) if found else None)


def _row(one: Article) -> dict[str, Any]:
    return {
        "id": one.id,
        "title": one.title,
        "is_story": one.kind is ArticleKind.STORY,
        "told_by": one.told_by,
        "language": formats.LANGUAGES.get(one.language, one.language),
        "published_at": one.published_at,
        "url": url_for("console.edit_article", article_id=one.id),
        "public_url": url_for("articles.article", slug=g.program.slug, name=one.slug) if one.published_at else None,
    }


def _tabs(current: str) -> list[dict[str, Any]]:
    pages = [
        {
            "label": formats.LANGUAGES[language],
            "url": url_for("console.public_page", language=language),
            "current": language == current,
        }
        for language in LANGUAGES
    ]
    more = {"label": _("Articles and stories"), "url": url_for("console.articles"), "current": current == "articles"}
    return [*pages, more]
