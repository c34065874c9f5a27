"""Files that strangers send with an application: pictures are drawn anew, PDFs checked; everything else is refused."""

from pathlib import PurePath

from flask_babel import gettext as _
from werkzeug.datastructures import FileStorage

from affiliate import pictures
from affiliate.creatives import documents
from affiliate.files import File

BYTES_MAX = 3_000_000
ACCEPTED = ".pdf,.png,.jpg,.jpeg,.gif,.webp"


class BadUpload(ValueError):  # noqa: N818 - read as a kind
    """The file is not taken; the message is in the reader's language."""


def checked(upload: FileStorage) -> File | None:
    """The file as it may be stored; None when none was chosen.

    Raises:
        BadUpload: too large, of another kind than its name says, or with something in it that runs.
    """
    name = "".join(filter(str.isprintable, PurePath(upload.filename or "").name))
    if not name:
        return None
    content = upload.read(BYTES_MAX + 1)
    if len(content) > BYTES_MAX:
        raise BadUpload(_("The file is larger than 3 MB."))
    if name.lower().endswith(".pdf"):
        if problem := documents.pdf_problem(content, name=name):
            raise BadUpload(_(problem))
        return File(name, "application/pdf", content)
    try:
        picture = pictures.redrawn(content, name=name)
    except pictures.BadPicture as bad:
        raise BadUpload(_(str(bad))) from bad
    return File(f"{PurePath(name).stem}.{picture.extension}", picture.media_type, picture.content)
