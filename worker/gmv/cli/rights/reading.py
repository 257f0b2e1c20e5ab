"""What `gmv rights`, `gmv index build --rights` and `gmv index summary` share: reading a corpus, and its counts."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from gmv.corpus.parquet_files import Columns
    from gmv.corpus.port import Corpus
    from gmv.rights.scanning import Tally, Told

LicenceColumnOption = Annotated[
    str | None,
    typer.Option("--licence-column", metavar="NAME", help="Parquet column of licences, before what files state."),
]
SourceColumnOption = Annotated[
    str | None, typer.Option("--source-column", metavar="NAME", help="Parquet column of where images are from.")
]


@dataclass(frozen=True, slots=True)
class Counted:
    """A text, and of how many images it is true."""

    text: str
    images: int


def counted(counts: "Mapping[str, int] | Mapping[str | None, int]") -> tuple[Counted, ...]:
    """Return counts of what is known, the most frequent first, then by text."""
    known = [(str(text), images) for text, images in counts.items() if text is not None]
    return tuple(Counted(*each) for each in sorted(known, key=lambda each: (-each[1], each[0])))


def table_rows(shown: Sequence[Counted], more: int, unknown: int, shown_max: int) -> list[list[str]]:
    """Return the rows of a table: the first of what was counted, and in how many images there is something else."""
    rows = [[each.text, f"{each.images:,}"] for each in shown[:shown_max]]
    rest = more + sum(each.images for each in shown[shown_max:])
    return rows + [["others", f"{rest:,}"]] * bool(rest) + [["none stated", f"{unknown:,}"]] * bool(unknown)


def told_by(
    paths: Sequence[Path], columns: "Columns", splits: Sequence[str], licence: str | None, source: str | None
) -> "Told":
    """Read the columns that tell licences and sources, where there are any.

    Raises:
        CorpusRefused: the corpus is not in Parquet, or has no such column.
    """
    from gmv.corpus.labels import labels_of
    from gmv.rights.scanning import Told

    found = [labels_of(paths, name, columns, splits) if name is not None else {} for name in (licence, source)]
    return Told(*found)


def scanned(corpus: "Corpus", told: "Told", only: Collection[str] | None = None) -> "Tally":
    """Read what the files of a corpus say, and show how far it is."""
    from contextlib import ExitStack

    from gmv.cli.output import progress
    from gmv.rights.c2pa_reader import C2paReader, is_installed
    from gmv.rights.scanning import scan

    with ExitStack() as held:
        reader = held.enter_context(C2paReader()) if is_installed() else None
        return scan(corpus, told, reader, held.enter_context(progress("reading rights", None, "images")), only)


def opt_out_lines(tally: "Tally") -> bytes:
    """Return an owners file of the images that opt out, with what each says as its note."""
    from gmv.assembly.owners import OwnersLine

    lines = (OwnersLine(image_id=image_id, opted_out=True, note=why) for image_id, why in tally.opted_out.items())
    return b"".join(line.model_dump_json(exclude_none=True).encode() + b"\n" for line in lines)
