"""What a file says beside its pixels never refuses it, and only its orientation changes them."""

import io
import struct
import time
import zlib
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from gmv.errors import Poison
from gmv.imaging.decode import ImageLimits, decode_image
from gmv.imaging.jpeg import JPEG_SCANS_MAX
from tests.imaging.test_decode import chunk, picture, saved

LIMITS = ImageLimits(bytes_max=2**25, pixels_max=100_000)
TURNED: dict[int, Callable[[NDArray[np.uint8]], NDArray[np.uint8]]] = {
    1: lambda pixels: pixels,
    2: lambda pixels: pixels[:, ::-1],
    3: lambda pixels: pixels[::-1, ::-1],
    4: lambda pixels: pixels[::-1],
    5: lambda pixels: pixels.transpose(1, 0, 2),
    6: lambda pixels: np.rot90(pixels, -1),
    7: lambda pixels: pixels[::-1, ::-1].transpose(1, 0, 2),
    8: lambda pixels: np.rot90(pixels, 1),
}
XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:Description tiff:Orientation="%d"/></x:xmpmeta>'


def with_exif(name: str, exif: bytes) -> bytes:
    """A file with an EXIF block of any content, as its format stores one."""
    if name == "WEBP":
        return webp(saved(picture(), "WEBP", lossless=True), b"EXIF", exif)
    if name == "PNG":
        return with_chunk(b"eXIf", exif)
    return with_segment(0xE1, b"Exif\0\0" + exif)


def with_chunk(name: bytes, body: bytes, crc: int | None = None) -> bytes:
    """A PNG with another chunk behind its header."""
    file = saved(picture(), "PNG")
    more = chunk(name, body) if crc is None else chunk(name, body)[:-4] + struct.pack(">L", crc)
    return file[:33] + more + file[33:]


def with_segment(marker: int, *bodies: bytes) -> bytes:
    """A JPEG with more segments behind its first."""
    file = saved(picture(), "JPEG")
    place = 4 + int.from_bytes(file[4:6], "big")
    more = (bytes([0xFF, marker]) + struct.pack(">H", len(body) + 2) + body for body in bodies)
    return file[:place] + b"".join(more) + file[place:]


def webp(file: bytes, name: bytes, body: bytes) -> bytes:
    """A WEBP in the extended form, with one more chunk."""
    extended = (
        b"VP8X"
        + struct.pack("<L", 10)
        + bytes([0x0C, 0, 0, 0])
        + (39).to_bytes(3, "little")
        + (23).to_bytes(3, "little")
    )
    more = name + struct.pack("<L", len(body)) + body + b"\0" * (len(body) % 2)
    content = b"WEBP" + extended + file[12:] + more
    return b"RIFF" + struct.pack("<L", len(content)) + content


PLAIN = {
    name: decode_image(saved(picture(), name, **{"lossless": True} if name == "WEBP" else {}), LIMITS)
    for name in ("PNG", "JPEG", "WEBP")
}


def tiff(order: str, entries: list[tuple[int, int, int, bytes]]) -> bytes:
    """A TIFF block of one directory; values of four bytes as they are."""
    mark = b"II" if order == "<" else b"MM"
    packed = b"".join(struct.pack(f"{order}HHL", *entry[:3]) + entry[3] for entry in entries)
    return mark + struct.pack(f"{order}HLH", 42, 8, len(entries)) + packed + bytes(4)


TAGS = st.integers(0, 0xFFFF).filter(lambda tag: tag != 0x0112)
ENTRIES = st.lists(
    st.tuples(TAGS, st.integers(0, 0xFFFF), st.integers(0, 2**32 - 1), st.binary(min_size=4, max_size=4)), max_size=6
)
KINDS = {3: "H2x", 4: "L"}


@settings(deadline=None)
@given(
    st.sampled_from(sorted(PLAIN)),
    st.sampled_from("<>"),
    st.integers(1, 8),
    st.sampled_from(sorted(KINDS)),
    ENTRIES,
    ENTRIES,
    st.binary(max_size=40),
)
def test_whatever_other_tags_there_are_the_orientation_alone_counts(
    name: str,
    order: str,
    orientation: int,
    kind: int,
    before: list[tuple[int, int, int, bytes]],
    after: list[tuple[int, int, int, bytes]],
    behind: bytes,
) -> None:
    value = struct.pack(order + KINDS[kind], orientation)
    exif = tiff(order, [*before, (0x0112, kind, 1, value), *after]) + behind

    assert (decode_image(with_exif(name, exif), LIMITS) == TURNED[orientation](PLAIN[name])).all()


