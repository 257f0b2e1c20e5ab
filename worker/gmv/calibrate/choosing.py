"""Which temperature is best by likelihood, chosen on half of the queries and judged on the other half.

The likelihood of a query is the share of its credit on its true sources. Too high a temperature spreads credit over
strangers; too low a one gives all to the nearest, which is wrong where that is no source, and costs most there.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gmv.valuation.types import MICROS_PER_CREDIT

_SHARE_MIN: Final = 1 / MICROS_PER_CREDIT  # nobody is credited less
_NORMAL_QUANTILE: Final = 1.959964  # of 97.5 %
_DECIMALS: Final = 4
_QUERIES_MIN: Final = 20  # in a half: below, an interval by the normal distribution is too narrow


@dataclass(frozen=True, slots=True)
class Choice:
    """The best temperature by likelihood beside the index's own.

    Attributes:
        temperature: of greatest mean log share on true sources, on the first half.
        own_temperature: of the index.
        chosen_on: queries of the first half that have a true source among their contributors; others are as unlikely
            at any temperature.
        judged_on: those of the second half.
        share: mean share on true sources over the second half, at the temperature chosen.
        own_share: the same at the index's own.
        log_share: mean natural logarithm of that share, at the temperature chosen.
        own_log_share: the same at the index's own.
        gain: of the log share by the choice, over the second half.
        gain_least: of an interval of 95 % around it.
        gain_most: of that interval.
    """

    temperature: float
    own_temperature: float
    chosen_on: int
    judged_on: int
    share: float
    own_share: float
    log_share: float
    own_log_share: float
    gain: float
    gain_least: float
    gain_most: float

    def sentence(self) -> str:
        """Say which is best, and whether it is better than the index's own by more than chance may do."""
        found = f"best by likelihood on half of the mixes ({self.chosen_on:,}): temperature {self.temperature:g}"
        if self.temperature == self.own_temperature:
            return (
                f"{found}, which is the index's own; on the other half ({self.judged_on:,}) the mean log share on true "
                f"sources is {self.log_share:.3f} at it, and the share {self.share:.1%}"
            )
        verdict = "better" if self.gain_least > 0 else "worse" if self.gain_most < 0 else "no clear difference"
        return (
            f"{found}; on the other half ({self.judged_on:,}) the mean log share on true sources is "
            f"{self.log_share:.3f} at it and {self.own_log_share:.3f} at the index's own {self.own_temperature:g} "
            f"(shares {self.share:.1%} and {self.own_share:.1%}): {verdict}, {self.gain:+.3f} "
            f"({self.gain_least:+.3f} to {self.gain_most:+.3f})"
        )


def choose(shares: NDArray[np.float64], temperatures: Sequence[float], own: float) -> Choice | None:
    """Choose on every other query, and judge on those between; None where too few have a source credited.

    Args:
        shares: float64 [queries, temperatures], on true sources.
        temperatures: of the columns.
        own: the index's own, one of them.
    """
    found = shares[shares.max(axis=1, initial=0.0) > 0.0]
    first, second = found[::2], found[1::2]
    if len(second) < _QUERIES_MIN:
        return None
    logs = [np.log(np.maximum(half, _SHARE_MIN)) for half in (first, second)]
    best, mine = int(logs[0].mean(axis=0).argmax()), list(temperatures).index(own)
    gains = logs[1][:, best] - logs[1][:, mine]
    half_width = _NORMAL_QUANTILE * float(gains.std(ddof=1)) / math.sqrt(len(gains))
    gain = float(gains.mean())
    return Choice(
        temperature=temperatures[best],
        own_temperature=own,
        chosen_on=len(first),
        judged_on=len(second),
        share=_rounded(second[:, best].mean()),
        own_share=_rounded(second[:, mine].mean()),
        log_share=_rounded(logs[1][:, best].mean()),
        own_log_share=_rounded(logs[1][:, mine].mean()),
        gain=_rounded(gain),
        gain_least=_rounded(gain - half_width),
        gain_most=_rounded(gain + half_width),
    )


def _rounded(value: float) -> float:
    return round(float(value), _DECIMALS)
