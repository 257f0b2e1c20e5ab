"""How results of `gmv experiment` look to people."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gmv.cli.output import table

if TYPE_CHECKING:
    from rich.console import ConsoleRenderable

    from gmv.experiments.fidelity.results import Fidelity
    from gmv.experiments.ra1 import RA1
    from gmv.experiments.ra2 import RA2, MeasureResult
    from gmv.experiments.ra2 import GeneratorResult as RA2Generator
    from gmv.experiments.ra3 import RA3
    from gmv.experiments.statistics import Interval, Null


@dataclass(frozen=True, slots=True)
class WrittenReport:
    """Where a report is, and how many results it holds."""

    page: Path
    document: Path
    results: int


def report_view(report: WrittenReport) -> Iterator[str]:
    """Say where it is."""
    yield f"{report.results} results in {report.page} and {report.document}"


def ra1_view(result: "RA1") -> "Iterator[str | ConsoleRenderable]":
    """Show RA1, seed by seed."""
    yield f"{_setting(result)}, {result.permutations:,} permutations"
    for generator in result.generators:
        yield table(
            f"{generator.generator}: W1 to the nearest of {generator.n1} used and of {generator.n2} unused images",
            ["seed", "used", "unused", "nearer to a used one", "z", "p"],
            [
                [
                    each.seed,
                    f"{each.used.v1_mean:.4f}",
                    f"{each.used.v2_mean:.4f}",
                    f"{each.used.nearer_to_v1:.1%}",
                    f"{each.used.z:.2f}",
                    f"{each.used.p:.2g}",
                ]
                for each in generator.seeds
            ],
            numbers=["used", "unused", "nearer to a used one", "z", "p"],
        )
        yield f"nearer to a used one: {interval_text(generator.nearer_to_v1, '.1%')}; {null_text(generator.null)}"


def ra2_view(result: "RA2") -> "Iterator[str | ConsoleRenderable]":
    """Show RA2 as the poster's Table 1, seed by seed."""
    yield f"{_setting(result)}, K = {result.contributors}"
    for generator in result.generators:
        for measure in generator.measures:
            yield _table_1(generator, measure)
            yield f"v1 earns {interval_text(measure.v1_share, '.1%')}, by chance {1 / 3:.1%}; {null_text(measure.null)}"


def _table_1(generator: "RA2Generator", measure: "MeasureResult") -> "ConsoleRenderable":
    rows = [
        [
            f"seed {each.seed}",
            f"{each.used.v1_mean:.6f}",
            f"{each.used.v2_mean:.6f}",
            "" if each.used.ratio is None else f"{each.used.ratio:.2f}",
            f"{each.used.t:.2f}",
            f"{each.used.p:.2g}",
            f"{each.used.effect:.2f}",
            f"{each.used.n1}, {each.used.n2}",
            f"{each.null.p:.2f}",
        ]
        for each in measure.seeds
    ]
    if poster := generator.poster:
        ratio = poster.v1_mean / poster.v2_mean
        figures = (
            f"{poster.v1_mean:.6f}",
            f"{poster.v2_mean:.6f}",
            f"{ratio:.2f}",
            f"{poster.t:.2f}",
            f"{poster.p:.2g}",
        )
        rows.append(["the poster", *figures, "", "", ""])
    return table(
        f"{generator.generator}: {_measure_text(measure)}",
        ["", "v1", "v2", "ratio", "t", "p", "d", "n1, n2", "p, both unused"],
        rows,
        numbers=["v1", "v2", "ratio", "t", "p", "d", "p, both unused"],
    )


def ra3_view(result: "RA3") -> "Iterator[str | ConsoleRenderable]":
    """Show RA3, seed by seed."""
    yield f"{_setting(result)}, tau = {result.temperature:.4g}; features: {result.features}"
    for generator in result.generators:
        yield table(
            generator.generator,
            [
                "seed",
                "credit to the same class",
                "AUC of the class",
                "lowest tenth",
                "highest tenth",
                "rank correlation",
                "p",
            ],
            [
                [
                    each.seed,
                    f"{each.class_share:.1%}",
                    f"{each.class_auc:.3f}",
                    f"{each.decile_alignment[0]:.3f}",
                    f"{each.decile_alignment[-1]:.3f}",
                    f"{each.rank_correlation:.3f}",
                    f"{each.p:.2g}",
                ]
                for each in generator.seeds
            ],
        )
        yield (
            f"credit to the same class {interval_text(generator.class_share, '.1%')}, "
            f"by chance {1 / result.classes:.1%}; "
            f"rank correlation of value and alignment {interval_text(generator.rank_correlation, '.3f')}"
        )


def fidelity_view(result: "Fidelity") -> "Iterator[str | ConsoleRenderable]":
    """Show how the method's settings matter."""
    yield (
        f"{result.queries:,} left-out images of {result.dataset} asked about {result.indexed:,} indexed ones, of which "
        f"{result.noise:,} are noise; seeds {', '.join(map(str, result.seeds))}"
    )
    own = interval_text(result.candidates, ".0f"), interval_text(result.temperature, ".4f")
    yield f"the index's own: M {own[0]}, tau {own[1]}"
    yield table(
        "C1: of the K nearest, of the query's class",
        ["K", "recall alone", "W1 of M", "W1 of all", "pixels", "chance"],
        [
            [
                each.contributors,
                *(
                    interval_text(share, ".3f")
                    for share in (each.recalled, each.ranked, each.exact, each.pixels, each.chance)
                ),
            ]
            for each in result.class_shares
        ],
    )
    yield table(
        "M candidates against all",
        ["M", "of the true ten", "credit that goes elsewhere"],
        [
            [each.candidates, interval_text(each.recall, ".3f"), interval_text(each.moved, ".3f")]
            for each in result.depths
        ],
    )
    yield table(
        "temperatures, the same ten",
        ["tau", "effective contributors", "credit to the class", "AUC of real images against noise"],
        [
            [
                f"{each.temperature:.4g}",
                interval_text(each.effective_contributors, ".2f"),
                interval_text(each.class_share, ".3f"),
                interval_text(each.noise_auc, ".3f"),
            ]
            for each in result.sharpness
        ],
    )
    yield f"AUC of real images against noise, by counting hits: {interval_text(result.noise_auc_of_hits, '.3f')}"


def _setting(result: "RA1 | RA2 | RA3") -> str:
    return f"{result.images:,} images of {result.dataset}, {result.drawn:,} drawn by each generator"


def _measure_text(measure: "MeasureResult") -> str:
    if measure.temperature is None:
        return "how often an image is a contributor"
    return f"softmax at tau = {measure.temperature:.4g}"


def interval_text(interval: "Interval", form: str) -> str:
    """Write a mean, and its interval where there are several seeds."""
    if interval.low is None or interval.high is None:
        return format(interval.mean, form)
    return f"{interval.mean:{form}} ({interval.low:{form}} to {interval.high:{form}})"


def null_text(null: "Null") -> str:
    """Say how often nothing was taken for something."""
    return f"of {null.repetitions} pairs of unused halves {null.rejections} differ at {null.level:g} (p {null.p:.2g})"