@settings(deadline=None)
@given(
    st.sampled_from(sorted(PLAIN)), st.binary(max_size=64) | st.binary(max_size=64).map(lambda more: b"MM\0*" + more)
)
def test_no_exif_block_refuses_an_image(name: str, exif: bytes) -> None:
    """It is turned at most: what is damaged may still say how."""
    pixels = decode_image(with_exif(name, exif), LIMITS)

    assert any(np.array_equal(pixels, turned(PLAIN[name])) for turned in TURNED.values())


@pytest.mark.parametrize("name", sorted(PLAIN))
@pytest.mark.parametrize(
    "exif",
    [
        b"",
        b"{'prompt': 'a bird'}",
        b'{"prompt": 1}',
        tiff("<", [(0x0112, 3, 1, b"\6\0\0\0")])[:19],
        tiff("<", [(0x0112, 3, 1, b"\x09\0\0\0")]),
        tiff("<", [(0x0112, 3, 0, b"\6\0\0\0")]),
        tiff("<", [(0x0112, 3, 9, b"\xff\xff\0\0")]),
        tiff("<", [(0x0112, 5, 1, b"\x1a\0\0\0")]) + bytes(8),
        tiff("<", [(0x0112, 11, 1, b"\0\0\xc0\x7f")]),
        tiff("<", [(0x0112, 2, 1, b"6\0\0\0")]),
        b"II*\0\xff\xff\xff\xff",
        b"II*\0\x08\0\0\0\xff\xff",
    ],
)
def test_a_block_without_an_orientation_leaves_the_picture_as_it_is(name: str, exif: bytes) -> None:
    assert (decode_image(with_exif(name, exif), LIMITS) == PLAIN[name]).all()


@pytest.mark.parametrize("orientation", [1, 6])
def test_an_orientation_in_xmp_counts_where_exif_has_none(orientation: int) -> None:
    xmp = XMP % orientation
    for name, file in {
        "PNG": with_chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + xmp),
        "JPEG": with_segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + xmp),
        "WEBP": webp(saved(picture(), "WEBP", lossless=True), b"XMP ", xmp),
    }.items():
        assert (decode_image(file, LIMITS) == TURNED[orientation](PLAIN[name])).all()


TEXT = zlib.compress(bytes(30 * 2**20))  # far above what Pillow takes for a text


@pytest.mark.parametrize(
    "file",
    [
        with_chunk(b"zTXt", b"prompt\0\0" + TEXT),
        with_chunk(b"iTXt", b"prompt\0\1\0\0\0" + TEXT),
        with_chunk(b"tEXt", b"prompt\0" + b"x" * 2**21),
        with_chunk(b"iCCP", b"profile\0\0" + TEXT),
        with_chunk(b"iCCP", b"no profile"),
        with_chunk(b"tEXt", b"damaged", crc=0),
        with_chunk(b"gAMA", b""),
        with_chunk(b"pHYs", b"1"),
        with_chunk(b"acTL", b"1"),
    ],
)
def test_no_text_or_profile_of_a_png_refuses_it(file: bytes) -> None:
    assert (decode_image(file, LIMITS) == PLAIN["PNG"]).all()


@pytest.mark.parametrize("head", [b"Raw profile type exif\0\0", b"exif\0\0"])
def test_of_thousands_of_packed_texts_one_is_unpacked(head: bytes) -> None:
    """Each unpacks to a thousand times its size, 1 ms of work for 1 kB."""
    one = chunk(b"zTXt", head + zlib.compress(bytes(2**20)))
    file = saved(picture(), "PNG")
    begun = time.process_time()

    assert (decode_image(file[:33] + one * 5_000 + file[33:], LIMITS) == PLAIN["PNG"]).all()
    assert time.process_time() - begun < 1


@pytest.mark.parametrize("name", [b"tEXt", b"zTXt", b"iTXt", b"eXIf", b"abCd"])
@pytest.mark.parametrize("length", [9, 13, 40])
def test_a_png_that_is_cut_off_behind_its_pixels_is_whole(name: bytes, length: int) -> None:
    end = with_chunk(name, b"prompt\0" + bytes(60))[33 : 33 + length]

    assert (decode_image(saved(picture(), "PNG")[:-12] + end, LIMITS) == PLAIN["PNG"]).all()


