"""Making a program like this one, closing it for good, and what a closed program still takes."""

from flask import current_app, flash, g, redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers.response import Response as BaseResponse
from wtforms import SelectMultipleField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.widgets import CheckboxInput, ListWidget

from affiliate.accounts import access
from affiliate.console.blueprint import acted, blueprint, given_reason, manages_all, show
from affiliate.console.forms import say_all
from affiliate.console.program import copies
from affiliate.console.program.setup_forms import ShopForm, slug_of
from affiliate.errors import Conflict, Invalid
from affiliate.programs import archive
from affiliate.web import SAFE_METHODS, orm, request_now

Answer = str | tuple[str, int] | BaseResponse

STILL_OPEN = frozenset({
    "adjustments", "archive", "cases", "commissions", "erasures", "events", "fraud", "orders", "papers", "payment",
    "payout_limits", "payout_steps", "payouts", "people", "tax_settings", "validation",
})  # fmt: skip
"""Modules of pages that an archived program still acts by: what became of its orders, what it owes, who may see it."""

_ENDS = frozenset({
    "drop_performance", "end_shared_performance", "erase_prospect", "revoke_api_key", "stop_bulk_act", "withdraw_invitation",
})  # fmt: skip
_ENDING_ACTS = frozenset({"ban", "off", "pause", "reject", "remove", "stop", "undo", "withdraw"})
"""What only ends something is never refused: a key that leaked, a shared address, a letter on its way, somebody's data."""


@blueprint.before_request
def _take_nothing_new() -> None:
    """After access has let the person in: an archived program is read, and pays what it owes."""
    program = g.get("program")
    if program is None or program.archived_at is None or request.method in SAFE_METHODS:
        return
    endpoint = request.endpoint or ""
    if endpoint.rpartition(".")[2] in _ENDS or (request.view_args or {}).get("act") in _ENDING_ACTS:
        return
    if current_app.view_functions[endpoint].__module__.rpartition(".")[2] not in STILL_OPEN:
        raise archive.ProgramArchived


class CloneForm(ShopForm):
    """The new program, and what comes along beside the settings."""

    slug = StringField(_l("Name in addresses"), description=_l("Left empty, it follows from the name. It stays."))
    parts = SelectMultipleField(
        _l("What comes along beside the settings"),
        choices=[
            SelectChoice("plans", _l("The commission plan in force, without rules for single partners")),
            SelectChoice("rules", _l("Attribution and fraud rules")),
            SelectChoice("forms", _l("Application form, weights and public page")),
            SelectChoice("creatives", _l("Creatives")),
            SelectChoice("partners", _l("Partners: all who take part now take part there as well")),
        ],
        widget=ListWidget(prefix_label=False), option_widget=CheckboxInput(),
        description=_l("Never copied: orders, money, keys, links, and who of your team may do what."),
    )  # fmt: skip

    def wanted(self) -> copies.Wanted:
        """What was typed."""
        slug = (self.slug.data or "").strip().lower() or slug_of(self.name.data)
        return copies.Wanted(self.name.data, slug, self.shop_url.data, self.hosts(), frozenset(self.parts.data or ()))


@blueprint.get("/<slug>/clone")
@access.console("manager")
def clone_program() -> str:
    """The form. For who manages all programs."""
    _only_for_all()
    shown = {name: getattr(g.program, name) for name in ("shop_url", "time_zone")}
    chosen = [part for part in copies.PARTS if part not in {"creatives", "partners"}]
    hosts = "\n".join(g.program.allowed_hosts)
    return show("program/clone.html", form=CloneForm(data=shown | {"allowed_hosts": hosts, "parts": chosen}))


@blueprint.post("/<slug>/clone")
@access.console("manager")
def make_clone() -> Answer:
    """Make the copy, as a draft."""
    _only_for_all()
    form = CloneForm()
    if not form.validate_on_submit():
        return show("program/clone.html", form=form), 422
    try:
        made = copies.clone(
            orm.session, source=g.program, wanted=form.wanted(), actor=access.actor(), now=request_now()
        )
    except (Invalid, Conflict) as refusal:
        orm.session.rollback()
        said = refusal.errors if isinstance(refusal, Invalid) else {_field_of(refusal): [str(refusal)]}
        say_all(form, {name if name in form else "name": sentences for name, sentences in said.items()})
        return show("program/clone.html", form=form), 422
    flash(_("Copied as a draft. Look through the steps, then set it live."), "success")
    return redirect(url_for("console.begin_setup", slug=made.slug), 303)


@blueprint.post("/<slug>/archive")
@access.fresh(access.console("manager"))
def archive_program() -> BaseResponse:
    """Close the program for everything new."""

    def act() -> str:
        archive.archive(
            orm.session, program_id=g.program.id, reason=given_reason(), actor=access.actor(), now=request_now()
        )
        return str(_("Archived. Links lead where unknown ones do; what is owed is still paid."))

    return acted(url_for("console.settings"), act)


@blueprint.post("/<slug>/reopen")
@access.fresh(access.console("manager"))
def reopen_program() -> BaseResponse:
    """Let it be used again."""

    def act() -> str:
        archive.reopen(orm.session, program_id=g.program.id, actor=access.actor(), now=request_now())
        return str(_("Open again, and paused: set it live when it is ready."))

    return acted(url_for("console.settings"), act)


def _field_of(refusal: Conflict) -> str:
    return "parts" if isinstance(refusal, copies.TooMuch) else "slug"


def _only_for_all() -> None:
    if not manages_all():
        raise access.NotHere
