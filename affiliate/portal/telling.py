"""What a person is told by mail and in the portal, and what the partner's chats are told: kind by kind, on one page."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from flask import flash, g, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user
from flask_wtf import FlaskForm
from werkzeug.wrappers.response import Response
from wtforms import SelectField, StringField, URLField
from wtforms.validators import DataRequired, Length

from affiliate import formats
from affiliate.accounts import access, choices, queries
from affiliate.accounts.mail_kinds import IN_CHATS, IN_PORTAL, REQUIRED, MailKind, roles_of
from affiliate.accounts.mail_views import label
from affiliate.accounts.roles import EVERYBODY, OWNER
from affiliate.errors import Conflict, Invalid
from affiliate.notifications import chat_queries, chat_service, postback_words
from affiliate.notifications.chats import ChatEvent, ChatKind, Message
from affiliate.notifications.models import ChatDelivery, ChatHook, DeliveryStatus
from affiliate.portal.blueprint import blueprint, settings, show
from affiliate.web import orm, request_now


class ChatForm(FlaskForm):  # type: ignore[misc] # the library is not typed
    """A new chat of the partner."""

    name = StringField(
        _l("Name"),
        validators=[DataRequired(_l("Give it a name.")), Length(max=80)],
        description=_l("As your chat calls the channel."),
    )
    kind = SelectField(_l("What reads it"), coerce=ChatKind)
    url = URLField(
        _l("Address"),
        validators=[DataRequired(_l("Paste the address that your chat gave you for an incoming webhook."))],
        description=_l("Whoever knows it may write into your chat: it is kept encrypted and not shown again."),
        render_kw={"autocomplete": "off", "spellcheck": "false"},
    )


def _form() -> ChatForm:
    form = ChatForm()
    form.kind.choices = [
        (ChatKind.SLACK.value, "Slack, Mattermost, Rocket.Chat"),
        (ChatKind.TEAMS.value, _("Microsoft Teams (adaptive card)")),
        (ChatKind.JSON.value, _("Something of our own (JSON, signed)")),
    ]
    return form


@blueprint.get("/<slug>/settings/notices")
@access.partner
def telling() -> str:
    """Each kind with its channels."""
    return _page(_form())


@blueprint.post("/<slug>/settings/notices")
@access.partner_with(EVERYBODY)
def choose_telling() -> Response:
    """Keep what was ticked: for the person alone, and for the partner's chats where an owner ticked."""
    now, offered = request_now(), [kind for kind in _kinds() if kind not in REQUIRED]
    mine: dict[str, Any] = {"user_id": current_user.id, "now": now}
    choices.choose(orm.session, **mine, offered=offered, wanted=_ticked("mail", offered))
    in_portal = [kind for kind in offered if kind in IN_PORTAL]
    choices.choose_notices(orm.session, **mine, offered=in_portal, wanted=_ticked("portal", in_portal))
    shown = request.form.getlist("chat")  # one that was added meanwhile keeps what it is told
    for hook in _hooks() if access.may("portal.add_chat", "POST") else ():
        if hook.id.hex not in shown:
            continue
        events = _ticked(hook.id.hex, IN_CHATS)
        chat_service.choose(orm.session, hook=hook, events=events, actor=access.actor(), now=now)
    flash(_("Saved."), "success")
    return redirect(url_for("portal.telling"), 303)


@blueprint.post("/<slug>/settings/chats")
@access.partner_with(OWNER)
def add_chat() -> ResponseReturnValue:
    """Keep a chat, which is told of everything at first; a refused one comes back with what was typed."""
    form = _form()
    if not form.validate():
        return _page(form), 422
    typed: dict[str, Any] = {name: form[name].data for name in ("name", "kind", "url")}
    try:
        hook = chat_service.add(
            orm.session, program=g.program, partner_id=g.partner.id, **typed, events=IN_CHATS, locale=formats.locale(),
            plain=settings().env == "test", actor=access.actor(), now=request_now(),
        )  # fmt: skip
    except Invalid as refusal:
        for name, problems in refusal.errors.items():
            form[name].errors = [_(problem) for problem in problems]
        return _page(form), 422
    except Conflict as refusal:
        orm.session.rollback()
        form.form_errors.append(_(str(refusal)))
        return _page(form), 409
    flash(_("Saved. Send a test to see whether it arrives."), "success")
    return redirect(url_for("portal.chat", hook_id=hook.id), 303)


