"""`gmv rights`: what the images of a corpus say of data mining and training, as an owners file to review."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from gmv.cli.corpus_options import ImageColumnOption, ImageIdColumnOption, OwnerIdColumnOption, SplitOption
from gmv.cli.options import ConfigOption, JsonOption

if TYPE_CHECKING:
    from rich.console import ConsoleRenderable

    from gmv.rights.scanning import Tally

_SHOWN: Final = 10
_LISTED_MAX: Final = 100  # of licences: some images have a statement of their own each


@dataclass(frozen=True, slots=True)
class Counted:
    """A text, and of how many images it is true."""

    text: str
    images: int


@dataclass(frozen=True, slots=True)
class OwnerCounted:
    """An owner's images, and those that are opted out."""

    owner_id: str
    images: int
    opted_out: int


@dataclass(frozen=True, slots=True)
class UnreadImage:
    """An image that something could not be read of."""

    image_id: str
    why: str


@dataclass(frozen=True, slots=True)
class Rights:
    """What `gmv rights` found.

    Attributes:
        corpus: what was read.
        images: in it.
        opted_out: of them, lines of the owners file.
        out: the owners file; None where none was asked for.
        said: sentences of files, most frequent first.
        licences: likewise, 100 at most.
        licences_more: images with other licences.
        without_licence: images that state none.
        owners: by owner id.
        unread: by image.
    """

    corpus: str
    images: int
    opted_out: int
    out: Path | None
    said: tuple[Counted, ...]
    licences: tuple[Counted, ...]
    licences_more: int
    without_licence: int
    owners: tuple[OwnerCounted, ...]
    unread: tuple[UnreadImage, ...]


def rights(
    corpus: Annotated[
        list[Path], typer.Argument(metavar="CORPUS...", help="Training images as `gmv index build` takes them.")
    ],
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE", help="Owners file of the opt-outs found, to review; replaced."),
    ] = None,
    image_id_column: ImageIdColumnOption = "image_id",
    owner_id_column: OwnerIdColumnOption = "owner_id",
    image_column: ImageColumnOption = "image",
    split: SplitOption = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Read what image files say of data mining and training: XMP (PLUS, as IPTC has it) and C2PA (CAWG).

    Writes an owners file of those that opt out, with what each says as its note. Nothing is applied: review it, then
    give it by `--owners`. Also counts images by owner and by stated licence, for a summary of training content.
    C2PA manifests need `pip install 'gmv[rights]'`; only those in the files are read, and nothing is fetched.
    """
    from gmv.cli.options import load_settings

    settings = load_settings(config)
    from contextlib import ExitStack

    from gmv.cli.output import progress, render
    from gmv.corpus.open import open_corpus
    from gmv.corpus.parquet_files import Columns
    from gmv.rights.c2pa_reader import C2paReader, is_installed
    from gmv.rights.scanning import scan

    columns = Columns(image_id_column, owner_id_column, image_column)
    opened = open_corpus(corpus, settings.images.bytes_max, columns, splits=split or ())
    with ExitStack() as held:
        reader = held.enter_context(C2paReader()) if is_installed() else None
        tally = scan(opened, reader, held.enter_context(progress("reading", None, "images")))
    if out is not None:
        _write(out, tally)
    render(_result(opened.name, out, tally), json, _view)


def _write(out: Path, tally: "Tally") -> None:
    from gmv.assembly.owners import OwnersLine
    from gmv.cli.out_file import replacing

    with replacing(out) as file:
        for image_id, why in tally.opted_out.items():
            line = OwnersLine(image_id=image_id, opted_out=True, note=why)
            file.write(line.model_dump_json(exclude_none=True).encode() + b"\n")


def _result(corpus: str, out: Path | None, tally: "Tally") -> Rights:
    without = tally.licences.pop(None, 0)
    licences = [Counted(text, images) for text, images in _in_order(tally.licences)]
    owners = ((owner, images, tally.owners_opted_out[owner]) for owner, images in tally.owners.items())
    return Rights(
        corpus=corpus,
        images=tally.images,
        opted_out=len(tally.opted_out),
        out=out,
        said=tuple(Counted(text, images) for text, images in _in_order(tally.said)),
        licences=tuple(licences[:_LISTED_MAX]),
        licences_more=sum(each.images for each in licences[_LISTED_MAX:]),
        without_licence=without,
        owners=tuple(OwnerCounted(*each) for each in sorted(owners, key=lambda each: (-each[2], -each[1], each[0]))),
        unread=tuple(UnreadImage(image_id, why) for image_id, why in tally.unread.items()),
    )


def _in_order(counted: "Mapping[str, int] | Mapping[str | None, int]") -> "list[tuple[str, int]]":
    return sorted(((str(text), images) for text, images in counted.items()), key=lambda each: (-each[1], each[0]))


def _view(found: Rights) -> "Iterator[str | ConsoleRenderable]":
    from gmv.cli.output import table

    yield f"{found.opted_out:,} of {found.images:,} images of {found.corpus} opt out of training or data mining"
    if found.said:
        rows = [[each.text, f"{each.images:,}"] for each in found.said[:_SHOWN]]
        yield table("What files say", ["statement", "images"], rows, numbers=["images"])
    owners = [[each.owner_id, f"{each.images:,}", f"{each.opted_out:,}"] for each in found.owners[:_SHOWN]]
    yield table(
        f"Of {len(found.owners):,} owners", ["owner", "images", "opted out"], owners, numbers=["images", "opted out"]
    )
    licences = [[each.text, f"{each.images:,}"] for each in found.licences[:_SHOWN]]
    rest = sum(each.images for each in found.licences[_SHOWN:]) + found.licences_more
    licences += [["others", f"{rest:,}"]] * bool(rest) + [["none stated", f"{found.without_licence:,}"]]
    yield table("Licences and copyright, as files state them", ["licence", "images"], licences, numbers=["images"])
    yield from (f"not read whole: {each.image_id}: {each.why}" for each in found.unread[:_SHOWN])
    if len(found.unread) > _SHOWN:
        yield f"… and {len(found.unread) - _SHOWN:,} more, which --json names"
    if found.out is not None:
        yield f"{found.out} holds the opt-outs, to be reviewed; nothing is applied until --owners names it"
