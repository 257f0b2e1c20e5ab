"""`gmv attribute`: which training images the given ones resemble, without any ledger."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gmv.cli.options import (
    CandidatesOption,
    ConfigOption,
    ContributorsOption,
    IndexOption,
    JsonOption,
    OwnersOption,
    TemperatureOption,
    load_settings,
)

if TYPE_CHECKING:
    from rich.console import RenderableType

    from gmv.errors import Poison
    from gmv.events.model import GeneratedImage
    from gmv.valuation.types import Attribution


def attribute(
    images: Annotated[list[Path], typer.Argument(metavar="IMAGE…", help="PNG, JPEG or WEBP files.")],
    index: IndexOption = None,
    candidates: CandidatesOption = None,
    contributors: ContributorsOption = None,
    owners: OwnersOption = None,
    temperature: TemperatureOption = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Show which training images each image most resembles, and what their owners would earn. Nothing is recorded.

    Exits with 1 if one of the images could not be attributed.
    """
    settings = load_settings(
        config, index=index, candidates=candidates, contributors=contributors, temperature=temperature, owners=owners
    )
    from gmv.threads import limit_threads

    limit_threads()
    from prometheus_client import CollectorRegistry

    from gmv.assembly.owners import read_ownership
    from gmv.assembly.parts import assemble_attributor
    from gmv.cli.indexes import open_verified
    from gmv.cli.output import print_result
    from gmv.errors import Poison
    from gmv.events.model import GeneratedImage
    from gmv.monitoring.catalogue import Metrics
    from gmv.monitoring.telemetry import StageClock

    opened = open_verified(settings)
    ownership = read_ownership(settings.owners, opened.images)
    attributor = assemble_attributor(opened, settings, ownership, StageClock(), Metrics(CollectorRegistry()))
    found = {path: _read(path) for path in images}
    events = {path: event for path, event in found.items() if isinstance(event, GeneratedImage)}
    missing = {path: event for path, event in found.items() if isinstance(event, Poison)}
    told = missing | dict(zip(events, attributor.attribute(list(events.values())), strict=True))
    outcomes = {path: told[path] for path in images}
    print_result({"images": [_plain(*each) for each in outcomes.items()]}, json, lambda: _layout(outcomes))
    if any(isinstance(outcome, Poison) for outcome in outcomes.values()):
        raise typer.Exit(1)


def _read(path: Path) -> "GeneratedImage | Poison":
    from gmv.errors import Poison, Reason
    from gmv.events.model import GeneratedImage, ImageBytes

    try:
        return GeneratedImage("/attribute", str(path), ImageBytes(path.read_bytes()))
    except OSError as error:
        return Poison(Reason.IMAGE_UNREACHABLE, str(error.strerror))


def _plain(image: Path, outcome: "Attribution | Poison") -> dict[str, Any]:
    from dataclasses import asdict

    from gmv.errors import Poison

    if isinstance(outcome, Poison):
        return {"image": image, "refused": {"reason": outcome.reason, "detail": outcome.detail}}
    return {"image": image, **asdict(outcome)}


def _layout(outcomes: "dict[Path, Attribution | Poison]") -> "RenderableType":
    from rich.console import Group

    from gmv.cli.output import credits_text, table
    from gmv.errors import Poison

    return Group(
        *(
            f"{image}: {outcome}"
            if isinstance(outcome, Poison)
            else table(
                str(image),
                ["training image", "owner", "distance", "share", "credits"],
                [
                    [c.image_id, c.owner_id, f"{c.distance:.4f}", f"{c.utility:.1%}", credits_text(c.micros)]
                    for c in outcome.contributors
                ],
                numbers=["distance", "share", "credits"],
            )
            for image, outcome in outcomes.items()
        )
    )
