"""What `gmv calibrate` shows a person."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from gmv.cli.output import heading, table

if TYPE_CHECKING:
    from rich.console import ConsoleRenderable

    from gmv.calibrate.measure import Calibrated, KindMeasured, Share


def view(found: "Calibrated") -> "Iterator[str | ConsoleRenderable]":
    """Yield a table for each kind of queries, and which temperature is best by likelihood."""
    from gmv.calibrate.measure import RAW

    notes = {RAW: "the formula in raw distances"}
    if found.rule is not None:
        notes[found.rule] = "by rule: a third of the spread among nearest neighbours"
    notes[found.temperature] = "; ".join(["in use", *filter(None, [notes.get(found.temperature)])])
    for kind in found.kinds:
        yield heading(
            f"Credit of {kind.queries:,} {kind.kind}, over {found.training_images:,} training images of "
            f"{found.owners:,} owners"
        )
        yield _table(kind, notes)
        yield (
            f"{kind.sources_credited:.1%} of their sources are credited; the nearest is a source of "
            f"{kind.nearest_is_source:.1%}"
        )
        yield ""
    if found.choice is None:
        yield "too few mixes have a source among their contributors to choose a temperature by; give more --queries"
    else:
        yield found.choice.sentence()


def _table(kind: "KindMeasured", notes: dict[float, str]) -> "ConsoleRenderable":
    rows = [
        [
            f"{at.temperature:g}",
            _text(at.on_true_sources),
            _text(at.on_true_owners),
            f"{at.effective_contributors:.2f}",
            notes.get(at.temperature, ""),
        ]
        for at in kind.temperatures
    ]
    chance = ["by chance", f"{kind.sources_by_chance:.2%}", f"{kind.owners_by_chance:.1%}", "", ""]
    columns = ["temperature", "on true sources (95 %)", "on true owners (95 %)", "effective contributors"]
    return table(None, [*columns, ""], [*rows, chance], numbers=columns)


def _text(share: "Share") -> str:
    return f"{share.mean:.1%} ({share.least:.1%} to {share.most:.1%})"
