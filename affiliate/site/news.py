"""News for people who are no partners yet: the form, the button that confirms the mailbox, and the way to stop and be forgotten."""

from collections.abc import Collection
from uuid import UUID

from flask import Blueprint, current_app, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import refresh
from flask_wtf import FlaskForm
from wtforms import BooleanField, EmailField, SelectMultipleField
from wtforms.validators import DataRequired, Length
from wtforms.widgets import CheckboxInput, ListWidget

from affiliate import formats
from affiliate.accounts import access
from affiliate.newsletters import audiences, labels, openings, preferences, prospects, tokens
from affiliate.newsletters.content import IssueKind
from affiliate.newsletters.models import Prospect, ProspectStatus
from affiliate.newsletters.prospects import SignUp
from affiliate.newsletters.tokens import ReaderToken
from affiliate.programs import queries as programs
from affiliate.programs.models import Program
from affiliate.settings import Settings
from affiliate.site.forms import is_email, name_field, one_line
from affiliate.site.frame import frame, open_program, origin
from affiliate.web import orm, request_now

blueprint = Blueprint("news", __name__)


class NewsForm(FlaskForm):  # type: ignore[misc] # the library is not typed
    """Who wants news, and of what. No box is ever ticked beforehand."""

    name = name_field()
    email = EmailField(
        _l("E-mail"),
        filters=[one_line],
        validators=[DataRequired(_l("Write the address that the news shall come to.")), Length(max=255), is_email],
        render_kw={"autocomplete": "email"},
    )
    kinds = SelectMultipleField(
        _l("What it may be about"),
        coerce=IssueKind,
        widget=ListWidget(prefix_label=False),
        option_widget=CheckboxInput(),
        description=_l("None ticked: all of it."),
    )
    consent = BooleanField("", validators=[DataRequired(_l("Without your consent we send nothing."))])


def form_for(program: Program) -> NewsForm:
    """The form of a program; what is agreed to names it."""
    form = NewsForm()
    form.kinds.choices = [(kind.value, labels.kind(kind)) for kind in IssueKind]
    form.consent.label.text = _(
        "Yes, send me news of the partner program of %(program)s by mail. I can stop them at any time with one click.",
        program=program.name,
    )
    return form


@blueprint.get("/p/<slug>/news")
@access.public
def ask(slug: str) -> str:
    """The form on a page of its own."""
    program = open_program(slug)
    return _form_page(program, form_for(program))


@blueprint.post("/p/<slug>/news")
@access.public
def sign_up(slug: str) -> ResponseReturnValue:
    """Write to the mailbox, and say the same whatever is known of it."""
    program = open_program(slug)
    form = form_for(program)
    if not form.validate():
        return _form_page(program, form), 422
    consent = str(form.consent.label.text)
    typed = SignUp(
        form.email.data.lower(), form.name.data, formats.locale(), consent, request.form.get("from", ""),
        form.kinds.data or tuple(IssueKind),
    )  # fmt: skip
    prospects.sign_up(orm.session, program=program, typed=typed, now=request_now())
    flash(_("One step is left: open the mail that we have sent you, and confirm."), "success")
    return redirect(url_for("site.program", slug=slug, **origin()), 303)


@blueprint.get("/news/<token>")
@access.public
def confirmation(token: str) -> str:
    """Asks whether the address is theirs. Opening it changes nothing: scanners of mail open every link."""
    prospect, program = _asked(token)
    is_done = prospect.status is ProspectStatus.CONFIRMED
    return render_template("site/news_confirm.html", **frame(program), program=program.name, is_done=is_done)


@blueprint.post("/news/<token>")
@access.public
def confirm(token: str) -> ResponseReturnValue:
    """Whoever reads the mailbox wants the news."""
    prospect, _program = _asked(token)
    prospects.confirm(orm.session, prospect_id=prospect.id, now=request_now())
    flash(_("Done. The next news come to your mailbox."), "success")
    return redirect(url_for("news.confirmation", token=token), 303)


def stop_page(reader: ReaderToken, program: Program, token: str) -> str:
    """What a prospect may choose: of what to hear, to stop, or to be forgotten."""
    prospect = _found(reader.reader_id, program)
    _speak(prospect)
    gets_news = prospect.status is ProspectStatus.CONFIRMED
    wanted = audiences.kinds_of_prospect(orm.session, prospect_id=prospect.id)
    kinds = [{"value": kind.value, "name": labels.kind(kind), "wanted": kind in wanted} for kind in IssueKind]
    agrees = audiences.prospect_tells(orm.session, prospect_id=prospect.id)
    return render_template(
        "site/news_stop.html", **frame(program), program=program.name, token=token, gets_news=gets_news, kinds=kinds,
        openings={"label": labels.openings(program.name), "value": program.id.hex, "agrees": agrees},
    )  # fmt: skip


def choose(reader: ReaderToken, program: Program, wanted: Collection[IssueKind], *, agrees: bool) -> bool:
    """Of what a prospect hears from now on, and whether the program is told of openings; true if that was taken back."""
    prospect = _found(reader.reader_id, program)
    _speak(prospect)
    prospects.choose(orm.session, prospect_id=prospect.id, wanted=wanted)
    if not agrees:
        return openings.withdraw_prospect(orm.session, prospect_id=prospect.id)
    if prospect.status is ProspectStatus.CONFIRMED:  # who has stopped gets no mail that could tell
        openings.agree(
            orm.session, prospect_id=prospect.id, program_id=program.id, consent_text=labels.openings(program.name),
            source="page", now=request_now(),
        )  # fmt: skip
    return False


def stop(reader: ReaderToken, program: Program, *, forget: bool) -> str:
    """Stop the news of a prospect, and forget it if it says so; what to tell."""
    prospect = _found(reader.reader_id, program)
    _speak(prospect)
    preferences.unsubscribe(orm.session, token=reader, source="page", now=request_now())
    if forget:
        prospects.erase(orm.session, prospect=prospect, now=request_now())
        return str(_("You get no more news, and your name and address are erased."))
    return str(_("You get no more newsletters from %(program)s.", program=program.name))


def _form_page(program: Program, form: NewsForm) -> str:
    return render_template("site/news.html", **frame(program), program=program.name, form=form, origin=origin())


def _asked(token: str) -> tuple[Prospect, Program]:
    settings: Settings = current_app.extensions["affiliate_settings"]
    prospect = orm.session.get(Prospect, tokens.read_confirmation(settings.secret_key, token))
    program = programs.program_by_id(orm.session, program_id=prospect.program_id) if prospect else None
    if prospect is None or program is None or prospect.status is ProspectStatus.STOPPED:
        raise prospects.ConfirmationOver
    _speak(prospect)
    return prospect, program


def _found(prospect_id: UUID, program: Program) -> Prospect:
    found = audiences.prospect_in(orm.session, prospect_id=prospect_id, program_id=program.id)
    if found is None:
        raise tokens.BadToken
    return found


def _speak(prospect: Prospect) -> None:
    """In the language in which the news were asked for, whoever is signed in on this browser."""
    g.user_locale = prospect.locale
    refresh()
