import io
import struct
import zlib
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from pydantic import ValidationError

from gmv.errors import Poison, Reason
from gmv.imaging.decode import PIXELS_OPENED_MAX, ImageLimits, decode_image
from gmv.imaging.jpeg import JPEG_SCANS_MAX
from gmv.settings import ImageSettings

LIMITS = ImageLimits(bytes_max=2**20, pixels_max=100_000)
WHITE = (255, 255, 255)


def picture(mode: str = "RGB", size: tuple[int, int] = (40, 24)) -> Image.Image:
    """Seeded noise over a slope, so that no codec finds it trivial."""
    generator = np.random.default_rng(7)
    slope = np.linspace(0, 200, size[0] * size[1] * 3).reshape(size[1], size[0], 3)
    return Image.fromarray((slope + generator.integers(0, 55, slope.shape)).astype(np.uint8)).convert(mode)


def saved(image: Image.Image, name: str, **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, name, **options)
    return out.getvalue()


FILES = {
    "png": saved(picture(), "PNG"),
    "palette": saved(picture("P"), "PNG", transparency=3),
    "rgba": saved(picture("RGBA"), "PNG"),
    "jpeg": saved(picture(), "JPEG"),
    "progressive": saved(picture(), "JPEG", progressive=True),
    "cmyk": saved(picture("CMYK"), "JPEG"),
    "webp": saved(picture(), "WEBP"),
    "lossless": saved(picture("RGBA"), "WEBP", lossless=True),
    "animated": saved(picture(), "WEBP", save_all=True, append_images=[picture("L").convert("RGB")]),
}


def refusal(content: bytes, limits: ImageLimits = LIMITS) -> Poison:
    with pytest.raises(Poison) as caught:
        decode_image(content, limits)
    return caught.value


def decoded_or_poison(content: bytes) -> np.ndarray | Poison:
    try:
        return decode_image(content, LIMITS)
    except Poison as poison:
        return poison


@pytest.mark.parametrize(("name", "options"), [("PNG", {}), ("WEBP", {"lossless": True})])
def test_a_lossless_file_gives_back_its_pixels(name: str, options: dict[str, bool]) -> None:
    pixels = decode_image(saved(picture(), name, **options), LIMITS)

    assert (pixels == np.asarray(picture())).all()
    assert (pixels.dtype, pixels.shape, pixels.flags.c_contiguous, pixels.flags.writeable) == (
        np.dtype(np.uint8),
        (24, 40, 3),
        True,
        True,
    )


@pytest.mark.parametrize("size", [(1, 1), (1, 20_000), (20_000, 1)])
@pytest.mark.parametrize(("name", "options"), [("PNG", {}), ("JPEG", {"quality": 100})])
def test_an_image_of_any_shape_is_read(size: tuple[int, int], name: str, options: dict[str, int]) -> None:
    pixels = decode_image(saved(Image.new("RGB", size, (200, 200, 200)), name, **options), LIMITS)

    assert pixels.shape == (size[1], size[0], 3)
    assert (pixels == 200).all()


@pytest.mark.parametrize("name", FILES)
def test_every_kind_of_file_becomes_rgb(name: str) -> None:
    assert decode_image(FILES[name], LIMITS).shape == (24, 40, 3)


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        (Image.new("L", (2, 2), 77), (77, 77, 77)),
        (Image.new("1", (2, 2), 1), WHITE),
        (Image.new("LA", (2, 2), (10, 0)), WHITE),
        (Image.new("RGBA", (2, 2), (10, 20, 30, 0)), WHITE),
        (Image.new("RGBA", (2, 2), (0, 0, 0, 51)), (204, 204, 204)),
        (
            Image.new(
                "P",
                (2, 2),
                0,
            ),
            (0, 0, 0),
        ),
        (Image.fromarray(np.full((2, 2), 0x80FF, np.uint16)), (128, 128, 128)),
    ],
    ids=["grey", "bit", "clear grey", "clear colour", "four fifths clear", "palette", "16-bit grey"],
)
def test_what_is_not_rgb_has_one_defined_colour(image: Image.Image, expected: tuple[int, int, int]) -> None:
    assert (decode_image(saved(image, "PNG"), LIMITS) == expected).all()


def test_cmyk_is_converted() -> None:
    pixels = decode_image(saved(Image.new("CMYK", (16, 16), (0, 255, 255, 0)), "JPEG"), LIMITS)

    assert np.abs(pixels.astype(int) - (255, 0, 0)).max() <= 3


def test_16_bit_colour_keeps_its_upper_bits() -> None:
    row = b"\0" + struct.pack(">3H", 0x12FF, 0x3400, 0x56AB) * 2
    header = struct.pack(">IIBBBBB", 2, 1, 16, 2, 0, 0, 0)

    assert (decode_image(png(header, zlib.compress(row)), LIMITS) == (0x12, 0x34, 0x56)).all()


@pytest.mark.parametrize("name", ["PNG", "WEBP"])
def test_an_animation_counts_as_its_first_frame(name: str) -> None:
    red, blue = Image.new("RGB", (8, 8), "red"), Image.new("RGB", (8, 8), "blue")

    content = saved(red, name, save_all=True, append_images=[blue], lossless=True, default_image=False)

    assert (decode_image(content, LIMITS) == (255, 0, 0)).all()


