"""Service quality: numbers and grades beside what is tracked, by hand and from tables, of the program and of partners."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from flask import Response, g, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from werkzeug.wrappers.response import Response as BaseResponse
from wtforms import SelectField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length

from affiliate import exports, ids
from affiliate.accounts import access
from affiliate.accounts.models import GrantRole
from affiliate.amounts import BadNumber
from affiliate.console import roles
from affiliate.console.blueprint import acted, blueprint, can, cursor, pager, show
from affiliate.console.forms import say, say_all
from affiliate.console.goals.goal_sheets import today
from affiliate.console.performance import performance_kept, performance_pages, service_reading
from affiliate.console.performance.service_reading import Read
from affiliate.console.queries import lists
from affiliate.errors import Invalid
from affiliate.fields import DayField
from affiliate.imports import BadTable
from affiliate.reports import report_words, service_quality
from affiliate.reports.service_measures import MEASURES, ServiceMeasure
from affiliate.reports.service_quality import Became, Row, Said
from affiliate.reports.written_models import NAME_LENGTH_MAX, TEXT_LENGTH_MAX
from affiliate.web import orm, request_now

PREVIEW_MAX = 500
_WRITERS = (*roles.LOGISTICS, GrantRole.MARKETING)
_NEEDED = InputRequired(_l("This is needed."))
_DAYS = 30


class ServiceForm(FlaskForm):  # type: ignore[misc] # the library is not typed
    """A number about service."""

    partner = StringField(
        _l("Partner"), validators=[Length(max=NAME_LENGTH_MAX)], description=_l("Its name. Empty: the program itself.")
    )
    measure = SelectField(
        _l("What is measured"),
        choices=lambda: [SelectChoice(measure.value, _(one.label)) for measure, one in MEASURES.items()],
        coerce=ServiceMeasure,
    )
    number = StringField(
        _l("Number"),
        validators=[_NEEDED],
        description=_l("Hours, percent, a count, or a grade from 1 to 5; 5 is best."),
    )
    starts_on = DayField(_l("First day"), validators=[_NEEDED])
    last_on = DayField(_l("Last day"), validators=[_NEEDED])
    source = StringField(
        _l("Source"), validators=[Length(max=NAME_LENGTH_MAX)], description=_l("Where the number comes from.")
    )
    note = StringField(_l("Note"), validators=[Length(max=TEXT_LENGTH_MAX)])

    def said(self) -> Said | None:
        """What was typed; nothing where something cannot be read, which is said at its field."""
        if not self.validate():
            return None
        typed = self.partner.data.strip()
        called = service_quality.partners_called(
            orm.session, program_id=g.program.id, names=[typed] if typed else []
        )  # fmt: skip
        try:
            return Said(
                partner_id=service_reading.partner_of(typed, called),
                measure=self.measure.data,
                number=service_reading.number_of(self.measure.data, self.number.data),
                starts_on=self.starts_on.data,
                ends_on=self.last_on.data + timedelta(days=1),
                note=(self.note.data or "").strip(),
                source=(self.source.data or "").strip(),
            )
        except service_reading.WrongPartner as wrong:
            say(self.partner, str(wrong))
        except BadNumber as wrong:
            say(self.number, str(wrong))
        return None


@blueprint.get("/<slug>/performance/service")
@access.console(*roles.EVERYBODY)
def service_quality_page() -> str:
    """What is written down about service, and the forms for more."""
    return _page()


@blueprint.get("/<slug>/performance/service.<kind>")
@access.console(*roles.EVERYBODY)
def service_file(kind: str) -> Response:
    """The entries as a file, in the columns that the import takes."""
    here: dict[str, Any] = {"program_id": g.program.id, "limit": exports.PART_SIZE}
    found = exports.every(lambda first: service_quality.entries(orm.session, **here, offset=first))
    head = ["partner", "name", "measure", "number", "first", "last", "source", "note"]
    return exports.response(kind, "service", head, map(_cells, found))


@blueprint.post("/<slug>/performance/service")
@access.console(*_WRITERS)
def enter_service() -> ResponseReturnValue:
    """Write down a number."""
    form = ServiceForm()
    said = form.said()
    if said is None:
        return _page(form=form), 422
    try:
        [became] = _tell([said])
    except Invalid as refusal:
        orm.session.rollback()
        say_all(form, refusal.errors, {"ends_on": "last_on"})
        return _page(form=form), 422
    told = {
        Became.NEW: _("Kept."),
        Became.REPLACED: _("Kept in the place of the number before."),
        Became.KNOWN: _("This is known already. Nothing has changed."),
    }
    return acted(url_for("console.service_quality_page"), lambda: str(told[became]))


@blueprint.post("/<slug>/performance/service/table")
@access.console(*_WRITERS)
def preview_service() -> ResponseReturnValue:
    """Show what a table would do, row by row; nothing is taken yet."""
    uploaded = request.files.get("table")
    content = uploaded.read(service_reading.BYTES_MAX + 1) if uploaded else b""
    if not content:
        return _page(wrong=_("Choose a file first.")), 422
    return _table(content, is_taken=False)


@blueprint.post("/<slug>/performance/service/table/take")
@access.console(*_WRITERS)
def take_service() -> ResponseReturnValue:
    """Take the rows that were shown and can be taken."""
    return _table(request.form.get("content", "").encode(), is_taken=True)


@blueprint.get("/<slug>/performance/service/table")
@access.console(*_WRITERS)
def service_table() -> BaseResponse:
    """Whoever comes back to the address of a preview is led to the page."""
    return redirect(url_for("console.service_quality_page"), 303)


@blueprint.post('/<slug>/performance/service/<public("sve"):entry_id>/remove')
@access.console(*_WRITERS)
def remove_service(entry_id: UUID) -> BaseResponse:
    """It was a mistake."""

    def act() -> str:
        service_quality.remove(
            orm.session, program_id=g.program.id, entry_id=entry_id, actor=access.actor(), now=request_now()
        )
        return str(_("Removed. The history keeps it."))

    return acted(url_for("console.service_quality_page"), act)


def lines(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Entries as pages show them."""
    return [
        {
            "partner": row.partner_name,
            "partner_url": url_for("console.partner", partner_id=row.entry.partner_id) if row.entry.partner_id else None,
            "measure": _(MEASURES[row.entry.measure].label),
            "number": report_words.service_number(row.entry.measure, row.entry.number),
            "first": row.entry.starts_on,
            "last": row.entry.ends_on - timedelta(days=1),
            "source": row.entry.source,
            "note": row.entry.note,
            "by": row.by,
            "remove_url": url_for("console.remove_service", entry_id=row.entry.id),
        }
        for row in rows
    ]  # fmt: skip


