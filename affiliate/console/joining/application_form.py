"""The application form of a program, as its managers change it: our questions and its own, in three languages."""

from collections.abc import Mapping, Sequence
from typing import Any

from flask import flash, g, redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers.response import Response as BaseResponse

from affiliate import formats
from affiliate.accounts import access
from affiliate.console.blueprint import blueprint, show
from affiliate.console.forms import moment
from affiliate.errors import Conflict, Invalid
from affiliate.joining import accepting, asking, queries, questions, service
from affiliate.joining.questions import LANGUAGES, Question, QuestionKind
from affiliate.web import orm, request_now

Answer = str | tuple[str, int] | BaseResponse
_OWN = "own_"


@blueprint.get("/<slug>/settings/application-form")
@access.console("manager")
def application_form() -> str:
    """The questions in their order, and a blank one to add."""
    stored = queries.form_row(orm.session, program_id=g.program.id)
    asked = queries.form_of(orm.session, program_id=g.program.id)
    return _page(asked, seen_at=stored.updated_at.isoformat() if stored else "")


@blueprint.route("/<slug>/settings/application-form/look", methods=["GET", "POST"])
@access.console("manager")
def look_at_application_form() -> str:
    """The form as applicants see it: as it was typed, or as it is stored. Nothing is kept, and nothing can be sent."""
    asked = _typed(request.form) if request.method == "POST" else queries.form_of(orm.session, program_id=g.program.id)
    texts, reader = queries.texts(orm.session, program_ids=[g.program.id]).get(g.program.id, {}), formats.locale()
    terms = accepting.terms_for(g.program.terms, texts, reader=reader).plain(reader=reader)
    return show("joining/application_look.html", questions=asking.fields(asked, {}, {}, {}), terms=terms)


@blueprint.post("/<slug>/settings/application-form")
@access.console("manager")
def save_application_form() -> Answer:
    """Keep the form; a refused one comes back with what was typed."""
    seen_at, asked = request.form.get("seen_at", ""), _typed(request.form)
    try:
        service.set_form(
            orm.session, program_id=g.program.id, asked=asked, seen_at=moment(seen_at),
            actor=access.actor(), now=request_now(),
        )  # fmt: skip
    except Invalid as refusal:
        orm.session.rollback()
        return _page(asked, seen_at=seen_at, errors=refusal.errors), 422
    except Conflict as refusal:
        orm.session.rollback()
        flash(_(str(refusal)), "error")
        return _page(asked, seen_at=seen_at), 409
    flash(_("Kept. Who applies from now on answers these questions."), "success")
    return redirect(url_for("console.application_form"), 303)


def _typed(form: Mapping[str, str]) -> tuple[Question, ...]:
    """The questions as they were typed, in the order that their numbers say; a blank one that stayed blank is none."""
    keys = [key for key in request.form.getlist("key") if key][: questions.QUESTIONS_MAX + 1]
    rows = [(_place(form.get(f"{key}-place", "")), at, _question(form, key)) for at, key in enumerate(keys)]
    return tuple(one for _place_of, _at, one in sorted(rows, key=lambda row: row[:2]) if not _is_gone(form, one))


def _question(form: Mapping[str, str], key: str) -> Question:
    kind = questions.standard_kind(key) or next(
        (each for each in questions.OWN_KINDS if each.value == form.get(f"{key}-kind")), QuestionKind.TEXT
    )
    said = {part: {one: _line(form, f"{key}-{part}-{one}") for one in LANGUAGES} for part in ("label", "hint")}
    options = {one: _options(form.get(f"{key}-options-{one}", "")) for one in LANGUAGES}
    return Question(
        key,
        kind,
        is_required=f"{key}-required" in form,
        is_asked=f"{key}-asked" in form,
        labels={one: text for one, text in said["label"].items() if text},
        hints={one: text for one, text in said["hint"].items() if text},
        options={one: offered for one, offered in options.items() if offered} if kind in questions.WITH_OPTIONS else {},
    )


def _is_gone(form: Mapping[str, str], one: Question) -> bool:
    """Whether it was taken away, or is the blank one that nobody filled."""
    return not one.is_ours and (f"{one.key}-remove" in form or not (one.labels or one.options))


def _line(form: Mapping[str, str], name: str) -> str:
    return " ".join(form.get(name, "").split())


def _options(text: str) -> Sequence[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def _place(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 3 else 999  # noqa: PLR2004 - digits


def _page(asked: Sequence[Question], *, seen_at: str, errors: Mapping[str, Sequence[str]] | None = None) -> str:
    wrong = {key: " ".join(_(sentence) for sentence in sentences) for key, sentences in (errors or {}).items()}
    known = [*asked, *([] if errors else [_blank(asked)])]
    return show(
        "joining/application_form.html",
        questions=[_shown(one, place, wrong) for place, one in enumerate(known, start=1)],
        kinds=[(kind.value, kind_word(kind)) for kind in questions.OWN_KINDS],
        languages=formats.LANGUAGES,
        seen_at=seen_at,
        problem=wrong.get("form"),
        wrong=[key for key in wrong if key != "form"],
        apply_url=url_for("joining.apply", slug=g.program.slug),
    )


def _blank(asked: Sequence[Question]) -> Question:
    """The next question of the program's own, empty. Its name is stored with answers, so it is never one of before."""
    numbers = [int(one.key.removeprefix(_OWN)) for one in asked if one.key.removeprefix(_OWN).isdigit()]
    return Question(f"{_OWN}{max(numbers, default=0) + 1}", QuestionKind.TEXT)


def _shown(one: Question, place: int, wrong: Mapping[str, str]) -> dict[str, Any]:
    is_blank = not one.is_ours and not one.labels
    return {
        "key": one.key,
        "place": place * 10,
        "kind": one.kind.value,
        "kind_word": kind_word(one.kind),
        "is_ours": one.is_ours,
        "is_blank": is_blank,
        "is_asked": one.is_asked,
        "is_required": one.is_required,
        "name": _("A question of your own") if is_blank else asking.words(*one.label(formats.locale())),
        "labels": one.labels,
        "hints": one.hints,
        "options": {language: "\n".join(offered) for language, offered in one.options.items()},
        "error": wrong.get(one.key),
    }


def kind_word(kind: QuestionKind) -> str:
    """What an answer looks like, in words."""
    said: dict[QuestionKind, str] = {
        QuestionKind.LINE: _("One line"),
        QuestionKind.TEXT: _("Several lines"),
        QuestionKind.NUMBER: _("A number"),
        QuestionKind.ADDRESS: _("A web address"),
        QuestionKind.YES_NO: _("A box to tick"),
        QuestionKind.CHOICE: _("One of several options"),
        QuestionKind.CHOICES: _("Several of the options"),
        QuestionKind.CHANNELS: _("Places with their reach"),
        QuestionKind.FILE: _("A file (PDF or picture)"),
    }
    return said[kind]
