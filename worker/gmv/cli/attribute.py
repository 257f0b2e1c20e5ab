"""`gmv attribute`: which training images the given ones resemble, without any ledger."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gmv.cli.options import (
    CandidatesOption,
    ConfigOption,
    ContributorsOption,
    CopiesOption,
    EvidenceOption,
    IndexOption,
    JsonOption,
    OwnersOption,
    TemperatureOption,
    load_settings,
)

if TYPE_CHECKING:
    from rich.console import ConsoleRenderable

    from gmv.errors import Poison, Reason
    from gmv.events.model import GeneratedImage
    from gmv.operations.explanation import ExplainedEvidence
    from gmv.valuation.types import Attribution, Contributor


@dataclass(frozen=True, slots=True)
class AttributedImage:
    """An image, and its `Attribution`."""

    image: Path
    contributors: "tuple[Contributor, ...]"
    quality: float
    temperature: float
    micros: int
    evidence: "ExplainedEvidence | None"
    unattributed_micros: int


@dataclass(frozen=True, slots=True)
class WhyRefused:
    """Why an image cannot be attributed: as a word, and in a sentence."""

    reason: "Reason"
    detail: str


@dataclass(frozen=True, slots=True)
class RefusedImage:
    """An image that cannot be attributed."""

    image: Path
    refused: WhyRefused


@dataclass(frozen=True, slots=True)
class Attributed:
    """What `gmv attribute` found, in the order of its arguments."""

    images: tuple[AttributedImage | RefusedImage, ...]


def attribute(
    images: Annotated[list[Path], typer.Argument(metavar="IMAGE…", help="PNG, JPEG or WEBP files.")],
    index: IndexOption = None,
    candidates: CandidatesOption = None,
    contributors: ContributorsOption = None,
    owners: OwnersOption = None,
    copies: CopiesOption = None,
    temperature: TemperatureOption = None,
    evidence: EvidenceOption = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Show which training images each image most resembles, and what their owners would earn. Nothing is recorded.

    Exits with 1 if one of the images could not be attributed.
    """
    settings = load_settings(
        config,
        index=index,
        candidates=candidates,
        contributors=contributors,
        temperature=temperature,
        evidence=evidence,
        owners=owners,
        copies=copies,
    )
    from gmv.threads import limit_threads

    limit_threads()
    from prometheus_client import CollectorRegistry

    from gmv.assembly.owners import read_ownership
    from gmv.assembly.parts import assemble_attributor
    from gmv.cli.indexes import open_verified, warn_of_undated_copies
    from gmv.cli.output import render
    from gmv.errors import Poison
    from gmv.events.model import GeneratedImage
    from gmv.monitoring.catalogue import Metrics
    from gmv.monitoring.telemetry import StageClock

    opened = open_verified(settings)
    warn_of_undated_copies(opened, settings)
    ownership = read_ownership(settings.owners, opened.images)
    attributor = assemble_attributor(opened, settings, ownership, StageClock(), Metrics(CollectorRegistry()))
    found = {path: _read(path, settings.images.bytes_max) for path in images}
    events = {path: event for path, event in found.items() if isinstance(event, GeneratedImage)}
    missing = {path: event for path, event in found.items() if isinstance(event, Poison)}
    outcomes = missing | dict(zip(events, attributor.attribute(list(events.values())), strict=True))
    attributed = Attributed(tuple(_of(path, outcomes[path]) for path in dict.fromkeys(images)))
    render(attributed, json, _view)
    if any(isinstance(image, RefusedImage) for image in attributed.images):
        raise typer.Exit(1)


def _read(path: Path, bytes_max: int) -> "GeneratedImage | Poison":
    """Read no more than shows that a file is too large: it may have no end, such as a device or a pipe."""
    from gmv.errors import Poison, Reason
    from gmv.events.model import GeneratedImage, ImageBytes

    try:
        with path.open("rb") as file:
            return GeneratedImage("/attribute", str(path), ImageBytes(file.read(bytes_max + 1)))
    except OSError as error:
        return Poison(Reason.IMAGE_UNREACHABLE, str(error.strerror))


def _of(image: Path, outcome: "Attribution | Poison") -> AttributedImage | RefusedImage:
    from gmv.errors import Poison
    from gmv.operations.explanation import ExplainedEvidence

    if isinstance(outcome, Poison):
        return RefusedImage(image, WhyRefused(outcome.reason, outcome.detail))
    found = outcome.evidence
    return AttributedImage(
        image,
        outcome.contributors,
        outcome.quality,
        outcome.temperature,
        outcome.micros,
        None if found is None else ExplainedEvidence(found.p_value, found.is_flat, found.is_reliable),
        outcome.unattributed_micros,
    )


def _view(attributed: Attributed) -> "Iterator[str | ConsoleRenderable]":
    from gmv.cli.output import credits_text, distance_text, evidence_text, table

    for each in attributed.images:
        if isinstance(each, RefusedImage):
            yield f"{each.image}: {each.refused.reason}: {each.refused.detail}"
            continue
        if not each.contributors:
            yield f"{each.image}: nobody is left: all training images recalled for it are opted out"
            continue
        yield table(
            str(each.image),
            ["training image", "owner", "distance", "share", "credits"],
            [
                [
                    c.image_id,
                    c.owner_id,
                    distance_text(c.distance, c.mirrored),
                    f"{c.utility:.1%}",
                    credits_text(c.micros),
                ]
                for c in each.contributors
            ],
            numbers=["distance", "share", "credits"],
        )
        if each.evidence is not None:
            found = each.evidence
            yield evidence_text(found.p, found.flat, found.reliable, each.unattributed_micros)
