"""Pages of the month's validation by file: upload, look at what it would do, confirm, a result for each line."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import g, redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext
from flask_wtf import FlaskForm
from flask_wtf.file import FileField, FileRequired
from werkzeug.wrappers.response import Response as BaseResponse
from wtforms import SelectField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import DataRequired, ValidationError

from affiliate import exports
from affiliate.accounts import access
from affiliate.commissions import validating, validation_lines, validation_queries
from affiliate.commissions.models import ValidationFile, ValidationLine
from affiliate.commissions.validation import BYTES_MAX, CHANGES, Verdict, Word
from affiliate.commissions.validation_queries import Wanted
from affiliate.console.blueprint import acted, blueprint, cursor, show, with_arguments
from affiliate.console.forms import say, say_all
from affiliate.console.performance import service_reading
from affiliate.console.queries import lists, named
from affiliate.console.words import Sign
from affiliate.errors import Invalid
from affiliate.fields import DayField
from affiliate.imports import BadTable
from affiliate.money import Money
from affiliate.reports import service_quality
from affiliate.web import orm, request_now


class ValidationForm(FlaskForm):  # type: ignore[misc] # the library is not typed
    """The shop's list."""

    file = FileField(
        _l("CSV file"),
        validators=[FileRequired(_l("Choose a file."))],
        description=_l("The first line names the columns: order_id,status,amount,reason. Up to 50,000 lines."),
    )


class ChooseForm(FlaskForm):  # type: ignore[misc] # the library is not typed
    """Orders of some days, and what became of all of them."""

    starts_on = DayField(_l("First day"), validators=[DataRequired(_l("Choose a day."))])
    ends_on = DayField(_l("Last day"), validators=[DataRequired(_l("Choose a day."))])
    partner = StringField(_l("Partner"), description=_l("Its name or id. Empty: all partners."))
    word = SelectField(
        _l("What became of them"),
        choices=[SelectChoice(Word.APPROVED.value, _l("Approved")), SelectChoice(Word.DECLINED.value, _l("Declined"))],
    )
    reason = StringField(_l("Reason"), description=_l("Needed to decline: the partner reads it."))

    partner_id: UUID | None = None

    def validate_partner(self, field: StringField) -> None:
        """Whose name or id it is.

        Raises:
            ValidationError: nobody's in the program, or that of several.
        """
        typed = (field.data or "").strip()
        names = [typed] if typed else []
        called = service_quality.partners_called(orm.session, program_id=g.program.id, names=names)
        try:
            self.partner_id = service_reading.partner_of(typed, called)
        except service_reading.WrongPartner as wrong:
            raise ValidationError(_(str(wrong))) from None

    def wanted(self, zone: ZoneInfo) -> Wanted:
        """The filter, in whole days of the program's time zone."""
        edges = (self.starts_on.data, self.ends_on.data + timedelta(days=1))
        starts_at, ends_at = (datetime.combine(day, time(), zone).astimezone(UTC) for day in edges)
        return Wanted(starts_at, ends_at, self.partner_id)


@blueprint.get("/<slug>/validation")
@access.console("manager")
def validation() -> str:
    """The form, and the files before."""
    return _page(ValidationForm(formdata=None))


@blueprint.post("/<slug>/validation")
@access.console("manager")
def upload_validation() -> str | tuple[str, int] | BaseResponse:
    """Read a file; nothing changes yet."""
    form = ValidationForm()
    if not form.validate_on_submit():
        return _page(form), 422
    raw = form.file.data.read(BYTES_MAX + 1)
    try:
        file = validating.upload(
            orm.session, program_id=g.program.id, name=form.file.data.filename or "", content=raw,
            currency=g.program.currency, actor=access.actor(), now=request_now(),
        )  # fmt: skip
    except BadTable as bad:
        say(form.file, _(bad.sentence) % bad.values)
        return _page(form), 422
    return redirect(url_for("console.validation_file", file_id=file.id), 303)


