"""Banners as pages of partners load them: public, cached for an hour, and an empty picture once they are not offered any more."""

import base64
from uuid import UUID

from flask import Response

from affiliate import files
from affiliate.accounts import access
from affiliate.creatives import queries, service
from affiliate.creatives.models import Creative, CreativeStatus
from affiliate.web import orm, request_now

_EMPTY = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
_FRESH_SECONDS, _EMPTY_SECONDS = 3600, 300


@access.public
def banner(creative_id: UUID) -> Response:
    """The present version of a banner. A page that still holds one that has ended shows nothing, not a broken picture."""
    found = queries.picture_of(orm.session, creative_id=creative_id)
    if found is None:
        raise service.NoSuchCreative("There is no such picture.")
    creative, version = found
    file = files.file_by_id(orm.session, file_id=version.file_id) if version.file_id and _is_offered(creative) else None
    if file is None:
        return _picture(_EMPTY, "image/gif", _EMPTY_SECONDS)
    return _picture(file.content, file.media_type, _FRESH_SECONDS)


def _is_offered(creative: Creative) -> bool:
    now = request_now()
    has_ended = creative.ends_at is not None and creative.ends_at <= now
    return creative.status is CreativeStatus.LIVE and creative.starts_at <= now and not has_ended


def _picture(content: bytes, media_type: str, seconds: int) -> Response:
    response = Response(content, mimetype=media_type)
    response.headers["Cache-Control"] = f"public, max-age={seconds}"
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response
