"""The file of a creative, as both sides get it."""

from flask import Response
from sqlalchemy.orm import Session

from affiliate import files
from affiliate.accounts import access
from affiliate.creatives.kinds import CreativeKind
from affiliate.creatives.queries import Shown


def response(session: Session, shown: Shown, *, as_download: bool = False) -> Response:
    """A banner, or a document, which is always an attachment; anything else has no file to hand out.

    Raises:
        NotHere: it has none.
    """
    creative, version = shown
    found = files.file_by_id(session, file_id=version.file_id) if version.file_id else None
    if found is None or creative.kind not in {CreativeKind.BANNER, CreativeKind.DOCUMENT}:
        raise access.NotHere
    response = Response(found.content, mimetype=found.media_type)
    response.headers["Cache-Control"] = "private, max-age=3600"
    if as_download or creative.kind is CreativeKind.DOCUMENT:
        response.headers["Content-Disposition"] = f'attachment; filename="{found.name}"'
    return response
