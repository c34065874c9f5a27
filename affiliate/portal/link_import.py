"""Many links at once from a table: each row is a link of its own, and a refused one says why and keeps nobody waiting."""

from typing import Any

from flask import g, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from affiliate import exports, imports
from affiliate.accounts import access
from affiliate.accounts.roles import PROMOTES
from affiliate.errors import DomainError
from affiliate.imports import BadTable, Line
from affiliate.links import service
from affiliate.portal import link_file
from affiliate.portal.blueprint import blueprint, settings, show
from affiliate.portal.forms import SUBS_SHOWN, LinkForm, blame
from affiliate.programs import addresses
from affiliate.web import orm, request_now

ROWS_MAX = 500
COLUMNS = ("name", "code", *SUBS_SHOWN, "coupon")


@blueprint.get("/<slug>/links/import")
@access.partner_with(PROMOTES)
def import_links() -> str:
    """The form, and what the table looks like."""
    return _page()


@blueprint.post("/<slug>/links/import")
@access.partner
def make_links() -> ResponseReturnValue:
    """Make a link of each row, and say of each what became of it, on the page or as a file."""
    uploaded = request.files.get("table")
    content = uploaded.read(imports.BYTES_MAX + 1) if uploaded else b""
    if not content:
        return _page(problem=_("Choose a file first.")), 422
    try:
        rows = imports.read(content, required=["landing_url"], optional=COLUMNS, rows_max=ROWS_MAX)
    except BadTable as bad:
        return _page(problem=_(bad.sentence) % bad.values), 422
    results = [_made(row) for row in rows]
    kind = request.form.get("kind", "")
    return link_file.made_file(kind, results) if kind in set(exports.Format) else _page(results=results)


def _made(row: Line) -> dict[str, Any]:
    """What became of a row: its address, or why there is none. Nothing of a refused row is stored."""
    form = LinkForm(formdata=None, data=row.cells, meta={"csrf": False})  # the token was that of the upload
    result = {"line": row.number, "landing_url": row.cells["landing_url"], "address": None, "problem": None}
    if not form.validate():
        return result | {"problem": _problem(form)}
    try:
        link = service.create_link(
            orm.session,
            program=g.program,
            partner_id=g.partner.id,
            landing_url=form.landing_url.data,
            name=form.name.data or "",
            subs=form.subs(),
            code=form.code.data or None,
            coupon=form.coupon.data,
            actor=access.actor(),
            now=request_now(),
        )
    except DomainError as refusal:
        blame(form, refusal)
        return result | {"problem": _problem(form)}
    return result | {"address": f"{addresses.links(g.program.own_host, settings())}/r/{link.code}"}


def _problem(form: LinkForm) -> str:
    found = [str(error) for field in form for error in field.errors]
    return " ".join([*found, *map(str, form.form_errors)])


def _page(*, problem: str | None = None, results: list[dict[str, Any]] | None = None) -> str:
    made = sum(1 for result in results or () if result["address"])
    return show(
        "import_links.html",
        problem=problem,
        results=results,
        made=made,
        columns=["landing_url", *COLUMNS],
        rows_max=ROWS_MAX,
        kinds=link_file.kinds(),
        shop_url=g.program.shop_url,
    )
