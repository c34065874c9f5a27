"""Applying to a program: the form, saved as one goes, and sent."""

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.datastructures import MultiDict

from affiliate import formats
from affiliate.accounts import access
from affiliate.files import File
from affiliate.joining import accepting, answers, asking, inviting, queries, service
from affiliate.joining.accepting import Terms
from affiliate.joining.models import ApplicationDraft, DraftState, PublicText
from affiliate.joining.questions import QuestionKind
from affiliate.joining.service import Origin
from affiliate.joining.tokens import Purpose
from affiliate.partners import queries as partners
from affiliate.partners.applying import Applicant
from affiliate.partners.models import EnrollmentStatus
from affiliate.programs.models import Program
from affiliate.site import forms, joining, statuses, uploads
from affiliate.site.forms import ApplicationForm, SignedInApplicationForm
from affiliate.site.frame import frame, open_program, origin
from affiliate.site.joining import blueprint
from affiliate.web import orm, request_now

_UPLOADS_MAX = 5
__all__ = ["blueprint", "statuses"]
_NOT_KEPT = frozenset({"csrf_token", "act", "draft", "from", "invite", "terms_version"})


@dataclass(slots=True)
class _Sheet:
    """The form as it stands: who applies, what was typed to the questions, what is wrong."""

    program: Program
    draft: ApplicationDraft | None
    form: ApplicationForm | SignedInApplicationForm
    typed: Mapping[str, list[str]]
    problems: dict[str, str] = field(default_factory=dict)


@blueprint.get("/apply/<slug>")
@access.public
def apply(slug: str) -> ResponseReturnValue:
    """The application form, empty; who is a member already, or has begun, is led there."""
    program = open_program(slug)
    if current_user.is_authenticated:
        if stands := _standing(program):
            return stands
        begun = queries.drafts_of(orm.session, user_id=current_user.id, program_id=program.id)
        if begun is not None:
            return redirect(joining.address("joining.draft", program, begun))
    form = SignedInApplicationForm(data=_known()) if current_user.is_authenticated else ApplicationForm()
    return _page(_Sheet(program, None, form, {}))


@blueprint.post("/apply/<slug>")
@access.public
def send(slug: str) -> ResponseReturnValue:
    """Send the application, or only save it; a refused one comes back with what was typed, and is saved."""
    program = open_program(slug)
    if current_user.is_authenticated and (stands := _standing(program)):
        return stands
    sheet, uploaded = _read(program)
    if request.form.get("act") == "save":
        return _saved(sheet, uploaded)
    asked = [one for one in queries.form_of(orm.session, program_id=program.id) if one.is_asked]
    known = sheet.draft.files if sheet.draft else {}
    read = answers.read(asked, sheet.typed, known | {key: {"name": file.name} for key, file in uploaded.items()})
    sheet.problems |= {key: _(text) for key, text in read.problems.items() if key not in sheet.problems}
    accepted = _accepted(program)
    if not sheet.form.validate() or sheet.problems or accepted is None:
        return _page(sheet if accepted else _to_read_again(sheet)), 422
    found = sheet.draft or _begin(program)
    with contextlib.suppress(service.AlreadySent):  # a second press of the button: the page says how it stands
        _keep(found, sheet, uploaded)
        read = answers.read(asked, sheet.typed, found.files)
        service.send(
            orm.session, program=program, draft=found, applicant=_applicant(sheet.form, read.values, accepted),
            asked=asked, now=request_now(),
        )  # fmt: skip
    return redirect(joining.address("joining.status", program, found), 303)


@blueprint.post("/apply/<slug>/save")
@access.public
def save(slug: str) -> ResponseReturnValue:
    """Keep what the form holds while somebody types: the page asks by itself, and brings a file as soon as it is chosen."""
    program = open_program(slug)
    sheet, uploaded = _read(program)
    found = sheet.draft or _begin(program)
    try:
        _keep(found, sheet, uploaded)
    except service.AlreadySent:
        orm.session.rollback()
        return {"url": joining.address("joining.status", program, found)}, 409
    said = _("Saved: %(at)s", at=formats.instant(request_now()))
    names = {key: file["name"] for key, file in found.files.items()}
    url = joining.address("joining.draft", program, found)
    return {"draft": joining.token(found), "url": url, "said": said, "files": names, "problems": sheet.problems}


@blueprint.get("/apply/<slug>/draft/<token>")
@access.public
def draft(slug: str, token: str) -> ResponseReturnValue:
    """The form as it was left; an application that was sent is shown instead."""
    program = open_program(slug)
    found = joining.draft(program, Purpose.DRAFT, token)
    if found.state is not DraftState.OPEN:
        return redirect(joining.address("joining.status", program, found))
    kind = SignedInApplicationForm if found.user_id else ApplicationForm
    return _page(_Sheet(program, found, kind(formdata=MultiDict(found.typed)), found.typed))


def _read(program: Program) -> tuple[_Sheet, dict[str, File]]:
    """What was sent: the form, and the files that may be kept."""
    found = _named_draft(program)
    form = SignedInApplicationForm() if current_user.is_authenticated else ApplicationForm()
    sheet = _Sheet(program, found, form, _typed())
    uploaded: dict[str, File] = {}
    asked = queries.form_of(orm.session, program_id=program.id)
    wanted = {one.key for one in asked if one.is_asked and one.kind is QuestionKind.FILE}
    for key in [name for name in request.files if name in wanted][:_UPLOADS_MAX]:
        try:
            file = uploads.checked(request.files[key])
        except uploads.BadUpload as bad:
            sheet.problems[key] = str(bad)
        else:
            uploaded |= {key: file} if file else {}
    return sheet, uploaded


