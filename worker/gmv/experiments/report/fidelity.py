"""The section of fidelity: C1, C3, M, tau, quantisation and quality."""

from collections.abc import Mapping
from typing import Final

from gmv.experiments.report.layout import Result, Section, Table, interval

_WAYS: Final[Mapping[str, str]] = {
    "recalled": "recall alone",
    "by_pixels": "L2 of M",
    "ranked": "W1 of M",
    "exact": "W1 of all",
    "pixels": "L2 of all",
    "chance": "chance",
}
_QUANTISED: Final[Mapping[str, str]] = {
    "none": "not quantised",
    "codes": "the index's own codes, then vectors",
    "pq": "product quantisation, 8 bytes",
}


def fidelity_section(result: Result) -> Section:
    """C1, C3, M and tau."""
    nearest = Table(
        ("K", *_WAYS.values()),
        tuple(
            (str(each["contributors"]), *(interval(each[way], ".3f") for way in _WAYS))
            for each in result["class_shares"]
        ),
    )
    depths = Table(
        ("M", "of the true ten", "credit that goes elsewhere"),
        tuple(
            (str(each["candidates"]), interval(each["recall"], ".3f"), interval(each["moved"], ".3f"))
            for each in result["depths"]
        ),
    )
    sharpness = Table(
        ("tau", "effective contributors", "credit to the class", "AUC of real images against noise"),
        tuple(
            (
                f"{each['temperature']:.3g}",
                interval(each["effective_contributors"], ".2f"),
                interval(each["class_share"], ".3f"),
                interval(each["noise_auc"], ".3f"),
            )
            for each in result["sharpness"]
        ),
    )
    text = (
        f"{result['queries']:,} images asked about {result['indexed']:,} others; {result['noise']:,} are noise.",
        "L2 is of pixels, W1 of tokens. W1 and L2 of M look at an image and its mirror image, L2 of all at the image.",
        f"The index's own M is {interval(result['candidates'], '.0f')}.",
        f"Its own tau is {interval(result['temperature'], '.4f')}: the last row of the table by tau.",
        f"C3 by counting hits: AUC {interval(result['noise_auc_of_hits'], '.3f')}.",
        "By class, and by quantisation, K = 10. Value changes are parts of all value that move to other images.",
        "Quality is known: of four queries one is as it is, the others are noise to 25, 50 and 75 %; it is the rest.",
        "Their values are compared with those by the same queries without noise.",
    )
    return Section(
        f"Fidelity on {result['dataset']}: K, M, tau and the re-rank",
        result["command"],
        text,
        (nearest, _classes(result), depths, sharpness, _quantised(result), _weighted(result)),
    )


def _classes(result: Result) -> Table:
    return Table(
        ("class", "queries", *_WAYS.values()),
        tuple(
            (str(each["label"]), str(each["queries"]), *(interval(each["share"][way], ".3f") for way in _WAYS))
            for each in result["classes"]
        ),
    )


def _quantised(result: Result) -> Table:
    figures = ("recalled", "ranked", "recall", "value_change")
    return Table(
        ("recalled by vectors", "recall alone", "W1 of M", "of the true ten", "value change"),
        tuple(
            (_QUANTISED[each["way"]], *(interval(each[figure], ".3f") for figure in figures))
            for each in result["quantised"]
        ),
    )


def _weighted(result: Result) -> Table:
    figures = ("class_share", "noise_share", "value_change")
    return Table(
        ("queries under noise", "value to the class", "value to images of noise", "value change"),
        tuple(
            (
                "weighted by quality" if each["is_weighted"] else "all count alike",
                *(interval(each[figure], ".3f") for figure in figures),
            )
            for each in result["weighted"]
        ),
    )
