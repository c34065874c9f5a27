"""Notes on days: their page, and the marks that they are on charts."""

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from flask import g, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from werkzeug.wrappers.response import Response as BaseResponse
from wtforms import SelectField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length

from affiliate.accounts import access
from affiliate.accounts.models import GrantRole
from affiliate.console import roles
from affiliate.console.blueprint import acted, blueprint, can, cursor, pager, show
from affiliate.console.forms import say_all
from affiliate.console.goals.goal_sheets import today
from affiliate.console.performance import performance_pages
from affiliate.console.queries import lists
from affiliate.errors import Invalid
from affiliate.fields import DayField
from affiliate.reports import mark_words, remarks, strength_words
from affiliate.reports.periods import Period
from affiliate.reports.strengths import Topic
from affiliate.reports.written_models import NAME_LENGTH_MAX
from affiliate.web import orm, request_now

_WRITERS = (*roles.MARKETING, GrantRole.FINANCE)
_NEEDED = InputRequired(_l("This is needed."))


class NoteForm(FlaskForm):  # type: ignore[misc] # the library is not typed
    """A note on a day."""

    day = DayField(_l("Day"), validators=[_NEEDED])
    text = StringField(
        _l("What happened"),
        validators=[_NEEDED, Length(max=NAME_LENGTH_MAX)],
        description=_l(
            "For example: new tariff of the courier, page down until noon. Shared reports that name partners show it, too."
        ),
    )
    about = SelectField(
        _l("The reason for"),
        default="",
        choices=lambda: [SelectChoice("", "–"), *(SelectChoice(one.value, strength_words.topic(one)) for one in Topic)],
        description=_l(
            "The page of strengths and weaknesses shows the note with this figure, to see whether a change worked."
        ),
    )

    def topic(self) -> Topic | None:
        """The figure whose change the note explains, if one was chosen."""
        return Topic(self.about.data) if self.about.data else None


@blueprint.get("/<slug>/performance/notes")
@access.console(*roles.EVERYBODY)
def annotations() -> str:
    """The notes of the program, the latest day first."""
    asked = request.args.get("about", "")
    about = asked if asked in set(Topic) else ""
    return _page(NoteForm(formdata=None, data={"day": today(), "about": about}))


@blueprint.post("/<slug>/performance/notes")
@access.console(*_WRITERS)
def annotate() -> str | tuple[str, int] | BaseResponse:
    """Write a note on a day."""
    form = NoteForm()
    if not form.validate():
        return _page(form), 422
    try:
        remarks.note(
            orm.session, program_id=g.program.id, day=form.day.data, text=form.text.data, about=form.topic(),
            actor=access.actor(), now=request_now(),
        )  # fmt: skip
    except Invalid as refusal:
        say_all(form, refusal.errors)
        return _page(form), 422
    return acted(url_for("console.annotations"), lambda: str(_("Noted. Charts show a mark on this day.")))


@blueprint.post('/<slug>/performance/notes/<public("ann"):note_id>/remove')
@access.console(*_WRITERS)
def remove_annotation(note_id: UUID) -> BaseResponse:
    """Take a note away."""

    def act() -> str:
        remarks.take_away(
            orm.session, program_id=g.program.id, note_id=note_id, actor=access.actor(), now=request_now()
        )
        return str(_("The note is gone. The history keeps it."))

    return acted(url_for("console.annotations"), act)


def marks(period: Period, *, among: Sequence[date] | None = None) -> dict[str, Any]:
    """What a chart of these days, or of some `among` them, adds to its spec: notes and the beginnings of campaigns, numbered."""
    return mark_words.marks(orm.session, program_id=g.program.id, period=period, among=among)


def _page(form: NoteForm) -> str:
    page = lists.notes_on_days(orm.session, program_id=g.program.id, cursor=cursor())
    rows = [
        {
            "day": one.at,
            "text": one.text,
            "about": strength_words.topic(Topic(one.about)) if one.about in set(Topic) else None,
            "remove_url": url_for("console.remove_annotation", note_id=one.id),
        }
        for one in page.rows
    ]
    return show(
        "performance/annotations.html",
        form=form,
        rows=rows,
        **pager(page),
        pages=performance_pages.chips(),
        may_write=can("annotate", "POST"),
    )
