"""Held against Pillow, which read the orientation before: where it finds one, so do we, whoever wrote the file."""

import io
import struct
import warnings
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageOps

from gmv.imaging.decode import ImageLimits, decode_image
from gmv.imaging.orientation import UPRIGHT, orientation_of
from tests.imaging.test_decode import picture, saved
from tests.imaging.test_metadata import PLAIN, TURNED, tiff, webp, with_chunk, with_exif, with_segment

LIMITS = ImageLimits(bytes_max=2**25, pixels_max=100_000)
SIX = tiff("<", [(0x0112, 3, 1, b"\6\0\0\0")])
XMP = b'<x tiff:Orientation="%d"/>'


def by_pillow(block: bytes) -> object:
    """What Pillow's own reader finds, which warns of blocks that it reads in part."""
    exif = Image.Exif()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        exif.load(block)
        return exif.get(0x0112, UPRIGHT)


def pixels_by_pillow(content: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(content)) as image:
        return np.asarray(ImageOps.exif_transpose(image).convert("RGB"))


@given(
    order=st.sampled_from("<>"),
    kind=st.integers(0, 17),
    count=st.integers(0, 3),
    value=st.binary(min_size=4, max_size=4) | st.integers(0, 9).map(lambda low: bytes([low, 0, 0, 0])),
    behind=st.binary(max_size=24) | st.integers(0, 9).map(lambda low: bytes([low, 0, 0, 0] * 6)),
    offset=st.none() | st.integers(20, 40),
)
def test_a_tag_of_any_kind_says_what_it_says_to_pillow(
    order: str, kind: int, count: int, value: bytes, behind: bytes, offset: int | None
) -> None:
    value = value if order == "<" else value[::-1]
    value = value if offset is None else struct.pack(f"{order}L", offset)
    block = tiff(order, [(0x0112, kind, count, value)]) + (behind if order == "<" else behind[::-1])
    found = by_pillow(block)

    if found in range(1, 9):  # else it has read none, or a number that is none
        assert orientation_of(block, None) == found
    elif isinstance(found, int):
        assert orientation_of(block, None) == UPRIGHT


@given(
    orientation=st.integers(1, 8),
    texts=st.dictionaries(st.sampled_from([0x010E, 0x010F, 0x0110, 0x0131, 0x0132]), st.text("abc é", max_size=40)),
    numbers=st.dictionaries(st.sampled_from([0x0100, 0x0128, 0x0213]), st.integers(0, 2**16 - 1)),
)
def test_a_sound_block_says_what_it_says_to_pillow(
    orientation: int, texts: dict[int, str], numbers: dict[int, int]
) -> None:
    exif = Image.Exif()
    for tag, value in {**texts, **numbers, 0x0112: orientation}.items():
        exif[tag] = value
    block = exif.tobytes()

    assert orientation_of(block, None) == by_pillow(block) == orientation


@given(
    block=st.binary(max_size=80) | st.binary(max_size=80).map(lambda more: b"II*\0\x08\0\0\0" + more), xmp=st.binary()
)
def test_any_bytes_have_an_orientation(block: bytes, xmp: bytes) -> None:
    assert orientation_of(block, xmp) in range(1, 9)


@pytest.mark.parametrize("head", [b"II*\0", b"II\0*", b"Exif\0\0II*\0", b"Exif\0\0Exif\0\0II*\0"])
def test_a_head_that_is_a_little_odd_is_read(head: bytes) -> None:
    assert orientation_of(head + SIX[4:], None) == by_pillow(head + SIX[4:]) == 6


def raw_profile(block: bytes) -> bytes:
    """EXIF as ImageMagick writes it into a text of a PNG."""
    digits = (b"Exif\0\0" + block).hex().encode()
    lines = b"\n".join(digits[place : place + 72] for place in range(0, len(digits), 72))
    return b"\nexif\n%8d\n%s\n" % (len(block) + 6, lines)


@pytest.mark.parametrize(
    "content",
    [
        with_chunk(b"tEXt", b"Raw profile type exif\0" + raw_profile(SIX)),
        with_chunk(b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(raw_profile(SIX))),
        with_chunk(b"iTXt", b"Raw profile type exif\0\0\0\0\0" + raw_profile(SIX)),
        with_chunk(b"tEXt", b"exif\0" + SIX),
        with_chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + XMP % 6),
        with_chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0en\0XMP\0" + zlib.compress(XMP % 6)),
        with_chunk(b"tEXt", b"XML:com.adobe.xmp\0" + XMP % 6),
        with_segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + XMP % 6),
        with_segment(0xE1, b"Exif\0\0" + SIX[:15], b"Exif\0\0" + SIX[15:]),
        with_segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + XMP % 3, b"http://ns.adobe.com/xap/1.0/\0" + XMP % 6),
        with_exif("JPEG", SIX).replace(b"\xff\xe1", b"\0\x01\xff\xff\xff\xe1", 1),
        with_exif("JPEG", SIX).replace(b"\xff\xe1", b"\xff\xe5\0\0\xff\xe1", 1),
        webp(saved(picture(), "WEBP", lossless=True), b"XMP ", XMP % 6),
    ],
)
def test_an_orientation_in_another_place_counts(content: bytes) -> None:
    kind = Image.open(io.BytesIO(content)).format or ""
    turned = TURNED[6](PLAIN[kind])

    assert (pixels_by_pillow(content) == turned).all()
    assert (decode_image(content, LIMITS) == turned).all()


@pytest.mark.parametrize(
    "content",
    [
        with_chunk(b"zTXt", b"Raw profile type exif\0\1" + raw_profile(SIX)),
        with_chunk(b"zTXt", b"Raw profile type exif\0\0" + raw_profile(SIX)),
        with_chunk(b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(bytes(2**23))),
        with_chunk(b"tEXt", b"Raw profile type exif\0\nexif\n 8\nno digits\n"),
        with_chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0" + zlib.compress(XMP % 6)),
        with_chunk(b"iTXt", b"XML:com.adobe.xmp"),
        with_chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(bytes(2**23) + XMP % 6)),
        with_segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + XMP % 9),
    ],
)
def test_a_damaged_one_does_not(content: bytes) -> None:
    kind = Image.open(io.BytesIO(with_chunk(b"tEXt", b"") if content[1:4] == b"PNG" else content)).format or ""

    assert (decode_image(content, LIMITS) == PLAIN[kind]).all()


def test_exif_is_asked_before_xmp_whatever_it_says() -> None:
    for value, expected in {1: 1, 0: 1, 9: 1, 3: 3}.items():
        block = tiff("<", [(0x0112, 3, 1, struct.pack("<Hxx", value))])
        assert orientation_of(block, XMP % 6) == expected


def test_a_chunk_of_a_webp_counts_where_its_header_announces_it_and_within_the_file() -> None:
    content = with_exif("WEBP", SIX)
    announced, unannounced = bytearray(content), bytearray(content)
    unannounced[20] &= ~0x08
    behind = saved(picture(), "WEBP", lossless=True, exif=b"") + content[-34:]

    for file in (bytes(announced), bytes(unannounced), behind):
        assert (decode_image(file, LIMITS) == pixels_by_pillow(file)).all()
