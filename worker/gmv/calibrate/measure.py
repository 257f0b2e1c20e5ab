"""Where credit goes at each temperature: on true sources, on true owners, and over how many images it is spread."""

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, median
from typing import Final, NamedTuple

import numpy as np

from gmv.attributor import Attributor
from gmv.calibrate.choosing import Choice, choose
from gmv.calibrate.queries import Query
from gmv.corpus.port import TrainingImage
from gmv.errors import IndexRefused, Poison
from gmv.index.manifest import temperature_of
from gmv.index.opened import Index
from gmv.indexing.calibrating import MIXES
from gmv.indexing.calibration import wilson_interval
from gmv.valuation.types import Attribution
from gmv.valuation.utility import effective_contributors

RAW: Final = 1.0  # GMValuator's formula in raw distances
_STEPS: Final = range(-6, 7)  # halves of powers of two around the rule's: an eighth to eight times
_UNMEASURED: Final = 2.0**-5  # in place of the rule's, for an index that an earlier gmv built
_TWO_DIGITS: Final = 0.1  # from a number of two digits to the next
_AT_ONCE: Final = 32
_DECIMALS: Final = 4


class Share(NamedTuple):
    """Mean of a share over queries, and an interval of 95 % around it."""

    mean: float
    least: float
    most: float


@dataclass(frozen=True, slots=True)
class AtTemperature:
    """Where credit goes at one temperature.

    Attributes:
        temperature: tau.
        on_true_sources: share of a query's credit on training images that it is made of.
        on_true_owners: share on images of their owners.
        effective_contributors: median of exp(H) of the shares.
    """

    temperature: float
    on_true_sources: Share
    on_true_owners: Share
    effective_contributors: float


@dataclass(frozen=True, slots=True)
class KindMeasured:
    """Queries of one kind.

    Attributes:
        kind: in words.
        queries: number of them.
        sources_credited: share of their sources that are among the contributors.
        nearest_is_source: share of queries whose nearest contributor is a source.
        sources_by_chance: share of credit on true sources, were each given to images drawn blindly.
        owners_by_chance: share on true owners, likewise.
        temperatures: ascending.
    """

    kind: str
    queries: int
    sources_credited: float
    nearest_is_source: float
    sources_by_chance: float
    owners_by_chance: float
    temperatures: tuple[AtTemperature, ...]


@dataclass(frozen=True, slots=True)
class Calibrated:
    """What `calibrate` found.

    Attributes:
        index_id: of the index.
        training_images: in it.
        owners: of them.
        temperature: that the settings and the index name.
        rule: a third of the spread among nearest neighbours; None of an index where that was not measured.
        kinds: of queries.
        choice: None where there are too few queries.
    """

    index_id: str
    training_images: int
    owners: int
    temperature: float
    rule: float | None
    kinds: tuple[KindMeasured, ...]
    choice: Choice | None


class _Seen(NamedTuple):
    """Of one query at one temperature."""

    on_sources: float
    on_owners: float
    effective: float


def temperatures_for(index: Index, own: float) -> tuple[float, ...]:
    """Return what is tried, ascending: around the rule's, the one in use, and that of the formula in raw distances."""
    middle = rule_of(index) or _UNMEASURED
    return tuple(sorted({own, RAW, middle, *(float(f"{middle * 2 ** (step / 2):.2g}") for step in _STEPS if step)}))


def rule_of(index: Index) -> float | None:
    """Return a third of the spread that was measured when the index was built."""
    measured = index.manifest.neighbours
    if measured is None or not measured.queries:
        return None
    rule = temperature_of(measured.spread)
    # The build's rule saw a spread that was not rounded yet, which may be the next number of two digits.
    return measured.temperature if math.isclose(rule, measured.temperature, rel_tol=_TWO_DIGITS) else rule


