"""The section of known truth: sources found, credit on them, and shares against mixing weights."""

from functools import partial

from gmv.experiments.report.layout import Result, Section, Table, interval
from gmv.experiments.report.pictures import calibration_picture


def truth_section(result: Result) -> Section:
    """By number of sources and noise; and by mixing weight."""
    text = (
        f"{result['events']} remixes of each kind and seed.",
        f"{result['images']:,} training images of {result['owners']:,} owners.",
        f"K = {result['contributors']}, M = {result['candidates']}.",
        f"Remixes of one source are altered copies. Tau {result['temperature']:.3g} is the index's own.",
        "Precision at K: how many of the K nearest are true sources; recall at K: how many of these are among the K.",
        "Misplaced is the share of credit that is not where the mixing weights would have it.",
        "A slope is of shares against mixing weights: 1 where a share grows as the weight does, 0 where it does not.",
        "A slope above 1 with an intercept below 0: large sources earn more than their part, and small ones less.",
        f"Bins are over all kinds; one of which a seed has less than {result['pairs_min']} sources is not listed.",
        *_reading(result),
    )
    return Section(
        f"Known truth on {result['dataset']}: credit for remixes, whose sources are known",
        result["command"],
        text,
        (_found(result, "precision"), _found(result, "recall"), _credit(result), _lines(result), _bins(result)),
        partial(calibration_picture, result),
    )


def _reading(result: Result) -> list[str]:
    """Say for each noise and temperature what the sources earn, by how many there are."""
    sentences = []
    for noise in dict.fromkeys(kind["noise"] for kind in result["kinds"]):
        kinds = [kind for kind in result["kinds"] if kind["noise"] == noise]
        for place, at in enumerate(kinds[0]["credit"]):
            earned = [f"{kind['credit'][place]['on_sources']['mean']:.1%} of {kind['sources']}" for kind in kinds]
            sentences.append(f"Noise {noise:g}, tau {at['temperature']:.3g}: sources earn {', '.join(earned)}.")
    return sentences


def _found(result: Result, name: str) -> Table:
    """Precision or recall, by K."""
    counts = [each["contributors"] for each in result["kinds"][0]["found"]]
    return Table(
        ("sources", "noise", *(f"{name} at {count}" for count in counts)),
        tuple(
            (str(kind["sources"]), f"{kind['noise']:g}", *(interval(each[name], ".3f") for each in kind["found"]))
            for kind in result["kinds"]
        ),
    )


def _credit(result: Result) -> Table:
    return Table(
        (
            "sources",
            "noise",
            "tau",
            "credit on sources",
            "by chance",
            "credit on their owners",
            "by chance",
            "misplaced",
            "slope",
        ),
        tuple(
            (
                str(kind["sources"]),
                f"{kind['noise']:g}",
                f"{at['temperature']:.3g}",
                interval(at["on_sources"], ".3f"),
                f"{kind['sources_by_chance']:.2g}",
                interval(at["on_owners"], ".3f"),
                f"{kind['owners_by_chance']['mean']:.3f}",
                interval(at["misplaced"], ".3f"),
                "" if at["slope"] is None else interval(at["slope"], ".2f"),
            )
            for kind in result["kinds"]
            for at in kind["credit"]
        ),
    )


def _lines(result: Result) -> Table:
    return Table(
        ("noise", "tau", "slope", "intercept", "mean error"),
        tuple(
            (
                f"{each['noise']:g}",
                f"{each['temperature']:.3g}",
                interval(each["slope"], ".2f"),
                interval(each["intercept"], ".3f"),
                interval(each["error"], ".3f"),
            )
            for each in result["calibrations"]
        ),
    )


def _bins(result: Result) -> Table:
    return Table(
        ("noise", "tau", "weights", "sources", "mean weight", "mean share"),
        tuple(
            (
                f"{each['noise']:g}",
                f"{each['temperature']:.3g}",
                f"{one['low']:g} to {one['high']:g}",
                f"{one['pairs']:,}",
                f"{one['weight']['mean']:.3f}",
                interval(one["share"], ".3f"),
            )
            for each in result["calibrations"]
            for one in each["bins"]
        ),
    )
