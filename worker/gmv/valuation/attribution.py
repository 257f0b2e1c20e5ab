"""From the contributor set of one generated image to what each contributor is credited."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from gmv.valuation.apportion import apportion, budget_micros
from gmv.valuation.evidence import UNATTRIBUTED
from gmv.valuation.types import MICROS_PER_CREDIT, Attribution, Candidate, Contributor
from gmv.valuation.utility import utilities


def value_contributors(candidates: Sequence[Candidate], quality: float, temperature: float) -> Attribution:
    """Value a contributor set P_j of images that are no copies of each other: `value_places` with one image in each.

    Args:
        candidates: P_j, in order of (distance, image id); may be empty, which is worth nothing.
        quality: in [0, 1].
        temperature: tau > 0.
    """
    return value_places([[candidate] for candidate in candidates], quality, temperature)


def value_places(places: Sequence[Sequence[Candidate]], quality: float, temperature: float) -> Attribution:
    """Value a contributor set P_j and share the event's budget among it.

    gamma_ij = quality_j x weight_i scales each utility; the budget is round(10^6 x sum_i gamma_ij V_ij). With
    quality and weights of 1 that is one whole credit per event.

    Args:
        places: of P_j, in order of (distance, image id), each taken by one image, or by some near copies of one owner
            each, which are as far away and have equal parts of its utility. May be empty, which is worth nothing, and
            places without an image count as none.
        quality: in [0, 1].
        temperature: tau > 0.
    """
    taken = [place for place in places if place]
    candidates = [candidate for place in taken for candidate in place]
    of_places = utilities([place[0].distance for place in taken], temperature)
    shares = [share / len(place) for share, place in zip(of_places, taken, strict=True) for _ in place]
    worth = [quality * candidate.weight * share for candidate, share in zip(candidates, shares, strict=True)]
    budget = budget_micros(worth, MICROS_PER_CREDIT)
    earned = apportion(budget, worth, [candidate.image_id for candidate in candidates])
    contributors = tuple(
        Contributor(c.image_id, c.owner_id, c.distance, share, c.weight, micros, c.mirrored, c.group)
        for c, share, micros in zip(candidates, shares, earned, strict=True)
    )
    return Attribution(contributors, quality, temperature, budget)


def withheld(attribution: Attribution) -> Attribution:
    """Return it with the whole budget unattributed: its contributors stay to be seen, and are credited nothing."""
    unpaid = tuple(replace(contributor, micros=0) for contributor in attribution.contributors)
    return replace(attribution, contributors=unpaid, unattributed_micros=attribution.micros)


def owner_credits(attributions: Iterable[Attribution]) -> dict[str, int]:
    """Sum micro-credits per owner, and of the account of what is unattributed; who earns nothing is left out."""
    totals: dict[str, int] = {}
    for attribution in attributions:
        earned = [(contributor.owner_id, contributor.micros) for contributor in attribution.contributors]
        for owner_id, micros in (*earned, (UNATTRIBUTED, attribution.unattributed_micros)):
            if micros:
                totals[owner_id] = totals.get(owner_id, 0) + micros
    return totals