def measure(
    index: Index,
    attributor: Attributor,
    queries: Mapping[str, Sequence[Query]],
    own: float,
    advance: Callable[[int], None],
) -> Calibrated:
    """Attribute queries as a worker does, at each temperature.

    Args:
        index: to be measured.
        attributor: over it.
        queries: by kind, at least one each.
        own: the temperature in use.
        advance: called with the number of queries done since the last call.

    Raises:
        IndexRefused: the index has no encoder for images.
    """
    temperatures = temperatures_for(index, own)
    images = index.images.images(range(len(index.images)))
    owned = Counter(image.owner_id for image in images)
    kinds, on_sources = [], {}
    for kind, asked in queries.items():
        attributed: list[list[Attribution]] = [[] for _ in temperatures]
        for start in range(0, len(asked), _AT_ONCE):
            some = asked[start : start + _AT_ONCE]
            for found, outcomes in zip(
                attributed, attributor.attribute_at([query.event for query in some], temperatures), strict=True
            ):
                found += [_sound(index, outcome) for outcome in outcomes]
            advance(len(some))
        sources = [[images[row] for row in query.sources] for query in asked]
        seen = [[_seen(*each) for each in zip(found, sources, strict=True)] for found in attributed]
        on_sources[kind] = np.array([[each.on_sources for each in column] for column in seen]).T
        at = tuple(_at(*each) for each in zip(temperatures, seen, strict=True))
        kinds.append(_kind(kind, sources, attributed[0], owned, at))
    return Calibrated(
        index_id=index.index_id,
        training_images=len(images),
        owners=len(owned),
        temperature=own,
        rule=rule_of(index),
        kinds=tuple(kinds),
        choice=choose(on_sources[MIXES], temperatures, own),
    )


def _sound(index: Index, outcome: Attribution | Poison) -> Attribution:
    if isinstance(outcome, Poison):
        raise IndexRefused(f"{index.path}: {outcome.detail}; measure an index that was built from images")
    return outcome


def _seen(attribution: Attribution, sources: Sequence[TrainingImage]) -> _Seen:
    """Take utilities, not micro-credits: weights of images say what is paid out, not what resembles what."""
    image_ids, owner_ids = {image.image_id for image in sources}, {image.owner_id for image in sources}
    contributors = attribution.contributors
    return _Seen(
        sum(each.utility for each in contributors if each.image_id in image_ids),
        sum(each.utility for each in contributors if each.owner_id in owner_ids),
        effective_contributors([each.utility for each in contributors]),
    )


def _at(temperature: float, seen: Sequence[_Seen]) -> AtTemperature:
    return AtTemperature(
        temperature,
        _share([each.on_sources for each in seen]),
        _share([each.on_owners for each in seen]),
        round(median(each.effective for each in seen), _DECIMALS),
    )


def _share(values: Sequence[float]) -> Share:
    mean = min(1.0, fmean(values))  # utilities sum to 1 within a few units in the last place
    least, most = wilson_interval(mean, len(values))
    return Share(*(round(value, _DECIMALS) for value in (mean, least, most)))


def _kind(
    kind: str,
    sources: Sequence[Sequence[TrainingImage]],
    attributed: Sequence[Attribution],
    owned: Counter[str],
    at: tuple[AtTemperature, ...],
) -> KindMeasured:
    made_of = [{image.image_id for image in each} for each in sources]
    credited = [[each.image_id for each in attribution.contributors] for attribution in attributed]
    number, rows = sum(map(len, made_of)), owned.total()
    return KindMeasured(
        kind=kind,
        queries=len(sources),
        sources_credited=round(
            sum(len(of & set(found)) for of, found in zip(made_of, credited, strict=True)) / number, _DECIMALS
        ),
        nearest_is_source=round(
            fmean(bool(of & set(found[:1])) for of, found in zip(made_of, credited, strict=True)), _DECIMALS
        ),
        sources_by_chance=number / rows / len(sources),
        owners_by_chance=fmean(sum(owned[owner] for owner in {i.owner_id for i in each}) / rows for each in sources),
        temperatures=at,
    )
