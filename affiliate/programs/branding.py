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

# The program's colour in both themes: dark enough under white text by the rules of programs, lightened for dark grounds.
_ACCENT_CSS = """%(where)s {
  --accent: light-dark(%(accent)s, color-mix(in srgb, %(accent)s 40%%, white)); --on-accent: light-dark(#FFFFFF, #0D1411);
  --accent-soft: light-dark(color-mix(in srgb, %(accent)s 12%%, white), color-mix(in srgb, %(accent)s 30%%, black));
}
"""
# Variables that are made of the colour are made anew where it changes below the root of a page.
_BELOW_ROOT_CSS = """%(where)s {
  --tblr-primary: var(--accent); --tblr-primary-fg: var(--on-accent); --tblr-link-color: var(--accent);
  --tblr-primary-darken: color-mix(in oklab,var(--accent) 86%%,var(--ink));
}
"""


def accent_css(accent: str, *, within: str = "") -> str:
    """The style sheet of a colour (one that may be stored), for a whole page or within a class of elements."""
    if not within:
        return _ACCENT_CSS % {"accent": accent, "where": ":root"}
    return (_ACCENT_CSS + _BELOW_ROOT_CSS) % {"accent": accent, "where": f".{within}"}


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
        Invalid: as `drawn_logo`.
    """
    stored = files.keep(session, drawn_logo(content, name=name), now=now)
    _put(session, program_id, stored, actor=actor, now=now)


def drawn_logo(content: bytes, *, name: str) -> File:
    """The picture as it would be shown, drawn anew. Nothing is stored.

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
    return File(f"logo.{picture.extension}", picture.media_type, picture.content)


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
