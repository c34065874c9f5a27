"""A product feed for programs that cannot sign in: at the secret address that its partner made for it."""

from flask import Response, current_app, request

from affiliate.accounts import access
from affiliate.commissions import plan_queries
from affiliate.creatives import feed_addresses, feed_files, queries
from affiliate.creatives.models import FeedAddress
from affiliate.creatives.queries import Reader, Shown
from affiliate.partners import queries as partners
from affiliate.partners.models import EnrollmentStatus
from affiliate.programs import queries as programs
from affiliate.programs.models import Program
from affiliate.settings import Settings
from affiliate.web import orm, request_now


@access.public
def product_feed(slug: str, token: str, kind: str) -> Response:
    """What the partner downloads in the portal. Nobody learns why an address opens nothing: unknown, replaced, over or not active."""
    program = programs.program_by_slug(orm.session, slug=slug)
    if program is None or program.archived_at is not None:
        raise access.NotHere
    settings: Settings = current_app.extensions["affiliate_settings"]
    address = feed_addresses.found(orm.session, settings.secret_key, token, program_id=program.id)
    shown = _offered(program, address) if address else None
    if address is None or shown is None:
        raise access.NotHere
    mine = feed_files.links_for(
        orm.session,
        program_id=program.id,
        partner_id=address.partner_id,
        named=request.args.get("link"),
        now=request_now(),
    )
    answer = feed_files.response(orm.session, shown, program=program, mine=mine, kind=kind, to=settings)
    answer.headers["Cache-Control"] = "private, no-cache"  # kept, and asked about each time
    answer.headers["X-Robots-Tag"] = "noindex, nofollow"
    return answer


def _offered(program: Program, address: FeedAddress) -> Shown | None:
    """The feed, while the program offers it to this partner and the partner is active."""
    who = {"program_id": program.id, "partner_id": address.partner_id}
    enrollment = partners.enrollment_of(orm.session, **who)
    if enrollment is None or enrollment.status is not EnrollmentStatus.APPROVED:
        return None
    terms = plan_queries.partner_terms(orm.session, **who)
    reader = Reader(address.partner_id, terms.group_name if terms else None)
    return queries.offered_one(
        orm.session, program_id=program.id, reader=reader, creative_id=address.creative_id, now=request_now()
    )
