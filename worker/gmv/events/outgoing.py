"""Events out of files: images, folders and Parquet columns of them, and JSON lines of events that are there already."""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from stat import S_ISDIR, S_ISREG
from typing import Final, NamedTuple

from gmv.errors import EventsRefused, Poison
from gmv.events.cloudevents import STRUCTURED_CONTENT, decode
from gmv.events.encoding import KafkaMessage, binary, binary_of_structured, event_of_image, structured_message
from gmv.events.headers import CONTENT_TYPE
from gmv.events.image_folder import IMAGE_SUFFIXES, OTHER_JPEG_SUFFIXES, ImageFolder, first_bytes, look_through
from gmv.first_bytes import START_BYTES, complaint_about
from gmv.imaging.formats import image_format, refused_format
from gmv.printable import encodable

LINES_SUFFIXES: Final = frozenset({".jsonl", ".ndjson"})
PARQUET_SUFFIX: Final = ".parquet"
LINE_BYTES_MAX: Final = 64 * 2**20

_NAME_CHARACTERS_MAX = 200


class Outgoing(NamedTuple):
    """A record to be sent, and the file and place it was made from."""

    name: str
    message: KafkaMessage


@dataclass(frozen=True, slots=True)
class Telling:
    """What is said of every image.

    Attributes:
        source: CloudEvents source.
        quality: in [0, 1].
        model: the generator's name.
        is_structured: whether records are in structured mode; binary otherwise. This one holds for JSON lines, too.
    """

    source: str
    quality: float = 1.0
    model: str | None = None
    is_structured: bool = False


def check_path(path: Path, is_raw: bool = False) -> ImageFolder | None:
    """See that a path is there and of a kind that `outgoing`, or `raw_lines`, sends.

    Of JSON lines, and of files with another ending than those of images and Parquet, the first bytes are read.

    Returns:
        A folder, looked through; None for a file.

    Raises:
        EventsRefused: it is not.
    """
    try:
        mode = path.stat().st_mode
    except OSError as error:
        raise EventsRefused(f"{path}: {error.strerror}; give image files, folders, .parquet or .jsonl files") from error
    is_folder = S_ISDIR(mode)
    if is_raw:
        if is_folder:
            raise EventsRefused(f"{path} is a folder; --raw sends files, line by line")
    elif is_folder:
        return look_through(path)
    elif path.suffix.lower() not in IMAGE_SUFFIXES | LINES_SUFFIXES | {PARQUET_SUFFIX}:
        _check_other_ending(path, S_ISREG(mode))
    elif path.suffix.lower() in LINES_SUFFIXES and S_ISREG(mode):  # what is read from a pipe is gone
        _refuse_other_formats(path)
    return None


def _check_other_ending(path: Path, is_regular: bool) -> None:
    """Refuse what has no ending of ours, by what it holds, but for a rarer ending of JPEG that names an image."""
    sends = f"gmv sends images ({', '.join(sorted(IMAGE_SUFFIXES))}), folders, .parquet and .jsonl files"
    if not is_regular:  # what is read from a pipe is gone
        raise EventsRefused(f"{path}: {sends}")
    try:
        start = first_bytes(path)
    except OSError as error:
        raise EventsRefused(f"{path}: {error.strerror}; give files that can be read") from error
    if (found := image_format(start)) is None:
        raise EventsRefused(f"{path}: {refused_format(start)}; {sends}")
    if path.suffix.lower() not in OTHER_JPEG_SUFFIXES:
        raise EventsRefused(f"{path}: {sends}; this is a {found}, so give it such an ending")


