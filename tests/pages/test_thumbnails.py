import base64
import io
from collections.abc import Iterator
from typing import Any

import pytest
from PIL import Image, PngImagePlugin

from gmv.corpus.port import Catalogue, ImageFile
from gmv.errors import Poison
from gmv.pages.thumbnails import SIDE_PIXELS_MAX, thumbnail, training_thumbnails
from tests.demo.world import LIMITS, image_file


class ThreeImages:
    name = "three"

    def catalogue(self) -> Catalogue:
        raise AssertionError("thumbnails are of images, whoever owns them")

    def fingerprint(self) -> str:
        return "always the same"

    def images(self) -> Iterator[ImageFile]:
        yield from (ImageFile(name, image_file(shade)) for shade, name in enumerate("abc"))


def content_of(uri: str) -> bytes:
    return base64.b64decode(uri.partition(",")[2])


@pytest.mark.parametrize(("kind", "media_type"), [("PNG", "png"), ("JPEG", "jpeg"), ("WEBP", "webp")])
def test_a_small_file_is_kept_byte_for_byte(kind: str, media_type: str) -> None:
    file = image_file(9, side=32, kind=kind)
    shown = thumbnail(file, LIMITS)
    assert shown.uri.startswith(f"data:image/{media_type};base64,")
    assert content_of(shown.uri) == file
    assert shown.is_small


def test_a_large_picture_is_shrunk() -> None:
    shown = thumbnail(image_file(9, side=900, kind="JPEG"), LIMITS)
    assert max(Image.open(io.BytesIO(content_of(shown.uri))).size) == SIDE_PIXELS_MAX
    assert not shown.is_small


def test_other_formats_are_refused() -> None:
    with pytest.raises(Poison, match="GIF"):
        thumbnail(image_file(9, kind="GIF"), LIMITS)


def test_only_the_images_asked_for_are_read() -> None:
    assert set(training_thumbnails(ThreeImages(), {"a", "c", "not there"}, LIMITS)) == {"a", "c"}


def saved(image: Image.Image, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, **options)
    return file.getvalue()


def test_what_a_file_says_beside_its_pixels_stays_out_of_a_page() -> None:
    image = Image.new("RGB", (8, 8), "teal")
    exif = Image.Exif()
    exif[0x010E] = "at home, 52.5 north"
    file = saved(image, format="JPEG", exif=exif)
    assert b"52.5 north" in file
    assert b"52.5 north" not in content_of(thumbnail(file, LIMITS).uri)


def test_an_image_that_an_index_takes_has_a_picture() -> None:
    """Text that unpacks to 2 MB, which Pillow refuses when it sees it."""
    text = PngImagePlugin.PngInfo()
    text.add_text("comment", "x" * 2_000_000, zip=True)
    file = saved(Image.new("RGB", (8, 8), "teal"), format="PNG", pnginfo=text)
    assert Image.open(io.BytesIO(content_of(thumbnail(file, LIMITS).uri))).size == (8, 8)


def test_a_picture_is_shown_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    file = saved(Image.new("RGB", (8, 4), "teal"), format="JPEG", exif=exif)
    assert Image.open(io.BytesIO(content_of(thumbnail(file, LIMITS).uri))).size == (4, 8)