BASES = {
    "sound": saved(picture(), "JPEG"),
    "many": with_segment(0xE2, b"ICC_PROFILE\0\1\1abc", b"MPF\0", b"\xff\xda", b""),
    "cmyk": saved(picture("CMYK"), "JPEG", comment=b"\xff\xd9"),
    "grey": saved(picture("L"), "JPEG", progressive=True),
}
INSERTED = st.binary(min_size=1, max_size=4) | st.sampled_from(
    [b"\xff\xff", b"\xff\xd9", b"\xff\xd8", b"\xff\xd3", b"\xff\xfe\0\4ab", b"\xff\xe1\0\2", b"\xff\xe7\0\0", b"\0\xff"]
)


@pytest.mark.filterwarnings("ignore:Image appears to be a malformed MPO file")
@pytest.mark.parametrize("name", BASES)
@given(data=st.data())
def test_an_odd_header_that_pillow_reads_is_read_to_the_same_pixels(name: str, data: st.DataObject) -> None:
    """Odd lengths, and bytes between segments, which decoders pass over."""
    content = BASES[name]
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(2, min(250, len(content))))
        removed = data.draw(st.integers(0, 3))
        content = content[:place] + data.draw(INSERTED | st.just(b"")) + content[place + removed :]

    try:
        with Image.open(io.BytesIO(content), formats=("JPEG",)) as image:
            if image.width * image.height > LIMITS.pixels_max:
                return
            expected = np.asarray(image.convert("RGB"))
    except Exception:  # noqa: BLE001 - it is damaged; that these are refused, or read, is said elsewhere
        return
    assert (decode_image(content, LIMITS) == expected).all()


@pytest.mark.parametrize("marker", [*range(0xE1, 0xF0), 0xFE])
@pytest.mark.parametrize(
    "body", [b"", b"ICC_PROFILE\0\1\1", b"MPF\0II*\0", b"Photoshop 3.0\0" + b"8BIM" * 9, b"\xff\xda" * 2_000]
)
def test_no_application_segment_of_a_jpeg_refuses_it(marker: int, body: bytes) -> None:
    assert (decode_image(with_segment(marker, body), LIMITS) == PLAIN["JPEG"]).all()


def test_fill_bytes_before_a_segment_hide_nothing() -> None:
    file = with_segment(0xE1, b"Exif\0\0" + tiff("<", [(0x0112, 3, 1, b"\6\0\0\0")]))

    assert (decode_image(file.replace(b"\xff\xe1", b"\xff\xff\xff\xe1", 1), LIMITS) == TURNED[6](PLAIN["JPEG"])).all()


@pytest.mark.parametrize(
    "behind", [b"\xff\xda" * 500, b"\0\0\0\x18ftypmp42" + b"\xff\xda\0\x02" * 500, saved(picture(), "JPEG") * 200]
)
def test_what_follows_a_jpeg_is_not_counted_among_its_scans(behind: bytes) -> None:
    assert (decode_image(saved(picture(), "JPEG") + behind, LIMITS) == PLAIN["JPEG"]).all()


@pytest.mark.parametrize(
    "between", [b"", b"\xff\xfe\0\x04\xff\xd9", b"\xff\xfe\0\0", b"\xff\xff", b"\xff\x01", b"\0\xff\xd7"]
)
def test_scans_within_a_jpeg_are_counted(between: bytes) -> None:
    """Also behind a comment that looks like the end, and behind bytes that fill or stand alone."""
    file = saved(picture(), "JPEG", progressive=True)
    scan = file.rindex(b"\xff\xda")
    one = between + file[scan : file.rindex(b"\xff\xd9")]
    content = file[:scan] + one * (JPEG_SCANS_MAX + 1) + b"\xff\xd9"

    with pytest.raises(Poison, match="more than 100 scans"):
        decode_image(content, LIMITS)


def test_the_first_picture_of_several_in_a_jpeg_counts() -> None:
    several = io.BytesIO()
    picture().save(several, "MPO", save_all=True, append_images=[Image.new("RGB", (40, 24), "red")])

    assert (decode_image(several.getvalue(), LIMITS) == PLAIN["JPEG"]).all()
