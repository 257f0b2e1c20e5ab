"""`gmv index summary`: how many images of an index are of which owner, licence and source."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from gmv.cli.corpus_options import ImageColumnOption, ImageIdColumnOption, OwnerIdColumnOption, SplitOption
from gmv.cli.options import ConfigOption, JsonOption, load_settings
from gmv.cli.rights.reading import Counted, LicenceColumnOption, SourceColumnOption

if TYPE_CHECKING:
    from rich.console import ConsoleRenderable

_SHOWN: Final = 20


@dataclass(frozen=True, slots=True)
class Summary:
    """What an index holds, counted for a summary of training content.

    Attributes:
        index_id: of the index.
        images: in it.
        left_out: images of its corpus that are not.
        owners: images by owner.
        licences: images by licence; empty without a corpus.
        without_licence: images for which none is stated; None without a corpus.
        sources: images by source, where the corpus has a column of them.
        without_source: likewise.
        not_in_corpus: images of the index that the corpus does not hold.
    """

    index_id: str
    images: int
    left_out: int
    owners: tuple[Counted, ...]
    licences: tuple[Counted, ...]
    without_licence: int | None
    sources: tuple[Counted, ...]
    without_source: int | None
    not_in_corpus: int | None


def summary(
    index: Annotated[Path, typer.Argument(metavar="FOLDER", help="Index folder.")],
    corpus: Annotated[
        list[Path] | None,
        typer.Option("--corpus", metavar="PATH", help="What it was built from, for licences and sources."),
    ] = None,
    licence_column: LicenceColumnOption = None,
    source_column: SourceColumnOption = None,
    image_id_column: ImageIdColumnOption = "image_id",
    owner_id_column: OwnerIdColumnOption = "owner_id",
    image_column: ImageColumnOption = "image",
    split: SplitOption = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Count an index's images by owner and, with its corpus, by licence and source.

    These are figures for the summary of training content of Regulation (EU) 2024/1689, Article 53(1)(d), and not the
    summary itself.
    """
    settings = load_settings(config)
    from collections import Counter

    from gmv.cli.output import render
    from gmv.cli.rights.reading import counted, scanned, told_by
    from gmv.corpus.open import open_corpus
    from gmv.corpus.parquet_files import Columns
    from gmv.errors import CorpusRefused, InvalidSettings
    from gmv.index.images import open_images
    from gmv.index.manifest import IMAGES_FILE, read_manifest
    from gmv.rights.scanning import Tally

    if not corpus and (licence_column or source_column):
        raise InvalidSettings("--licence-column and --source-column are of a corpus; name it by --corpus PATH")
    manifest, index_id = read_manifest(index)
    table = open_images(index / IMAGES_FILE)
    images = table.images(range(len(table)))
    tally = Tally()
    if corpus:
        columns = Columns(image_id_column, owner_id_column, image_column)
        told = told_by(corpus, columns, split or (), licence_column, source_column)
        opened = open_corpus(corpus, settings.images.bytes_max, columns, splits=split or ())
        tally = scanned(opened, told, {image.image_id for image in images})
        if not tally.images:
            raise CorpusRefused(
                f"{opened.name} holds none of the {len(images):,} images of the index, such as {images[0].image_id!r}; "
                f"name the corpus that {index} was built from"
            )
    result = Summary(
        index_id=index_id,
        images=len(images),
        left_out=manifest.corpus.rejected,
        owners=counted(Counter(image.owner_id for image in images)),
        licences=counted(tally.licences),
        without_licence=tally.licences[None] if corpus else None,
        sources=counted(tally.sources),
        without_source=tally.sources[None] if corpus and source_column else None,
        not_in_corpus=len(images) - tally.images if corpus else None,
    )
    render(result, json, _view)


def _view(found: Summary) -> "Iterator[str | ConsoleRenderable]":
    from gmv.cli.output import table
    from gmv.cli.rights.reading import table_rows

    yield f"{found.images:,} images of {len(found.owners):,} owners; {found.left_out:,} of the corpus were left out"
    yield table("By owner", ["owner", "images"], table_rows(found.owners, 0, 0, _SHOWN), numbers=["images"])
    if found.without_licence is not None:
        rows = table_rows(found.licences, 0, found.without_licence, _SHOWN)
        yield table("By licence or copyright statement", ["licence", "images"], rows, numbers=["images"])
    if found.without_source is not None:
        rows = table_rows(found.sources, 0, found.without_source, _SHOWN)
        yield table("By source", ["source", "images"], rows, numbers=["images"])
    if found.not_in_corpus:
        yield f"{found.not_in_corpus:,} images of the index are not in this corpus; name the one it was built from"
