"""What the experiment on known truth ends with."""

from dataclasses import dataclass

from gmv.experiments.statistics import Interval


@dataclass(frozen=True, slots=True)
class FoundAt:
    """Of true sources, at K = `contributors`; see `gmv.experiments.truth.measures.Found`."""

    contributors: int
    precision: Interval
    recall: Interval


@dataclass(frozen=True, slots=True)
class CreditAt:
    """Where credit goes at a temperature.

    Attributes:
        temperature: tau.
        on_sources: share of an event's credit on its true sources.
        on_owners: share on their owners, by any of their images.
        misplaced: share that is not where mixing weights would have it.
        slope: of the line through sources' shares against their mixing weights; None of single sources, whose weight
            is 1.
    """

    temperature: float
    on_sources: Interval
    on_owners: Interval
    misplaced: Interval
    slope: Interval | None


@dataclass(frozen=True, slots=True)
class KindResult:
    """Remixes of so many sources under so much noise.

    Attributes:
        sources: of each.
        noise: its standard deviation, in steps of 256.
        found: of the sources, by K.
        sources_by_chance: share of credit on true sources, were it given to images drawn blindly; also the precision.
        owners_by_chance: share on their owners, likewise.
        credit: by temperature.
    """

    sources: int
    noise: float
    found: tuple[FoundAt, ...]
    sources_by_chance: float
    owners_by_chance: Interval
    credit: tuple[CreditAt, ...]


@dataclass(frozen=True, slots=True)
class Bin:
    """Sources whose mixing weights are alike.

    Attributes:
        low, high: weights above the one, and up to the other.
        pairs: of an event and a source, over all seeds.
        weight: mean of them.
        share: mean share of credit.
    """

    low: float
    high: float
    pairs: int
    weight: Interval
    share: Interval


@dataclass(frozen=True, slots=True)
class Calibration:
    """Shares of sources against their mixing weights, over all numbers of sources.

    Attributes:
        noise: over the images.
        temperature: tau.
        slope, intercept: of the line of least squares; 1 and 0 where shares are weights.
        error: mean absolute difference of share and weight.
        bins: by weight, those of which every seed has enough pairs.
    """

    noise: float
    temperature: float
    slope: Interval
    intercept: Interval
    error: Interval
    bins: tuple[Bin, ...]


@dataclass(frozen=True, slots=True)
class Truth:
    """The experiment's result; `command` makes it again.

    `temperature` is the index's own, `candidates` its M, `owners` how many there are.
    """

    experiment: str
    command: str
    dataset: str
    seeds: tuple[int, ...]
    events: int
    images: int
    owners: int
    contributors: int
    candidates: int
    temperature: float
    pairs_min: int
    index_id: str
    kinds: tuple[KindResult, ...]
    calibrations: tuple[Calibration, ...]
