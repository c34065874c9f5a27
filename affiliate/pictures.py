"""Pictures that people upload are drawn anew: what comes out holds pixels, and nothing else that was in the file. Pure.

Metadata (places, names, thumbnails), profiles, comments, and whatever was hidden behind the picture's end are gone. SVG is
refused: it is a document that can run scripts. Pillow is loaded when a picture comes: whoever only names the kinds needs none of it.
"""

import io
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL import Image

N_ = str  # marks a sentence for the translators

BYTES_MAX = 3_000_000
SIDE_MAX = 4_000
PIXELS_MAX = 12_000_000
FRAMES_MAX = 60
_MOVING_PIXELS_MAX = 24_000_000  # of all frames together
_JPEG_QUALITY = 90

_KINDS = {
    "PNG": ("image/png", "png", {".png"}),
    "JPEG": ("image/jpeg", "jpg", {".jpg", ".jpeg"}),
    "GIF": ("image/gif", "gif", {".gif"}),
    "WEBP": ("image/webp", "webp", {".webp"}),
}
_BROKEN = (OSError, ValueError, SyntaxError, EOFError, IndexError, struct.error)


class BadPicture(ValueError):  # noqa: N818 - read as a kind
    """The file is not a picture that we take; the message is an English source for gettext."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture drawn anew, with its measures in pixels."""

    content: bytes
    media_type: str
    extension: str
    width: int
    height: int


def redrawn(content: bytes, *, name: str) -> Picture:
    """The picture in the file, drawn anew in its own format. `name` is what the sender calls it.

    Raises:
        BadPicture: too large, no picture, broken, or of another type than its name says.
    """
    from PIL import Image, UnidentifiedImageError

    if len(content) > BYTES_MAX:
        raise BadPicture(N_("The picture is larger than 3 MB."))
    try:
        with Image.open(io.BytesIO(content), formats=list(_KINDS)) as image:
            return _redrawn(image, PurePath(name).suffix.lower())
    except UnidentifiedImageError as error:
        raise BadPicture(N_("This is no PNG, JPEG, GIF or WebP picture.")) from error
    except BadPicture:
        raise
    except (*_BROKEN, Image.DecompressionBombError) as error:
        raise BadPicture(N_("The picture is broken.")) from error


def _redrawn(image: "Image.Image", suffix: str) -> Picture:
    from PIL import ImageOps

    kind = str(image.format)
    media_type, extension, suffixes = _KINDS[kind]
    if suffix not in suffixes:
        raise BadPicture(N_("The name of the file says another type than the picture has. Save it again, then upload."))
    if max(image.size) > SIDE_MAX or image.width * image.height > PIXELS_MAX:
        raise BadPicture(N_("The picture has too many pixels: 4,000 on a side and 12 million in all are the limit."))
    if kind == "GIF" and getattr(image, "is_animated", False):
        return _moving(image)
    still = _clean(ImageOps.exif_transpose(image))
    drawn = io.BytesIO()
    if kind == "JPEG":
        still.convert("RGB").save(drawn, "JPEG", quality=_JPEG_QUALITY, optimize=True)
    elif kind == "GIF":
        still.save(drawn, "GIF")
    else:
        still.save(drawn, kind, optimize=True, quality=_JPEG_QUALITY)
    return Picture(drawn.getvalue(), media_type, extension, still.width, still.height)


def _moving(image: "Image.Image") -> Picture:
    frames, durations = [], []
    for frame, milliseconds in _frames(image):
        frames.append(frame)
        durations.append(milliseconds)
    drawn = io.BytesIO()
    first, *rest = frames
    first.save(drawn, "GIF", save_all=True, append_images=rest, duration=durations, loop=0, disposal=2)
    media_type, extension, _suffixes = _KINDS["GIF"]
    return Picture(drawn.getvalue(), media_type, extension, first.width, first.height)


def _frames(image: "Image.Image") -> "Iterator[tuple[Image.Image, int]]":
    from PIL import ImageSequence

    for number, frame in enumerate(ImageSequence.Iterator(image), start=1):
        if number > FRAMES_MAX or number * frame.width * frame.height > _MOVING_PIXELS_MAX:
            raise BadPicture(N_("The picture moves for too long: 60 frames are the limit, fewer when it is large."))
        yield _clean(frame), int(frame.info.get("duration", 100))


def _clean(image: "Image.Image") -> "Image.Image":
    """The pixels alone, in a new picture."""
    from PIL import Image

    mode = "RGBA" if image.has_transparency_data else "RGB"
    pixels = image.convert(mode)
    return Image.frombytes(mode, pixels.size, pixels.tobytes())