def outgoing(path: Path, telling: Telling, folder: ImageFolder | None = None) -> Iterator[Outgoing]:
    """Yield the events of a file or a folder, in order of name; images are sent as they are, decoded by nobody.

    Args:
        path: an image file, a folder of them (with its folders), Parquet with an image column as Hugging Face
            datasets writes it, or JSON lines of structured events.
        telling: what is said of images.
        folder: what `check_path` returned, so that what is sent and what was passed over are of one look.

    Raises:
        EventsRefused: there is no event in it, or a line is none.
    """
    folder = folder or check_path(path)
    if folder is None and path.suffix.lower() in LINES_SUFFIXES:
        yield from _lines_as_events(path, telling.is_structured)
        return
    write = structured_message if telling.is_structured else binary
    for name, content in images_of(path, folder):
        metadata = {"name": encodable(name)}
        event = event_of_image(
            content, telling.source, event_id_of(name, content), telling.quality, telling.model, metadata
        )
        yield Outgoing(name, write(event))


def raw_lines(path: Path) -> Iterator[Outgoing]:
    """Yield each line that is not blank as a record's value, of any content, without key or headers.

    Raises:
        EventsRefused: the file cannot be read.
    """
    for name, line in _lines(path):
        yield Outgoing(name, KafkaMessage(None, line, []))


def event_id_of(name: str, content: bytes) -> str:
    """Return the id of an image's event: its name, made plain, and 32 hex digits over name and content.

    The same file under the same name is the same event, so it is credited once however often it is sent.
    """
    named = name.encode(errors="surrogateescape")
    digest = hashlib.blake2b(len(named).to_bytes(8, "big") + named + content, digest_size=16).hexdigest()
    return f"{re.sub(r'[^A-Za-z0-9._/#-]', '_', name)[-_NAME_CHARACTERS_MAX:]}:{digest}"


def _refuse_other_formats(path: Path) -> None:
    try:
        with path.open("rb") as file:
            complaint = complaint_about(file.peek(START_BYTES)[:START_BYTES], "event")
    except OSError as error:
        raise EventsRefused(f"{path}: {error.strerror}; give a JSON-lines file") from error
    if complaint:
        raise EventsRefused(f"{path} {complaint}; or send its lines unread with --raw")


def images_of(path: Path, folder: ImageFolder | None) -> Iterator[tuple[str, bytes]]:
    """Yield (name, image file) of an image file, of Parquet, or of a folder that was looked through.

    Raises:
        EventsRefused: there is no image in it, or it cannot be read.
    """
    yield from _images_of_folder(folder) if folder else _images_of_file(path)


def _images_of_folder(folder: ImageFolder) -> Iterator[tuple[str, bytes]]:
    yield from ((file.relative_to(folder.path).as_posix(), _content(file)) for file in folder.images)


def _images_of_file(path: Path) -> Iterator[tuple[str, bytes]]:
    if path.suffix.lower() == PARQUET_SUFFIX:
        from gmv.events.parquet_images import parquet_images  # of the extra `worker`: the rest of `emit` needs no Arrow

        yield from parquet_images(path)
    else:
        yield path.name, _content(path)


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise EventsRefused(f"{file}: {error.strerror}; give files that can be read") from error


def _lines_as_events(path: Path, is_structured: bool) -> Iterator[Outgoing]:
    for name, line in _lines(path):
        try:
            event = decode(line)
            if is_structured:
                headers = [(CONTENT_TYPE, STRUCTURED_CONTENT.encode())]
                yield Outgoing(name, KafkaMessage(event.event_id.encode(), line, headers))
            else:
                yield Outgoing(name, binary_of_structured(line))
        except Poison as poison:
            raise EventsRefused(f"{name}: {poison}; repair the line, or send the file unread with --raw") from poison


def _lines(path: Path) -> Iterator[tuple[str, bytes]]:
    """Yield (file:number, line) of every line that is not blank, in constant memory."""
    number = 0
    try:
        with path.open("rb") as file:
            while line := file.readline(LINE_BYTES_MAX + 1):
                number += 1
                if len(line) > LINE_BYTES_MAX:
                    raise EventsRefused(f"{path}:{number} is longer than {LINE_BYTES_MAX:,} bytes; is this JSON lines?")
                if line.strip():
                    yield f"{path}:{number}", line.rstrip(b"\r\n")
    except OSError as error:
        raise EventsRefused(f"{path}: {error.strerror}; give a JSON-lines file") from error