@pytest.mark.parametrize(
    ("orientation", "turned"),
    [
        (1, lambda pixels: pixels),
        (2, lambda pixels: pixels[:, ::-1]),
        (3, lambda pixels: pixels[::-1, ::-1]),
        (6, lambda pixels: np.rot90(pixels, -1)),
        (8, lambda pixels: np.rot90(pixels, 1)),
    ],
)
def test_exif_orientation_is_applied(orientation: int, turned: Callable[[np.ndarray], np.ndarray]) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation

    assert (decode_image(saved(picture(), "PNG", exif=exif), LIMITS) == turned(np.asarray(picture()))).all()


@pytest.mark.parametrize("name", ["GIF", "BMP", "TIFF", "PPM", "ICO"])
def test_other_formats_are_refused(name: str) -> None:
    poison = refusal(saved(picture(), name))

    assert poison.reason == Reason.IMAGE_REFUSED
    assert "PNG, JPEG or WEBP" in poison.detail


@pytest.mark.parametrize("content", [b"", b"%!PS-Adobe-3.0 EPSF-3.0", b"<svg/>", b"\0" * 64])
def test_what_is_no_image_is_refused(content: bytes) -> None:
    assert refusal(content).reason == Reason.IMAGE_REFUSED


def test_a_file_above_the_limit_of_bytes_is_refused() -> None:
    poison = refusal(FILES["png"], ImageLimits(len(FILES["png"]) - 1, 10**6))

    assert poison.reason == Reason.IMAGE_REFUSED
    assert f"{len(FILES['png']):,} bytes" in poison.detail


@pytest.mark.parametrize("name", FILES)
def test_the_limit_of_pixels_is_sharp(name: str) -> None:
    assert decode_image(FILES[name], ImageLimits(2**20, 24 * 40)).size == 24 * 40 * 3
    poison = refusal(FILES[name], ImageLimits(2**20, 24 * 40 - 1))
    assert poison.reason == Reason.IMAGE_REFUSED
    assert "40 x 24 = 960 pixels" in poison.detail


@pytest.mark.parametrize(("side", "size"), [(5_000, "25,000,000 pixels"), (30_000, "more than 178,956,970 pixels")])
def test_a_bomb_is_refused_by_its_header_and_the_limit_is_named(side: int, size: str) -> None:
    """Of 25 and of 900 million pixels, without a byte of pixels in the file."""
    poison = refusal(png(struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0), b""))

    assert poison.reason == Reason.IMAGE_REFUSED
    assert poison.detail.endswith(f"{size}, 100,000 are allowed")


def test_no_limit_can_be_set_that_pillow_does_not_keep() -> None:
    ImageSettings(pixels_max=PIXELS_OPENED_MAX)
    with pytest.raises(ValidationError, match="less than or equal to 178956970"):
        ImageSettings(pixels_max=PIXELS_OPENED_MAX + 1)


def test_a_jpeg_of_endless_scans_is_refused() -> None:
    start = FILES["progressive"].index(b"\xff\xda")
    end = FILES["progressive"].index(b"\xff\xc4", start)
    content = FILES["progressive"][:end] + FILES["progressive"][start:end] * JPEG_SCANS_MAX + b"\xff\xd9"

    poison = refusal(content)

    assert poison.reason == Reason.IMAGE_REFUSED
    assert "scans" in poison.detail


@pytest.mark.parametrize("name", FILES)
@given(data=st.data())
def test_a_file_cut_off_is_refused_or_has_lost_no_pixel(name: str, data: st.DataObject) -> None:
    content = FILES[name]
    length = data.draw(st.integers(12, len(content) - 1))

    outcome = decoded_or_poison(content[:length])

    if isinstance(outcome, Poison):
        assert outcome.reason == Reason.IMAGE_CORRUPT
    else:
        assert (outcome == decode_image(content, LIMITS)).all()


@pytest.mark.parametrize("name", FILES)
@given(data=st.data())
def test_altered_bytes_give_an_image_or_poison_and_nothing_else(name: str, data: st.DataObject) -> None:
    content = bytearray(FILES[name])
    changes = st.tuples(st.integers(0, len(content) - 1), st.integers(0, 255))
    for place, value in data.draw(st.lists(changes, min_size=1, max_size=8)):
        content[place] = value

    outcome = decoded_or_poison(bytes(content))

    if isinstance(outcome, Poison):
        assert outcome.reason in {Reason.IMAGE_CORRUPT, Reason.IMAGE_REFUSED}
        assert len(outcome.detail) < 300
        assert "0x" not in outcome.detail  # an address would make the same file's dead letters differ
    else:
        assert outcome.dtype == np.uint8
        assert outcome.shape[2] == 3
        assert outcome.size <= LIMITS.pixels_max * 3


def test_the_same_damage_has_the_same_words() -> None:
    content = FILES["jpeg"][:-200]

    assert str(refusal(content)) == str(refusal(content))


def png(header: bytes, compressed: bytes) -> bytes:
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", compressed) + chunk(b"IEND", b"")


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
