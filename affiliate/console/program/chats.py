"""Chats that are told of alarms and of what is late: the list, a new one, its log, test and retry."""

from typing import Any
from uuid import UUID

from flask import flash, g, redirect, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from werkzeug.wrappers.response import Response as BaseResponse
from wtforms import SelectField, SelectMultipleField, StringField, URLField
from wtforms.validators import DataRequired, Length
from wtforms.widgets import CheckboxInput, ListWidget

from affiliate import formats
from affiliate.accounts import access
from affiliate.console.blueprint import acted, blueprint, settings, show
from affiliate.console.forms import say_all
from affiliate.console.words import Sign
from affiliate.errors import Conflict, Invalid
from affiliate.notifications import chat_queries, chat_service, postback_words
from affiliate.notifications.chats import ChatEvent, ChatKind, Message
from affiliate.notifications.models import ChatDelivery, ChatHook, DeliveryStatus
from affiliate.web import orm, request_now


class ChatForm(FlaskForm):  # type: ignore[misc] # the library is not typed
    """A new chat."""

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
    events = SelectMultipleField(
        _l("Tell of"), coerce=ChatEvent, widget=ListWidget(prefix_label=False), option_widget=CheckboxInput()
    )


def _kinds() -> dict[ChatKind, str]:
    return {
        ChatKind.SLACK: "Slack, Mattermost, Rocket.Chat",
        ChatKind.TEAMS: _("Microsoft Teams (adaptive card)"),
        ChatKind.JSON: _("Something of our own (JSON, signed)"),
    }


def _event(of: ChatEvent) -> str:
    return {
        ChatEvent.ALARM: _("A figure crossed its limit"),
        ChatEvent.LATE: _("Each morning: what is late"),
        ChatEvent.TEST: _("Test"),
    }[of]


@blueprint.get("/<slug>/settings/chats")
@access.console("manager")
def chats() -> str:
    """The chats, and the form for one more."""
    return _page(_form(data={"events": list(chat_service.CHOICES)}))


@blueprint.post("/<slug>/settings/chats")
@access.console("manager")
def add_chat() -> ResponseReturnValue:
    """Keep a chat; a refused one comes back with what was typed."""
    form = _form()
    if not form.validate():
        return _page(form), 422
    typed: dict[str, Any] = {name: form[name].data for name in ("name", "kind", "url", "events")}
    try:
        hook = chat_service.add(
            orm.session, program=g.program, **typed, locale=formats.locale(), plain=settings().env == "test",
            actor=access.actor(), now=request_now(),
        )  # fmt: skip
    except Invalid as refusal:
        say_all(form, refusal.errors)
        return _page(form), 422
    except Conflict as refusal:
        orm.session.rollback()
        form.form_errors.append(_(str(refusal)))
        return _page(form), 409
    flash(_("Saved. Send a test to see whether it arrives."), "success")
    return redirect(url_for("console.chat", hook_id=hook.id), 303)


@blueprint.get('/<slug>/settings/chats/<public("cht"):hook_id>')
@access.console("manager")
def chat(hook_id: UUID) -> str:
    """One chat: what it is told of, the last messages with their answers."""
    hook = _found(hook_id)
    calls = [_call(each) for each in chat_queries.log(orm.session, hook_id=hook.id)]
    secret = chat_service.shown_secret(hook.id) if hook.kind is ChatKind.JSON else None
    return show("program/chat.html", chat=_line(hook), secret=secret, calls=calls)


@blueprint.post('/<slug>/settings/chats/<public("cht"):hook_id>/<any(on, off, test, retry, remove):act>')
@access.console("manager")
def act_on_chat(hook_id: UUID, act: str) -> BaseResponse:
    """Tell it or not, send a test, try again what was given up, or forget it."""
    hook = _found(hook_id)
    facts: dict[str, Any] = {"actor": access.actor(), "now": request_now()}

    def do() -> str:
        if act in {"on", "off"}:
            chat_service.move(orm.session, hook=hook, is_live=act == "on", **facts)
            return str(_("It is told from now on.") if act == "on" else _("It is told nothing any more."))
        if act == "test":
            chat_service.test(orm.session, hook=hook, program=g.program, message=_example(hook), now=request_now())
            return str(_("A test is on its way. Its answer appears below within seconds; load the page again."))
        if act == "retry":
            chat_service.retry(orm.session, hook=hook, **facts)
            return str(_("It is tried again now."))
        chat_service.remove(orm.session, hook=hook, **facts)
        return str(_("The chat and its log are removed."))

    return acted(url_for("console.chats") if act == "remove" else url_for("console.chat", hook_id=hook_id), do)


def _example(hook: ChatHook) -> Message:
    title = _("A test of %(name)s", name=hook.name)
    line = _("If you read this, alarms of %(program)s arrive here.", program=g.program.name)
    return Message(title, [line], settings().base_url + url_for("console.today"), _("Open console"))


def _found(hook_id: UUID) -> ChatHook:
    found = chat_queries.hook_in(orm.session, hook_id=hook_id, program_id=g.program.id)
    if found is None:
        raise chat_service.NoSuchHook
    return found


def _form(**known: Any) -> ChatForm:
    form = ChatForm(**known)
    form.kind.choices = [(kind.value, name) for kind, name in _kinds().items()]
    form.events.choices = [(each.value, _event(each)) for each in chat_service.CHOICES]
    return form


def _page(form: ChatForm) -> str:
    found = chat_queries.hooks(orm.session, program_id=g.program.id)
    is_full = len(found) >= chat_service.HOOKS_MAX
    return show("program/chats.html", form=form, rows=[_line(each) for each in found], is_full=is_full)


def _line(hook: ChatHook) -> dict[str, Any]:
    sign = Sign("good", _("On")) if hook.is_live else Sign("", _("Off"), "player-pause")
    return {
        "url": url_for("console.chat", hook_id=hook.id),
        "name": hook.name,
        "kind": _kinds()[hook.kind],
        "host": hook.host,
        "sign": sign,
        "is_live": hook.is_live,
        "events": " · ".join(_event(ChatEvent(each)) for each in hook.events),
    }


def _call(delivery: ChatDelivery) -> dict[str, Any]:
    return {
        "at": delivery.created_at,
        "event": _event(delivery.event),
        "sign": postback_words.delivery(delivery.status),
        "attempts": delivery.attempts,
        "next_at": delivery.send_after if delivery.status is DeliveryStatus.WAITING else None,
        "code": delivery.answer_code,
        "answer": delivery.answer or formats.call_problem(delivery.error),
        "is_given_up": delivery.status is DeliveryStatus.GIVEN_UP,
    }
