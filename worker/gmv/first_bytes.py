"""What a file is by its first bytes, where it should be JSON lines and is none: said before any work is done."""

import re
from typing import Final

START_BYTES: Final = 2**12
"""As many are looked at."""

_FORMATS: Final = (
    (b"\x1f\x8b", "is compressed by gzip; unpack it first, with gunzip"),
    (b"\x28\xb5\x2f\xfd", "is compressed by zstd; unpack it first, with unzstd"),
    (b"\xfd7zXZ\0", "is compressed by xz; unpack it first, with unxz"),
    (b"BZh", "is compressed by bzip2; unpack it first, with bunzip2"),
    (b"\x04\x22\x4d\x18", "is compressed by lz4; unpack it first, with unlz4"),
    (b"\xff\x06\0\0sNaPpY", "is compressed by Snappy; unpack it first"),
    (b"PK\x03\x04", "is a zip archive; unpack it first, with unzip"),
    (b"7z\xbc\xaf\x27\x1c", "is a 7z archive; unpack it first"),
    (b"PAR1", "is Parquet; write its rows as JSON, one per line"),
    (b"PARE", "is Parquet; write its rows as JSON, one per line"),
    (b"ARROW1", "is an Arrow file; write its rows as JSON, one per line"),
    (b"Obj\x01", "is Avro; write its records as JSON, one per line"),
    (b"ORC", "is ORC; write its rows as JSON, one per line"),
    (b"SQLite format 3\0", "is an SQLite database; write its rows as JSON, one per line"),
)
_SKIPPABLE_ZSTD: Final = re.compile(rb"[\x50-\x5f]\x2a\x4d\x18")  # a frame of the writer's own, before the data
_ENCODINGS: Final = (
    # In this order, since a mark of UTF-32 begins with one of UTF-16. JSON begins with two ASCII characters, or with
    # one and a line break: which of four bytes are 0 tells the encoding where no mark does (RFC 4627, section 3).
    (re.compile(rb"\xff\xfe\0\0|\0\0\xfe\xff"), "UTF-32"),
    (re.compile(rb"\xff\xfe|\xfe\xff"), "UTF-16"),
    (re.compile(rb"[^\0]\0\0\0"), "UTF-32LE"),
    (re.compile(rb"\0\0\0[^\0]"), "UTF-32BE"),
    (re.compile(rb"[^\0]\0[^\0]\0"), "UTF-16LE"),
    (re.compile(rb"\0[^\0]\0[^\0]"), "UTF-16BE"),
)
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
_ARRAY: Final = re.compile(rb"\[\s*(?:\{|$)")


def complaint_about(start: bytes, each: str) -> str | None:
    """Say what a file is that should be JSON lines, and what to do, to follow its name; None where it may be some.

    Args:
        start: the first `START_BYTES` of the file, or all of it.
        each: what a line of it should hold, such as "event".
    """
    for magic, says in _FORMATS:
        if start.startswith(magic):
            return says
    if _SKIPPABLE_ZSTD.match(start):
        return "is compressed by zstd; unpack it first, with unzstd"
    for pattern, encoding in _ENCODINGS:
        if pattern.match(start):
            return f"is {encoding} text; write it as UTF-8 first: iconv -f {encoding} -t UTF-8"
    if start.startswith(b"\0"):
        return "begins with zeros, as a file does whose content was lost; it is no JSON lines"
    return _complaint_about_lines(start, each)


def _complaint_about_lines(start: bytes, each: str) -> str | None:
    """Tell JSON that is laid out for people, or one array of all, from a first line that is broken."""
    lines = start.removeprefix(_BYTE_ORDER_MARK).lstrip().split(b"\n")
    first, following = lines[0].rstrip(), next((line.strip() for line in lines[1:] if line.strip()), b"")
    if _ARRAY.match(first):
        return f"is a JSON array; write one {each} per line, without the array: jq -c '.[]'"
    goes_on = first == b"{" or (first.startswith(b"{") and first.endswith((b",", b":", b"{", b"[")))
    if goes_on and following.startswith((b'"', b"}")):  # after a line that was cut off, an event would begin
        return f"has JSON objects over several lines; write one {each} per line: jq -c ."
    return None
