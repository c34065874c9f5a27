"""The page of the program's logo, and how its colour reads."""

from typing import Any

from flask import g, redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers.response import Response as BaseResponse

from affiliate import pictures
from affiliate.accounts import access
from affiliate.console.blueprint import blueprint, show
from affiliate.errors import Invalid
from affiliate.programs import branding, rules
from affiliate.web import orm, request_now

Answer = str | tuple[str, int] | BaseResponse


@blueprint.get("/<slug>/settings/brand")
@access.console("manager")
def brand() -> str:
    """The present logo and colour."""
    return _page()


@blueprint.post("/<slug>/settings/brand")
@access.console("manager")
def set_brand() -> Answer:
    """Show another logo, or none."""
    who: dict[str, Any] = {"program_id": g.program.id, "actor": access.actor(), "now": request_now()}
    if request.form.get("act") == "remove":
        branding.remove_logo(orm.session, **who)
        return redirect(url_for("console.brand"), 303)
    uploaded = request.files.get("logo")
    content = uploaded.read(pictures.BYTES_MAX + 1) if uploaded else b""
    if not uploaded or not content:
        return _page(problem=_("Choose a file first.")), 422
    try:
        branding.set_logo(orm.session, content=content, name=uploaded.filename or "", **who)
    except Invalid as refusal:
        orm.session.rollback()
        return _page(problem=" ".join(_(said) for said in refusal.errors["logo"])), 422
    return redirect(url_for("console.brand"), 303)


def _page(*, problem: str | None = None) -> str:
    accent = g.program.accent
    return show(
        "brand.html",
        problem=problem,
        logo_url=branding.logo_path(orm.session, program=g.program),
        accent=accent,
        ratio=f"{rules.contrast_on_tint(accent):.1f}" if accent else None,
        side_max=branding.SIDE_MAX,
    )