@blueprint.post("/<slug>/validation/choose")
@access.console("manager")
def choose_validation() -> str | tuple[str, int] | BaseResponse:
    """Gather the orders of some days with one word about them; nothing changes yet."""
    form = ChooseForm()
    if not form.validate_on_submit():
        return _page(ValidationForm(formdata=None), form), 422
    zone = ZoneInfo(g.program.time_zone)
    days = f"{form.starts_on.data.isoformat()} – {form.ends_on.data.isoformat()}"
    try:
        file = validating.choose(
            orm.session, program_id=g.program.id, wanted=form.wanted(zone), word=Word(form.word.data),
            reason=form.reason.data or "", name=days, actor=access.actor(), now=request_now(),
        )  # fmt: skip
    except Invalid as refusal:
        say_all(form, refusal.errors)
        return _page(ValidationForm(formdata=None), form), 422
    return redirect(url_for("console.validation_file", file_id=file.id), 303)


@blueprint.get('/<slug>/validation/<public("val"):file_id>')
@access.console("manager")
def validation_file(file_id: UUID) -> str:
    """What each line would do, or did."""
    file = _known(file_id)
    wanted: Verdict | None = None
    with suppress(ValueError):
        wanted = Verdict(request.args.get("verdict", ""))
    counts = validation_lines.counts(orm.session, file_id=file.id)
    shown = lists.validation_lines(orm.session, file_id=file.id, verdict=wanted, cursor=cursor())
    beside = {"newer_url": shown.newer, "older_url": shown.older}
    verdict = None if wanted is None else wanted.value
    is_confirmed = file.confirmed_at is not None
    worked = file.lines_done if is_confirmed else file.lines_checked
    is_working = worked < file.lines_total and file.finished_at is None
    return show(
        "money/validation_file.html",
        name=file.name,
        uploaded_at=file.uploaded_at,
        confirmed_at=file.confirmed_at,
        counts=[_count(verdict, count, wanted, file) for verdict, count in counts.items()],
        all_url=url_for("console.validation_file", file_id=file.id),
        wanted=wanted,
        lines=_linked([row.ValidationLine for row in shown.rows]),
        pager={name: at and with_arguments(page=at, verdict=verdict) for name, at in beside.items()},
        done=worked,
        total=file.lines_total,
        is_working=is_working,
        is_stopped=worked < file.lines_total and not is_working,
        stop_url=url_for("console.stop_validation", file_id=file.id) if is_working else None,
        changes=sum(counts.get(verdict, 0) for verdict in CHANGES),
        confirm_url=url_for("console.confirm_validation", file_id=file.id),
        csv_url=url_for("console.validation_csv", file_id=file.id),
    )


@blueprint.get('/<slug>/validation/<public("val"):file_id>.csv')
@access.console("manager")
def validation_csv(file_id: UUID) -> BaseResponse:
    """Each line with its result."""
    file = _known(file_id)
    lines = map(_told, validation_lines.all_lines(orm.session, file_id=file.id))
    rows = ([line["order"], line["word"], line["amount"], line["reason"], line["verdict"]] for line in lines)
    return exports.csv_response("validation.csv", ["order_id", "status", "amount", "reason", "result"], rows)


@blueprint.post('/<slug>/validation/<public("val"):file_id>/confirm')
@access.console("manager")
def confirm_validation(file_id: UUID) -> BaseResponse:
    """Do it."""

    def act() -> str:
        file = validating.confirm(
            orm.session, file_id=file_id, program_id=g.program.id, actor=access.actor(), now=request_now()
        )
        if file.finished_at is None:
            return str(_("Confirmed. The lines are being done, and go on if you leave this page."))
        counts = validation_lines.counts(orm.session, file_id=file_id)
        changed = sum(counts.get(verdict, 0) for verdict in CHANGES)
        return str(
            _("Done: %(changed)s of %(lines)s lines changed something.", changed=changed, lines=file.lines_total)
        )

    return acted(url_for("console.validation_file", file_id=file_id), act)