@blueprint.get('/<slug>/settings/chats/<public("cht"):hook_id>')
@access.partner_with(OWNER)
def chat(hook_id: UUID) -> str:
    """One chat: the last messages with their answers."""
    hook = _found(hook_id)
    calls = [_call(each) for each in chat_queries.log(orm.session, hook_id=hook.id)]
    secret = chat_service.shown_secret(hook.id) if hook.kind is ChatKind.JSON else None
    return show("chat.html", chat=_line(hook), secret=secret, calls=calls)


@blueprint.post('/<slug>/settings/chats/<public("cht"):hook_id>/<any(on, off, test, retry, remove):act>')
@access.partner_with(OWNER)
def act_on_chat(hook_id: UUID, act: str) -> Response:
    """Tell it or not, send a test, try again what was given up, or forget it."""
    hook, now = _found(hook_id), request_now()
    facts: dict[str, Any] = {"actor": access.actor(), "now": now}
    if act in {"on", "off"}:
        chat_service.move(orm.session, hook=hook, is_live=act == "on", **facts)
    elif act == "test":
        chat_service.test(orm.session, hook=hook, program=g.program, message=_example(hook), now=now)
        flash(_("A test is on its way. Its answer appears below within seconds; load the page again."), "success")
    elif act == "retry":
        chat_service.retry(orm.session, hook=hook, **facts)
        flash(_("It is tried again now."), "success")
    else:
        chat_service.remove(orm.session, hook=hook, **facts)
        flash(_("The chat and its log are removed."), "success")
        return redirect(url_for("portal.telling"), 303)
    return redirect(url_for("portal.chat", hook_id=hook_id), 303)


def _page(form: ChatForm) -> str:
    hooks = _hooks()
    lines = [_line(each) for each in hooks] if access.may("portal.chat") else []
    is_full = len(hooks) >= chat_service.PARTNERS_HOOKS_MAX
    return show("telling.html", kinds=_rows(hooks if lines else ()), chats=lines, form=form, is_full=is_full)


def _rows(hooks: Sequence[ChatHook]) -> list[dict[str, Any]]:
    no_mail = queries.refused_mails(orm.session, user_id=current_user.id)
    no_notice = queries.refused_notices(orm.session, user_id=current_user.id)
    return [
        {
            "name": label(kind),
            "value": kind.value,
            "always": kind in REQUIRED,
            "mail": kind not in no_mail,
            "has_portal": kind in IN_PORTAL,
            "portal": kind not in no_notice,
            "chats": [{"id": hook.id.hex, "name": hook.name, "on": kind.value in hook.events} for hook in hooks],
        }
        for kind in _kinds()
    ]


def _kinds() -> list[MailKind]:
    """What this person may be told of, in the role that it has here."""
    return [kind for kind in MailKind if kind in IN_CHATS and g.member_role in roles_of(kind)]


def _ticked(name: str, kinds: Sequence[MailKind]) -> list[MailKind]:
    return [kind for kind in kinds if kind.value in request.form.getlist(name)]


def _hooks() -> Sequence[ChatHook]:
    return chat_queries.hooks(orm.session, program_id=g.program.id, partner_id=g.partner.id)


def _found(hook_id: UUID) -> ChatHook:
    found = chat_queries.hook_in(orm.session, hook_id=hook_id, program_id=g.program.id, partner_id=g.partner.id)
    if found is None:
        raise chat_service.NoSuchHook
    return found


def _example(hook: ChatHook) -> Message:
    title = _("A test of %(name)s", name=hook.name)
    line = _("If you read this, what %(program)s tells you arrives here.", program=g.program.name)
    return Message(title, [line], settings().base_url + url_for("portal.home"), _("Open your portal"))


def _line(hook: ChatHook) -> dict[str, Any]:
    return {
        "id": hook.id.hex, "url": url_for("portal.chat", hook_id=hook.id), "name": hook.name, "host": hook.host, "is_live": hook.is_live,
        "is_told": bool(hook.events),
    }  # fmt: skip


def _call(delivery: ChatDelivery) -> dict[str, Any]:
    return {
        "at": delivery.created_at,
        "event": _("Test") if delivery.event is ChatEvent.TEST else _("Notice"),
        "sign": postback_words.delivery(delivery.status),
        "attempts": delivery.attempts,
        "next_at": delivery.send_after if delivery.status is DeliveryStatus.WAITING else None,
        "code": delivery.answer_code,
        "answer": delivery.answer or formats.call_problem(delivery.error),
        "is_given_up": delivery.status is DeliveryStatus.GIVEN_UP,
    }
