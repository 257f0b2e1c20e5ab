"""How many images a second encoders see, alone and in runs: all of them take turns over the same images."""

import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gmv.encoders.port import Encoder

RUNS: Final = (1, 64)
"""Images that are handed over at once: an event that comes alone, and about a worker's run."""

_BASELINE_RUN: Final = 1


@dataclass(frozen=True, slots=True)
class EncodeCase:
    """One encoder in runs of one length, by one thread; medians over rounds.

    Attributes:
        encoder: what it is called.
        encoder_id: its own id.
        images_per_run: handed over at once.
        images_per_second: that it sees.
        ratio: images a second, to those of the first encoder in runs as long.
        ratio_alone: ditto, to those of the same encoder when it gets images one by one.
    """

    encoder: str
    encoder_id: str
    images_per_run: int
    images_per_second: float
    ratio: float
    ratio_alone: float


@dataclass(frozen=True, slots=True)
class EncodeBench:
    """What `bench_encode` measured.

    Attributes:
        images: that each encoder sees in a round, in runs of either length.
        rounds: how often, taking turns; there is one more, not measured, to warm up.
        baseline: the encoder that others are compared with.
        cases: of each encoder, in runs of each length.
        left_out: encoders that are not installed, and why.
    """

    images: int
    rounds: int
    baseline: str
    cases: tuple[EncodeCase, ...]
    left_out: Mapping[str, str]


def bench_encode(
    encoders: Mapping[str, Encoder], images: Sequence[NDArray[np.uint8]], rounds: int, left_out: Mapping[str, str]
) -> EncodeBench:
    """Measure encoders by turns.

    Args:
        encoders: by what they are called; the first is the baseline.
        images: uint8 [height, width, 3] each, decoded before: as many as the longest run, or more.
        rounds: of all encoders and lengths.
        left_out: to be told.
    """
    turns = [(name, run) for name in encoders for run in RUNS]
    seconds: dict[tuple[str, int], list[float]] = {turn: [] for turn in turns}
    for number in range(rounds + 1):
        for name, run in turns:
            spent = _seconds(encoders[name], images, run)
            if number:
                seconds[name, run].append(spent)
    first = next(iter(encoders))
    return EncodeBench(
        images=len(images),
        rounds=rounds,
        baseline=first,
        cases=tuple(
            EncodeCase(
                encoder=name,
                encoder_id=encoders[name].encoder_id,
                images_per_run=run,
                images_per_second=len(images) / statistics.median(seconds[name, run]),
                ratio=_ratio(seconds[first, run], seconds[name, run]),
                ratio_alone=_ratio(seconds[name, _BASELINE_RUN], seconds[name, run]),
            )
            for name, run in turns
        ),
        left_out=left_out,
    )


def _seconds(encoder: Encoder, images: Sequence[NDArray[np.uint8]], run: int) -> float:
    started = time.perf_counter()
    for first in range(0, len(images), run):
        encoder.encode(images[first : first + run])
    return time.perf_counter() - started


def _ratio(baseline: Sequence[float], seconds: Sequence[float]) -> float:
    """Return how many times as fast, by the median over rounds: what slows a whole round down cancels out."""
    return statistics.median(one / other for one, other in zip(baseline, seconds, strict=True))