def of_partner(partner_id: UUID, *, limit: int) -> list[dict[str, Any]]:
    """The newest entries of a partner, for its page."""
    return lines(service_quality.entries(orm.session, program_id=g.program.id, partner_id=partner_id, limit=limit))


def _page(*, form: ServiceForm | None = None, wrong: str | None = None) -> str:
    first, last = today() - timedelta(days=_DAYS), today() - timedelta(days=1)
    page = lists.service_entries(orm.session, program_id=g.program.id, cursor=cursor())
    return show(
        "performance/service.html",
        pages=performance_pages.chips(),
        form=form or ServiceForm(formdata=None, data={"starts_on": first, "last_on": last}),
        rows=lines([Row(row.ServiceEntry, row.partner, row.by) for row in page.rows]),
        **pager(page),
        wrong=wrong,
        rows_max=service_reading.ROWS_MAX,
        columns=[*service_reading.REQUIRED, *service_reading.OPTIONAL],
        measures=[{"key": measure.value, "label": _(one.label), "help": _(one.help_text)} for measure, one in MEASURES.items()],
        files=[
            {"label": label, "url": url_for("console.service_file", kind=kind.value)}
            for kind, label in ((exports.Format.CSV, _("Export as CSV")), (exports.Format.XLSX, _("Export as XLSX")))
        ],
        may_write=can("enter_service", "POST"),
        keep_form=performance_kept.page_form("service_quality_page"),
    )  # fmt: skip


def _table(content: bytes, *, is_taken: bool) -> ResponseReturnValue:
    try:
        rows = service_reading.read(orm.session, content, program_id=g.program.id, today=today())
    except BadTable as bad:
        return _page(wrong=_(bad.sentence) % bad.values), 422
    said = [row.said for row in rows if row.said is not None]
    became = iter(
        _tell(said) if is_taken else service_quality.would_become(orm.session, program_id=g.program.id, said=said)
    )
    results = [_result(row, next(became) if row.said else None) for row in rows]
    return show(
        "performance/service_table.html",
        is_taken=is_taken,
        content=content.decode("utf-8-sig"),
        results=results,
        able=len(said),
        refused=len(rows) - len(said),
        back_url=url_for("console.service_quality_page"),
    )


def _result(row: Read, became: Became | None) -> dict[str, Any]:
    said = row.said
    return {
        "line": row.number,
        "partner": row.partner or _("The program"),
        "measure": _(MEASURES[said.measure].label) if said else row.measure,
        "number": report_words.service_number(said.measure, said.number) if said else "–",
        "became": became.value if became else "refused",
        "problem": row.problem,
    }


def _tell(said: Sequence[Said]) -> list[Became]:
    return service_quality.tell(
        orm.session, program_id=g.program.id, said=said, today=today(), actor=access.actor(), now=request_now()
    )


def _cells(row: Row) -> list[exports.Cell]:
    one = row.entry
    last = one.ends_on - timedelta(days=1)
    whose = ids.public("ptn", one.partner_id) if one.partner_id else ""
    number = service_reading.plain(one.measure, one.number)
    days = [one.starts_on.isoformat(), last.isoformat()]
    return [whose, row.partner_name or "", one.measure.value, number, *days, one.source, one.note]
