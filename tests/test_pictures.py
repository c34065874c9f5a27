"""Uploaded pictures: what comes out holds pixels alone; lies, bombs and documents are refused."""

import io

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from affiliate import pictures
from affiliate.pictures import BadPicture, redrawn


def picture(kind: str, size: tuple[int, int] = (300, 250), mode: str = "RGB", **options: object) -> bytes:
    drawn = io.BytesIO()
    Image.new(mode, size, 1).save(drawn, kind, **options)
    return drawn.getvalue()


@pytest.mark.parametrize(
    ("kind", "name", "media_type"),
    [
        ("PNG", "a.png", "image/png"),
        ("JPEG", "A.JPG", "image/jpeg"),
        ("GIF", "a.gif", "image/gif"),
        ("WEBP", "a.webp", "image/webp"),
    ],
)
def test_a_picture_is_drawn_anew_in_its_own_format(kind: str, name: str, media_type: str) -> None:
    found = redrawn(picture(kind), name=name)
    assert (found.media_type, found.width, found.height) == (media_type, 300, 250)
    assert Image.open(io.BytesIO(found.content)).format == kind


def test_nothing_but_pixels_comes_through() -> None:
    told = PngInfo()
    told.add_text("Comment", "secret-place")
    exif = Image.Exif()
    exif[0x010E] = "secret-place"
    for content, name in [
        (picture("PNG", pnginfo=told, icc_profile=b"secret-place") + b"secret-place<script>", "a.png"),
        (picture("JPEG", exif=exif, comment=b"secret-place"), "a.jpg"),
        (picture("WEBP", exif=exif), "a.webp"),
    ]:
        assert b"secret-place" in content
        assert b"secret-place" not in redrawn(content, name=name).content


def test_a_moving_picture_keeps_its_frames_and_their_time() -> None:
    frames = [Image.new("RGB", (20, 10), colour) for colour in ("red", "green", "blue")]
    drawn = io.BytesIO()
    frames[0].save(drawn, "GIF", save_all=True, append_images=frames[1:], duration=[100, 200, 300], loop=0)
    found = Image.open(io.BytesIO(redrawn(drawn.getvalue(), name="a.gif").content))
    assert found.n_frames == 3
    found.seek(1)
    assert found.info["duration"] == 200


def test_a_turned_photograph_stands_upright_without_its_note() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    found = redrawn(picture("JPEG", (40, 20), exif=exif), name="a.jpg")
    assert (found.width, found.height) == (20, 40)


@pytest.mark.parametrize(
    ("content", "name", "told"),
    [
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script>1</script></svg>", "a.svg", "no PNG"),
        (b"<html>", "a.png", "no PNG"),
        (b"", "a.png", "no PNG"),
        (picture("PNG"), "a.jpg", "another type"),
        (picture("PNG"), "a", "another type"),
        (picture("PNG", (4001, 10)), "a.png", "too many pixels"),
        (picture("PNG", (3900, 3900), mode="1"), "a.png", "too many pixels"),
        (picture("JPEG")[:400], "a.jpg", "broken"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 40, "a.png", "no PNG"),
        (b"x" * (pictures.BYTES_MAX + 1), "a.png", "larger than 3 MB"),
    ],
)
def test_what_is_no_picture_or_lies_is_refused(content: bytes, name: str, told: str) -> None:
    with pytest.raises(BadPicture, match=told):
        redrawn(content, name=name)


def test_a_bomb_is_refused_before_it_is_unpacked() -> None:
    bomb = bytearray(picture("PNG", (10, 10)))
    bomb[16:24] = (30_000).to_bytes(4) + (30_000).to_bytes(4)  # the header claims 900 million pixels
    with pytest.raises(BadPicture):
        redrawn(bytes(bomb), name="a.png")


def test_too_many_frames_are_refused() -> None:
    frames = [Image.new("RGB", (4, 4), (number, 0, 0)) for number in range(pictures.FRAMES_MAX + 1)]
    drawn = io.BytesIO()
    frames[0].save(drawn, "GIF", save_all=True, append_images=frames[1:], duration=20)
    with pytest.raises(BadPicture, match="moves for too long"):
        redrawn(drawn.getvalue(), name="a.gif")