@blueprint.post('/<slug>/validation/<public("val"):file_id>/stop')
@access.console("manager")
def stop_validation(file_id: UUID) -> BaseResponse:
    """Do nothing more of it."""

    def act() -> str:
        file = validating.stop(
            orm.session, file_id=file_id, program_id=g.program.id, actor=access.actor(), now=request_now()
        )
        return ngettext(
            "Stopped. %(num)d line was done before.", "Stopped. %(num)d lines were done before.", file.lines_done
        )

    return acted(url_for("console.validation_file", file_id=file_id), act)


def _page(form: ValidationForm, choosing: ChooseForm | None = None) -> str:
    choosing = choosing or ChooseForm(formdata=None)
    takes = validation_queries.validation_takes(orm.session, program_id=g.program.id)
    files = [
        {"name": one.name, "at": one.uploaded_at, "lines": one.lines_total, "confirmed_at": one.confirmed_at, "finished_at": one.finished_at, "url": url_for("console.validation_file", file_id=one.id)}
        for one in validation_queries.files(orm.session, program_id=g.program.id)
    ]  # fmt: skip
    return show(
        "money/validation.html",
        form=form,
        choosing=choosing,
        partner_names=named.partners_offered(orm.session, program_id=g.program.id),
        files=files,
        takes_days=None if takes is None else takes.days,
    )


def _told(line: ValidationLine) -> dict[str, Any]:
    """A line with what it would do, or did."""
    return {
        "order": line.order_id,
        "word": line.word or "",
        "amount": None if line.amount_minor is None else Money(line.amount_minor, g.program.currency),
        "reason": line.reason,
        "verdict": line.verdict or "",
        "sign": sign(line.verdict) if line.verdict else Sign("", _("Not looked at yet"), "clock"),
    }


def _linked(shown: Sequence[ValidationLine]) -> list[dict[str, Any]]:
    """Lines with the pages of the orders that the program knows."""
    orders = validation_queries.orders(orm.session, program_id=g.program.id, order_ids={one.order_id for one in shown})
    urls = {name: url_for("console.conversion", conversion_id=key) for name, key in orders.items()}
    return [_told(line) | {"url": urls.get(line.order_id)} for line in shown]


def _count(verdict: Verdict, count: int, wanted: Verdict | None, file: ValidationFile) -> dict[str, Any]:
    return {
        "label": sign(verdict).word,
        "count": count,
        "current": wanted == verdict,
        "url": url_for("console.validation_file", file_id=file.id, verdict=verdict.value),
    }


def sign(verdict: Verdict) -> Sign:
    """What becomes of a line, as a badge."""
    return {
        Verdict.APPROVE: Sign("good", _("Approved")),
        Verdict.REDUCE: Sign("acc", _("Reduced and approved"), "trending-down"),
        Verdict.DECLINE: Sign("bad", _("Declined")),
        Verdict.REINSTATE: Sign("good", _("Counts again"), "refresh"),
        Verdict.UNCHANGED: Sign("", _("As it was"), "minus"),
        Verdict.UNKNOWN: Sign("wait", _("Unknown order"), "help-circle"),
        Verdict.NO_COMMISSION: Sign("", _("Nobody earns on it"), "minus"),
        Verdict.NOT_VERIFIED: Sign("hold", _("Not confirmed by the shop's server, or a test"), "eye"),
        Verdict.MORE_THAN_ORDER: Sign("wait", _("More than the order is worth"), "alert-triangle"),
        Verdict.OTHER_CURRENCY: Sign("wait", _("In another currency: write no amount"), "alert-triangle"),
        Verdict.TWICE: Sign("wait", _("Named twice in the file"), "copy"),
        Verdict.UNREADABLE: Sign("wait", _("Cannot be read"), "alert-triangle"),
    }[verdict]


def _known(file_id: UUID) -> ValidationFile:
    found = validation_queries.file(orm.session, file_id=file_id, program_id=g.program.id)
    if found is None:
        raise access.NotHere
    return found
