"""`gmv rights`: what the images of a corpus say of data mining and training, as an owners file to review."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from gmv.cli.corpus_options import ImageColumnOption, ImageIdColumnOption, OwnerIdColumnOption, SplitOption
from gmv.cli.options import ConfigOption, JsonOption
from gmv.cli.rights.reading import Counted, LicenceColumnOption

if TYPE_CHECKING:
    from rich.console import ConsoleRenderable

    from gmv.rights.scanning import Tally

_SHOWN: Final = 10
_LISTED_MAX: Final = 100  # of licences: some images have a statement of their own each


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
        typer.Option("--out", metavar="FILE", help="Owners file of the opt-outs found, to review."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the file that is there, reviewed or not.")] = False,
    licence_column: LicenceColumnOption = None,
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
    from gmv.cli.out_file import place_of, replacing
    from gmv.cli.output import render
    from gmv.cli.rights.reading import opt_out_lines, scanned, told_by
    from gmv.corpus.open import open_corpus
    from gmv.corpus.parquet_files import Columns
    from gmv.errors import InvalidSettings

    if out is not None and place_of(out, "--out").exists() and not force:  # before what may take minutes
        raise InvalidSettings(
            f"--out {out} is there already, and may have been reviewed; give another name, or replace it by --force"
        )
    columns = Columns(image_id_column, owner_id_column, image_column)
    told = told_by(corpus, columns, split or (), licence_column, None)
    opened = open_corpus(corpus, settings.images.bytes_max, columns, splits=split or ())
    tally = scanned(opened, told)
    if out is not None:
        with replacing(out) as file:
            file.write(opt_out_lines(tally))
    render(_result(opened.name, out, tally), json, _view)


def _result(corpus: str, out: Path | None, tally: "Tally") -> Rights:
    from gmv.cli.rights.reading import counted

    licences = counted(tally.licences)
    owners = ((owner, images, tally.owners_opted_out[owner]) for owner, images in tally.owners.items())
    return Rights(
        corpus=corpus,
        images=tally.images,
        opted_out=len(tally.opted_out),
        out=out,
        said=counted(tally.said),
        licences=licences[:_LISTED_MAX],
        licences_more=sum(each.images for each in licences[_LISTED_MAX:]),
        without_licence=tally.licences[None],
        owners=tuple(OwnerCounted(*each) for each in sorted(owners, key=lambda each: (-each[2], -each[1], each[0]))),
        unread=tuple(UnreadImage(image_id, why) for image_id, why in tally.unread.items()),
    )


def _view(found: Rights) -> "Iterator[str | ConsoleRenderable]":
    from gmv.cli.output import table
    from gmv.cli.rights.reading import table_rows

    yield f"{found.opted_out:,} of {found.images:,} images of {found.corpus} opt out of training or data mining"
    if found.said:
        rows = [[each.text, f"{each.images:,}"] for each in found.said[:_SHOWN]]
        yield table("What files say", ["statement", "images"], rows, numbers=["images"])
    owners = [[each.owner_id, f"{each.images:,}", f"{each.opted_out:,}"] for each in found.owners[:_SHOWN]]
    yield table(
        f"Of {len(found.owners):,} owners", ["owner", "images", "opted out"], owners, numbers=["images", "opted out"]
    )
    licences = table_rows(found.licences, found.licences_more, found.without_licence, _SHOWN)
    yield table("Licences and copyright, as files state them", ["licence", "images"], licences, numbers=["images"])
    yield from (f"not read whole: {each.image_id}: {each.why}" for each in found.unread[:_SHOWN])
    if len(found.unread) > _SHOWN:
        yield f"… and {len(found.unread) - _SHOWN:,} more, which --json names"
    if found.out is not None:
        yield f"{found.out} holds the opt-outs, to be reviewed; nothing is applied until --owners names it"
