import base64
import io
from collections.abc import Iterator

import pytest
from PIL import Image

from gmv.corpus.port import Catalogue, ImageFile
from gmv.pages.thumbnails import SIDE_PIXELS_MAX, thumbnail, training_thumbnails
from tests.demo.world import image_file


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
    shown = thumbnail(file)
    assert shown.uri.startswith(f"data:image/{media_type};base64,")
    assert content_of(shown.uri) == file
    assert shown.is_small


def test_a_large_picture_is_shrunk() -> None:
    shown = thumbnail(image_file(9, side=900, kind="JPEG"))
    assert max(Image.open(io.BytesIO(content_of(shown.uri))).size) == SIDE_PIXELS_MAX
    assert not shown.is_small


def test_other_formats_are_refused() -> None:
    with pytest.raises(OSError, match="cannot identify"):
        thumbnail(image_file(9, kind="GIF"))


def test_only_the_images_asked_for_are_read() -> None:
    assert set(training_thumbnails(ThreeImages(), {"a", "c", "not there"})) == {"a", "c"}
