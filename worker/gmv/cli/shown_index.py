"""How an index is shown: what its manifest says, in a table."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gmv.cli.copies.found import copies_lines, copies_warning
from gmv.wording import count_of

if TYPE_CHECKING:
    from rich.console import ConsoleRenderable

    from gmv.corpus.reading import Reading
    from gmv.index.evidence import MeasuredEvidence
    from gmv.index.manifest import (
        CalibratedCandidates,
        CorpusEntry,
        Defaults,
        EncoderEntry,
        FileEntry,
        Manifest,
        MeasuredNeighbours,
        RecallEntry,
    )
    from gmv.index.measured import FoundCopies, MeasuredFeatures
    from gmv.index.parent import ParentEntry

_SHOWN = (20, 50, 100, 200, 500, 1_000)
"""Numbers of candidates for which recall is told, of those that were tried."""


@dataclass(frozen=True, slots=True)
class ShownIndex:
    """An index by its id, where it is, and what its `Manifest` says; just built, also what was read of its corpus."""

    index_id: str
    path: Path
    format: str
    format_version: int
    encoder: "EncoderEntry"
    corpus: "CorpusEntry"
    recall: "RecallEntry"
    neighbours: "MeasuredNeighbours | None"
    candidates: "CalibratedCandidates | None"
    evidence: "MeasuredEvidence | None"
    copies: "FoundCopies | None"
    defaults: "Defaults"
    parent: "ParentEntry | None"
    files: "Mapping[str, FileEntry]"
    features: "MeasuredFeatures | None" = None
    bytes_per_image: float = 0.0
    advice: tuple[str, ...] = ()
    reading: "Reading | None" = None


def shown(folder: Path, manifest: "Manifest", index_id: str, reading: "Reading | None" = None) -> ShownIndex:
    """Return what is shown of an index, and of a build what was read of its corpus."""
    from gmv.index.advice import advice_on, bytes_per_image

    return ShownIndex(
        index_id,
        folder,
        manifest.format,
        manifest.format_version,
        manifest.encoder,
        manifest.corpus,
        manifest.recall,
        manifest.neighbours,
        manifest.candidates,
        manifest.evidence,
        manifest.copies,
        manifest.defaults,
        manifest.parent,
        manifest.files,
        manifest.features,
        bytes_per_image(manifest),
        tuple(advice_on(manifest)),
        reading,
    )


def _loss(index: ShownIndex) -> Iterator[tuple[str, str]]:
    """What faiss loses against exact search by the same vectors."""
    if (lists := index.recall.lists) is not None:
        yield "lists", lists.sentence()
    if (measured := index.recall.measured) is not None:
        shares = (measured.nearest_1, measured.nearest_10, measured.nearest_100)
        yield "nearest found", "{:.1%}, of 10 {:.1%}, of 100 {:.1%}".format(*shares)
        yield "measured on", f"{measured.queries:,} training images, {measured.candidates:,} recalled for each"


def _candidates(index: ShownIndex) -> Iterator[tuple[str, str]]:
    """How many candidates are enough."""
    if (measured := index.candidates) is not None:
        yield "candidates", measured.sentence()
        for curve in measured.curves:
            shown = (point for point in curve.points if point.candidates in _SHOWN)
            found = ", ".join(f"{point.recall:.1%} by {point.candidates:,}" for point in shown)
            yield f"of {curve.queries:,} {curve.kind}", found


def _shares(index: ShownIndex) -> Iterator[tuple[str, str]]:
    """How an event's credit will be shared, by the example of the corpus itself."""
    yield "temperature", f"{index.defaults.temperature:g}, unless settings name another"
    if (measured := index.neighbours) is not None and measured.queries:
        effective = f"{measured.effective_contributors:.1f} effective contributors"
        yield "shares at it", f"{measured.top_share:.0%} to the nearest of ten, {effective}"
        yield "W1 to the nearest", f"{measured.nearest_1:.4g}, to the tenth {measured.nearest_10:.4g}, in the median"


def _parent(index: ShownIndex) -> Iterator[tuple[str, str]]:
    if (parent := index.parent) is not None:
        yield "made of", f"{parent.index_id}: {count_of(parent.added, 'image')} added, {parent.removed:,} removed"
        kept = "temperature, candidates" if parent.neighbours_kept else "candidates"
        whose = "its images" if parent.measured_index_id == parent.index_id else f"images of {parent.measured_index_id}"
        yield "kept from it", f"encoder; {kept}, evidence and level of copies, measured over {whose}"


def _evidence(index: ShownIndex) -> Iterator[tuple[str, str]]:
    """What levels of `--evidence` would do, and which training images are flat."""
    if (measured := index.evidence) is None:
        return
    for errors in measured.errors:
        yield f"--evidence {errors.level:g}", measured.sentence(errors)
    if measured.flat_images:
        yield "flat pictures", f"{count_of(measured.flat_images, 'training image')}: {_flat_named(measured)}"


def _flat_warning(index: ShownIndex) -> Iterator[str]:
    """Yield what a person who just built an index should look at: training images in which hardly anything is seen."""
    if index.evidence is not None and index.evidence.flat_images:
        yield (
            "flat pictures are near to whatever is as empty, and are paid for it: "
            f"{count_of(index.evidence.flat_images, 'training image')} ({_flat_named(index.evidence)}). Take them out "
            f"by `gmv index remove {index.path} --images FILE`, or credit with `--evidence`, by which flat events pay "
            "nobody"
        )


def _flat_named(measured: "MeasuredEvidence") -> str:
    more = ", …" if measured.flat_images > len(measured.flat_named) else ""
    return ", ".join(measured.flat_named) + more


def _network(encoder: "EncoderEntry") -> Iterator[tuple[str, str]]:
    if encoder.network is not None:
        yield "network", f"{encoder.network.name}, licence of its weights: {encoder.network.licence}"
        yield "same features", "on one machine; another may compute other last bits, so receipts hold their digest"


def _brought(index: ShownIndex) -> Iterator[tuple[str, str]]:
    """Features as the corpus brought them."""
    if (brought := index.features) is not None:
        tokens, size = brought.tokens_shape
        yield "brought as", f"{tokens:,} tokens of {size:,}, of length {brought.token_length:g} in the median"
        yield "float16 rounds off", f"{brought.rounding:.2%} of how far tokens are apart"


def view(index: ShownIndex) -> "Iterator[str | ConsoleRenderable]":
    """Yield what a terminal shows of it."""
    from gmv.cli.output import facts
    from gmv.index.manifest import REJECTED_FILE

    if index.reading is not None:
        yield from index.reading.sentences()
        yield from copies_warning(index.copies, index.path)
        yield from _flat_warning(index)
    tokens, size = index.encoder.tokens_shape
    yield facts(
        f"Index {index.path}",
        [
            ("index id", index.index_id),
            ("training images", index.corpus.images),
            ("owners", index.corpus.owners),
            *_parent(index),
            ("left out", f"{index.corpus.rejected:,}, named in {index.path / REJECTED_FILE}"),
            ("encoder", index.encoder.id),
            *_network(index.encoder),
            ("features", f"vector of {index.encoder.vector_size}, {tokens} tokens of {size}"),
            *_brought(index),
            ("recall by", index.recall.factory),
            *_loss(index),
            *_candidates(index),
            *_shares(index),
            *_evidence(index),
            *copies_lines(index.copies),
            ("bytes", sum(entry.bytes for entry in index.files.values())),
            ("bytes an image", f"{index.bytes_per_image:,.0f}"),
        ],
    )
    yield from index.advice
