"""An application on the page of its partner: what was answered, its files, questions back and forth."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from flask import Response, g, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers.response import Response as BaseResponse

from affiliate import files, formats
from affiliate.accounts import access
from affiliate.console.blueprint import acted, blueprint
from affiliate.joining import accepting, queries, service, standing
from affiliate.partners import facts
from affiliate.partners.models import Application, Enrollment, EnrollmentStatus
from affiliate.privacy.inventory import ERASED
from affiliate.web import orm, request_now

AGAIN_DAYS = (30, 90, 180, 365)
"""After how many days a refused applicant may try again; the dialog of `_parts.html` offers the same."""


@blueprint.post('/<slug>/partners/<public("ptn"):partner_id>/ask')
@access.console("manager")
def ask_applicant(partner_id: UUID) -> BaseResponse:
    """Ask the applicant something before deciding."""
    application, enrollment = _found(partner_id)

    def act() -> str:
        service.ask(
            orm.session, program=g.program, application=application, enrollment=enrollment,
            text=request.form.get("text", ""), actor=access.actor(), now=request_now(),
        )  # fmt: skip
        return str(_("Asked. A mail brings the question, and the answer stands here."))

    return acted(url_for("console.partner", partner_id=partner_id), act)


@blueprint.get('/<slug>/partners/<public("ptn"):partner_id>/application/<key>/file')
@access.console("manager", "finance")
def application_file(partner_id: UUID, key: str) -> Response:
    """A file that came with the application: always as a download."""
    application, _enrollment = _found(partner_id)
    answer: Any = application.answers.get(key)
    found = files.file_by_id(orm.session, file_id=UUID(answer["file_id"])) if facts.is_file(answer) else None
    if found is None:
        raise access.NotHere
    response = Response(found.content, mimetype=found.media_type)
    response.headers.set("Content-Disposition", "attachment", filename=found.name)
    return response


def apply_again_at() -> datetime | None:
    """From when on a refused applicant may try again, as the dialog chose it; nothing: not by themselves."""
    said = request.form.get("again", "")
    return next((request_now() + timedelta(days=days) for days in AGAIN_DAYS if said == str(days)), None)


def told(application: Application | None, enrollment: Enrollment) -> dict[str, Any] | None:
    """The application as its panel shows it; nothing for a partner who did not apply by the form."""
    if application is None:
        return None
    partner_id = enrollment.partner_id
    shown = standing.of_application(orm.session, g.program, application, enrollment)
    return {
        "submitted_at": application.submitted_at,
        "source": came_by(application.source),
        "terms": _terms(application),
        "answers": [line | {"url": _file_url(partner_id, line)} for line in shown["sent"]],
        "messages": [_message(one) for one in shown["messages"]],
        "may_ask": enrollment.status is EnrollmentStatus.PENDING,
        "ask_url": url_for("console.ask_applicant", partner_id=partner_id),
    }


def came_by(source: str) -> str:
    """Through what somebody came, in words; a word that an address carried stands as it is."""
    kind, _colon, name = source.partition(":")
    if kind == "recruiter":
        return str(_("Recruiting address of %(name)s", name=_("erased") if name == ERASED else name))
    if kind == "invitation":
        return str(_("Invitation: %(name)s", name=name))
    return str(_("Article: %(name)s", name=name)) if kind == "article" else source


def _terms(application: Application) -> str:
    """Which terms the applicant accepted, and whether they still stand; nothing where no version was kept."""
    if not application.answers.get("terms_version"):
        return ""
    texts = queries.texts(orm.session, program_ids=[g.program.id]).get(g.program.id, {})
    kept = accepting.standing(application.answers, g.program.terms, texts)
    if kept is None:
        return ""
    at = formats.day(datetime.fromisoformat(application.answers["terms_accepted_at"]))
    values = {"at": at, "version": kept["version"], "language": formats.LANGUAGES.get(kept["language"], "")}
    said = (
        _("Accepted the terms of this language: %(language)s, version %(version)s, on %(at)s.", **values)
        if values["language"]
        else _("Accepted the terms under Settings, version %(version)s, on %(at)s.", **values)
    )
    return f"{said} {_('They still read so.') if kept['is_same'] else _('They have changed since.')}"


def _message(one: dict[str, Any]) -> dict[str, Any]:
    """A message as the program's side sees it."""
    return one | {"is_mine": not one["is_mine"], "who": _("The applicant") if one["is_mine"] else one["who"]}


def _file_url(partner_id: UUID, line: dict[str, Any]) -> str | None:
    if not line["file"]:
        return None
    return url_for("console.application_file", partner_id=partner_id, key=line["key"])


def _found(partner_id: UUID) -> tuple[Application, Enrollment]:
    row = queries.application_of_partner(orm.session, program_id=g.program.id, partner_id=partner_id)
    if row is None:
        raise access.NotHere
    return row
