"""What is no PNG, JPEG or WEBP is named, by the same sentence wherever it is refused."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gmv.imaging.formats import FIRST_BYTES, image_format, refused_format
from tests.imaging.test_decode import FILES, picture, saved

SENTENCE = "image_refused: the image is not a PNG, JPEG or WEBP file"


def ftyp(major: bytes, *compatible: bytes) -> bytes:
    """How AVIF, HEIC and MP4 begin (ISO/IEC 14496-12, 4.3)."""
    body = b"ftyp" + major + bytes(4) + b"".join(compatible)
    return struct.pack(">L", 4 + len(body)) + body + bytes(100)


@pytest.mark.parametrize("name", FILES)
def test_a_format_that_is_read_is_told_by_few_bytes(name: str) -> None:
    expected = {"jpeg": "JPEG", "progressive": "JPEG", "cmyk": "JPEG", "webp": "WEBP", "lossless": "WEBP"}
    expected["animated"] = "WEBP"

    assert image_format(FILES[name][:FIRST_BYTES]) == image_format(FILES[name]) == expected.get(name, "PNG")


@pytest.mark.parametrize(
    ("file", "name"),
    [
        *((saved(picture(), name), name) for name in ("GIF", "BMP", "TIFF", "AVIF", "ICO", "DDS")),
        (saved(picture(), "JPEG2000"), "JPEG 2000"),
        (saved(picture(), "JPEG2000", no_jp2=True), "JPEG 2000"),
        (saved(picture(), "TIFF", big_tiff=True), "TIFF"),
        (saved(picture(), "PPM"), "PNM"),
        (saved(picture("L"), "PPM"), "PNM"),
        (saved(picture(), "PDF"), "PDF"),
        (saved(picture(), "EPS"), "PostScript"),
        (ftyp(b"avif", b"mif1", b"miaf"), "AVIF"),
        (ftyp(b"mif1", b"mif1", b"avif"), "AVIF"),
        (ftyp(b"heic", b"mif1"), "HEIC"),
        (ftyp(b"mif1", b"heic"), "HEIC"),
        (ftyp(b"mif1", b"mif2"), "HEIF"),
        (ftyp(b"isom", b"iso2", b"avc1"), "MP4"),
        (ftyp(b"qt  ", b"qt  "), "QuickTime"),
        (b"\xff\x0a\xfa\x7f", "JPEG XL"),
        (b"\0\0\0\x0cJXL \r\n\x87\n", "JPEG XL"),
        (b'<svg xmlns="http://www.w3.org/2000/svg"/>', "SVG"),
        (b'<?xml version="1.0" encoding="UTF-8"?>\n<svg>', "SVG"),
        (b"<?xml version='1.0'?><Error><Code>AccessDenied</Code>", "XML"),
        (b"<!DOCTYPE html><title>404</title>", "HTML"),
        (b"\n<html>", "HTML"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:", "a pointer of Git LFS"),
        (b"iVBORw0KGgoAAAANSUhEUg", "a PNG in base64"),
        (b"/9j/4AAQSkZJRg", "a JPEG in base64"),
    ],
)
def test_another_format_is_named(file: bytes, name: str) -> None:
    assert image_format(file) is None
    assert str(refused_format(file)) == str(refused_format(file[:FIRST_BYTES])) == f"{SENTENCE} but {name}"


@pytest.mark.parametrize(
    "file", [b"text", b"BM and more text", b"II", b"\0" * 80, b"P1", ftyp(b"none"), ftyp(b"xxxx")[:9]]
)
def test_what_is_nothing_known_is_given_no_name(file: bytes) -> None:
    assert str(refused_format(file)) == SENTENCE


def test_an_empty_file_is_said_to_be_empty() -> None:
    assert str(refused_format(b"")) == "image_refused: the image is empty"


@given(st.binary(max_size=80) | st.binary(max_size=80).map(lambda more: more[:4] + b"ftyp" + more[4:]))
def test_any_bytes_are_refused_by_the_sentence(file: bytes) -> None:
    assert str(refused_format(file)).startswith("image_refused: the image is ")
