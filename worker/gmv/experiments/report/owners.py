"""The section of owners' credits beside their values by retraining."""

from functools import partial

from gmv.experiments.report.layout import Result, Section, Table, interval
from gmv.experiments.report.pictures import credits_picture

_CONCEPTS = ("shapley", "banzhaf", "leave_one_out")


def owners_section(result: Result) -> Section:
    """Rank correlations by division and measure, the owners of one seed, and what both cost."""
    agreements = Table(
        (
            "division",
            "measure",
            "Shapley, rho",
            "Banzhaf, rho",
            "leave one out, rho",
            "Shapley, Kendall",
            "Banzhaf, Kendall",
        ),
        tuple(row for division in result["divisions"] for row in _agreements(division)),
    )
    cost = Table(
        ("division", "trainings", "seconds of retraining", "of the index", "of attribution", "ratio"),
        tuple(_cost(division) for division in result["divisions"]),
    )
    holders = Table(
        ("division", "owner", "holds", "images", "Shapley", "Banzhaf", "leave one out", "of all credits"),
        tuple(row for division in result["divisions"] for row in _owners(division)),
    )
    return Section(
        f"Owners on {result['dataset']}: credits beside exact values by retraining",
        result["command"],
        tuple(_text(result)),
        (agreements, holders, cost),
        partial(credits_picture, result),
    )


def _text(result: Result) -> list[str]:
    first = result["divisions"][0]
    counts = f"{result['images']:,} images of {result['owners']} owners, {result['drawn']:,} drawn"
    sentences = [
        f"{counts}, K = {result['contributors']}.",
        f"On each of {first['cost']['trainings']:,} subsets a generator was trained: {result['generator']}.",
    ]
    sentences.append(
        f"What a subset is worth is the negative Frechet distance of what is drawn from {result['held_out']:,} held-out"
        f" images, in {result['features']}, which tells the class of {interval(result['recognised'], '.1%')} of these."
    )
    for each in result["divisions"]:
        drawn, images, noise = (interval(each[f"distance{of}"], ".1f") for of in ("", "_of_images", "_of_noise"))
        sentences.append(
            f"{each['division']}: the distance is {drawn} after training on all, {images} of the owners' images "
            f"themselves, {noise} of noise."
        )
    return [*sentences, f"The index's own tau is {interval(result['temperature'], '.4f')}.", *_READING]


_READING = (
    "rho is Spearman's rank correlation over owners, and Kendall is tau-b: 0 by chance, and where all have the same.",
    "Repeated: Shapley values beside those by other noise and held-out images; who agrees better does so by luck.",
    "Owners are those of the first seed, and values are in Frechet distance.",
    "Seconds are of one core. A training takes milliseconds here: the ratio grows with what another takes.",
)


def _agreements(division: Result) -> list[tuple[str, ...]]:
    rows = [
        (
            division["division"],
            each["measure"],
            *(interval(each[concept]["spearman"], ".2f") for concept in _CONCEPTS),
            *(interval(each[concept]["kendall"], ".2f") for concept in _CONCEPTS[:2]),
        )
        for each in division["agreements"]
    ]
    repeated = division["repeated"]
    ceiling = (interval(repeated["spearman"], ".2f"), "", "", interval(repeated["kendall"], ".2f"), "")
    return [*rows, (division["division"], "repeated", *ceiling)]


def _owners(division: Result) -> list[tuple[str, ...]]:
    return [
        (
            division["division"],
            str(each["owner"]),
            each["holding"],
            f"{each['images']:,}",
            *(f"{each[concept]:.3f}" for concept in _CONCEPTS),
            f"{each['credit']:.1%}",
        )
        for each in division["owners"]
    ]


def _cost(division: Result) -> tuple[str, ...]:
    cost = division["cost"]
    seconds = (interval(cost[f"{what}_seconds"], ".1f") for what in ("retraining", "index", "attribution"))
    return division["division"], f"{cost['trainings']:,}", *seconds, interval(cost["ratio"], ".2f")