def _typed() -> dict[str, list[str]]:
    return answers.kept({name: request.form.getlist(name) for name in request.form if name not in _NOT_KEPT})


def _typed_email() -> str:
    if current_user.is_authenticated:
        return str(current_user.email)
    return request.form.get("email", "").strip()[:255]


def _begin(program: Program) -> ApplicationDraft:
    invited = queries.invitation_by_code(orm.session, code=request.form.get("invite", ""))
    is_ours = invited is not None and invited[1].id == program.id and inviting.is_good(invited[0], now=request_now())
    origin = Origin(invited[0] if invited and is_ours else None, request.form.get("from", ""))
    return service.begin(
        orm.session, program=program, origin=origin, locale=formats.locale(), now=request_now(),
        user_id=current_user.id if current_user.is_authenticated else None,
    )  # fmt: skip


def _keep(found: ApplicationDraft, sheet: _Sheet, uploaded: Mapping[str, File]) -> None:
    service.save(orm.session, draft=found, typed=sheet.typed, uploads=uploaded, email=_typed_email(), now=request_now())


def _saved(sheet: _Sheet, uploaded: Mapping[str, File]) -> ResponseReturnValue:
    """Keep the draft and lead to its address; whoever typed an address gets it by mail."""
    found = sheet.draft or _begin(sheet.program)
    try:
        _keep(found, sheet, uploaded)
    except service.AlreadySent:
        orm.session.rollback()
        return redirect(joining.address("joining.status", sheet.program, found), 303)
    flash(_("Saved. Keep the address of this page to go on later."), "success")
    if found.user_id is None and forms.is_email_text(found.who["email"]):
        service.mail_draft(orm.session, program=sheet.program, draft=found, now=request_now())
    return redirect(joining.address("joining.draft", sheet.program, found), 303)


def _page(sheet: _Sheet) -> str:
    program, found = sheet.program, sheet.draft
    asked = queries.form_of(orm.session, program_id=program.id)
    came, reader = origin(), formats.locale()
    terms = accepting.terms_for(program.terms, _texts(program), reader=reader)
    if request.form.get("terms_version") != terms.version:
        sheet.form.terms.data = (
            False  # the tick was for others, or a draft's: who comes back accepts what stands by then
        )
    draft_path = joining.address("joining.draft", program, found) if found else ""
    here = draft_path or url_for("joining.apply", slug=program.slug, **came)
    return render_template(
        "site/apply.html",
        **frame(program),
        name=program.name,
        terms=terms.plain(reader=reader),
        form=sheet.form,
        questions=asking.fields(asked, sheet.typed, found.files if found else {}, sheet.problems),
        accepted=uploads.ACCEPTED,
        draft=joining.token(found) if found else "",
        draft_url=joining.base_url(program) + draft_path if found else "",
        send_url=url_for("joining.send", slug=program.slug),
        save_url=url_for("joining.save", slug=program.slug),
        origin=came,
        sign_in_url=url_for("security.login", next=here),
    )


def _texts(program: Program) -> Mapping[str, PublicText]:
    return queries.texts(orm.session, program_ids=[program.id]).get(program.id, {})


def _accepted(program: Program) -> Terms | None:
    """The terms that stood on the page with the tick; nothing if they have changed since."""
    version = request.form.get("terms_version", "")
    return accepting.accepted(program.terms, _texts(program), version=version, reader=formats.locale())


def _to_read_again(sheet: _Sheet) -> _Sheet:
    """The form without its tick: what it stood for is no more."""
    sheet.form.terms.data = False
    sheet.form.terms.errors = [
        _("The terms have changed since you opened this page. Read them, then accept them anew.")
    ]
    return sheet


def _named_draft(program: Program) -> ApplicationDraft | None:
    """The draft that the form names; of somebody signed in, theirs."""
    token = request.form.get("draft", "")
    if token:
        return joining.draft(program, Purpose.DRAFT, token)
    if current_user.is_authenticated:
        return queries.drafts_of(orm.session, user_id=current_user.id, program_id=program.id)
    return None


def _standing(program: Program) -> ResponseReturnValue | None:
    """Where a signed-in person who has applied already is led; None for who may apply."""
    memberships = partners.memberships_of(orm.session, user_id=current_user.id)
    mine = next((one for one in memberships if one.program_id == program.id), None)
    if mine is None:
        return None
    if mine.status not in {EnrollmentStatus.REJECTED, EnrollmentStatus.BANNED}:
        return redirect(f"/portal/{program.slug}/", 303)
    enrollment = partners.enrollment_in(orm.session, enrollment_id=mine.enrollment_id, program_id=program.id)
    again = enrollment.apply_again_at if enrollment and mine.status is EnrollmentStatus.REJECTED else None
    if again is not None and again <= request_now():
        return None
    reason = enrollment.reason if enrollment else None
    return render_template("site/refused.html", **frame(program), name=program.name, reason=reason, again=again)


def _known() -> dict[str, Any]:
    partner = partners.owned_partner(orm.session, user_id=current_user.id)
    if partner is None:
        return {}
    return {"partner_name": partner.name, "website": partner.website, "country": partner.country}


def _applicant(form: ApplicationForm | SignedInApplicationForm, read: Mapping[str, Any], terms: Terms) -> Applicant:
    typed = {name: form[name].data for name in ("partner_name", "website", "country")}
    return Applicant(
        email=form.email.data if "email" in form else current_user.email,
        name=form.name.data if "name" in form else current_user.name,
        partner_name=form.partner_name.data,
        website=form.website.data or None,
        country=form.country.data or None,
        locale=formats.locale(),
        answers=typed | dict(read) | accepting.kept(terms, at=request_now().isoformat()),
    )
