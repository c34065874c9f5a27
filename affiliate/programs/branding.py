"""How a program looks beside its colour. Takes session and now; never commits."""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate import db, files, pictures
from affiliate.accounts import audit
from affiliate.accounts.actors import Actor
from affiliate.errors import Invalid
from affiliate.files import File
from affiliate.pictures import BadPicture
from affiliate.programs.models import Program, ProgramBrand

N_ = str  # marks a sentence for the translators
SIDE_MAX = 512
BYTES_MAX = 300_000


def logo_id(session: Session, *, program_id: UUID) -> UUID | None:
    """The stored file of the program's logo, if it has one."""
    return session.scalar(sa.select(ProgramBrand.logo_id).where(ProgramBrand.program_id == program_id))


def logo_path(session: Session, *, program: Program) -> str | None:
    """The address of the logo, with its version: browsers may keep it."""
    return path_of(program, logo_id(session, program_id=program.id))


def path_of(program: Program, stored: UUID | None) -> str | None:
    """The address of this stored file as the program's logo."""
    return None if stored is None else f"/p/{program.slug}/logo?v={stored.hex[-8:]}"


def set_logo(session: Session, *, program_id: UUID, content: bytes, name: str, actor: Actor, now: datetime) -> None:
    """Show this picture from now on: it is drawn anew, so that nothing but its pixels is kept.

    Raises:
        Invalid: no picture that we take, too large, or one that moves.
    """
    try:
        picture = pictures.redrawn(content, name=name)
    except BadPicture as bad:
        raise Invalid({"logo": [str(bad)]}) from bad
    if (
        picture.media_type == "image/gif"
        or max(picture.width, picture.height) > SIDE_MAX
        or len(picture.content) > BYTES_MAX
    ):
        raise Invalid({"logo": [N_("Take a PNG, JPEG or WebP picture of at most 512 pixels on a side and 300 KB.")]})
    stored = files.keep(session, File(f"logo.{picture.extension}", picture.media_type, picture.content), now=now)
    _put(session, program_id, stored, actor=actor, now=now)


def remove_logo(session: Session, *, program_id: UUID, actor: Actor, now: datetime) -> None:
    """Show ours again."""
    _put(session, program_id, None, actor=actor, now=now)


def _put(session: Session, program_id: UUID, stored: UUID | None, *, actor: Actor, now: datetime) -> None:
    row = {"program_id": program_id, "logo_id": stored, "updated_at": now}
    if not db.insert_new(session, ProgramBrand, [row]):
        session.execute(sa.update(ProgramBrand).where(ProgramBrand.program_id == program_id).values(row))
    audit.record(
        session, actor=actor, action="program.brand", subject_kind="program", subject_id=program_id,
        program_id=program_id, details={"has_logo": stored is not None}, now=now,
    )  # fmt: skip
