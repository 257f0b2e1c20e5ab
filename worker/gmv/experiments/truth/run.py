"""Known truth: how much of the credit for remixes goes to the training images that they were made of.

The demo's generator cuts and recolours known training images of different owners into one picture, and puts noise over
it. So it is known who should be credited, and how much of the picture is whose.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from gmv.errors import ExperimentRefused
from gmv.experiments.statistics import over_seeds
from gmv.experiments.truth.calibrating import PAIRS_MIN, calibration_of, pairs_of
from gmv.experiments.truth.measures import (
    found_at,
    line_through,
    misplaced,
    on_owners,
    on_sources,
    owners_by_chance,
    source_shares,
)
from gmv.experiments.truth.mixing import Kind, Mixer, Mixes
from gmv.experiments.truth.results import CreditAt, FoundAt, KindResult, Truth
from gmv.experiments.values import POSTER_TEMPERATURE

CONTRIBUTORS: Final = 10
COUNTS: Final = (1, 2, 3, 5, 10)
"""K of precision and recall."""

_EVENTS_MIN: Final = 10


@dataclass(frozen=True, slots=True)
class Plan:
    """What is made.

    Attributes:
        sources: numbers of them, each with remixes of its own.
        noises: standard deviations, in steps of 256; each goes over the same remixes.
        events: of each kind and seed.
        seeds: of the remix generator.
    """

    sources: Sequence[int]
    noises: Sequence[float]
    events: int
    seeds: Sequence[int]

    @property
    def kinds(self) -> list[Kind]:
        """All of them."""
        return [Kind(sources, noise) for noise in self.noises for sources in self.sources]


def run_truth(mixer: Mixer, plan: Plan, dataset: str, command: str) -> Truth:
    """Make remixes, attribute them, and compare with what they are made of.

    Args:
        mixer: over a corpus.
        plan: what to make.
        dataset: its name.
        command: that makes the same result.

    Raises:
        CorpusRefused: the corpus has fewer owners than remixes should have.
        ExperimentRefused: there are too few events, or no remix of several sources.
    """
    if plan.events < _EVENTS_MIN:
        raise ExperimentRefused(f"{plan.events} events of each kind are too few for a mean; ask for {_EVENTS_MIN}")
    if max(plan.sources) < 2:
        raise ExperimentRefused(
            "remixes of one source have no mixing weights to compare shares with; add 2 to --sources"
        )
    by_seed = [mixer.mixes(plan.kinds, plan.events, seed) for seed in plan.seeds]
    own = mixer.index.manifest.defaults.temperature
    return Truth(
        "truth",
        command,
        dataset,
        tuple(plan.seeds),
        plan.events,
        len(mixer.index.images),
        len(mixer.owned),
        CONTRIBUTORS,
        mixer.candidates,
        own,
        PAIRS_MIN,
        mixer.index.index_id,
        tuple(_kind(kind, [each[kind] for each in by_seed], mixer, own) for kind in plan.kinds),
        tuple(
            calibration_of(
                noise,
                tau,
                [pairs_of([each[Kind(count, noise)] for count in plan.sources], tau) for each in by_seed],
            )
            for noise in plan.noises
            for tau in (POSTER_TEMPERATURE, own)
        ),
    )


def _kind(kind: Kind, by_seed: Sequence[Mixes], mixer: Mixer, own: float) -> KindResult:
    found = {count: [found_at(each, count) for each in by_seed] for count in COUNTS}
    return KindResult(
        kind.sources,
        kind.noise,
        tuple(
            FoundAt(count, over_seeds([each.precision for each in of]), over_seeds([each.recall for each in of]))
            for count, of in found.items()
        ),
        kind.sources / len(mixer.owners),
        over_seeds([owners_by_chance(each, mixer.owners, mixer.owned) for each in by_seed]),
        tuple(_credit(tau, by_seed, mixer) for tau in (POSTER_TEMPERATURE, own)),
    )


def _credit(tau: float, by_seed: Sequence[Mixes], mixer: Mixer) -> CreditAt:
    lines = [line_through(each.weights.ravel(), source_shares(each, tau).ravel()) for each in by_seed]
    slopes = [line.slope for line in lines if line is not None]
    return CreditAt(
        tau,
        over_seeds([on_sources(each, tau) for each in by_seed]),
        over_seeds([on_owners(each, mixer.owners, tau) for each in by_seed]),
        over_seeds([misplaced(each, tau) for each in by_seed]),
        over_seeds(slopes) if slopes else None,
    )
