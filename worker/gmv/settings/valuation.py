"""The section `valuation`."""

import hashlib
from typing import Literal

import orjson
from pydantic import Field

from gmv.settings.section import Images, Section

CopiesPolicy = Literal["even", "earliest", "off"]


class ValuationSettings(Section):
    """What decides credits, as far as a user says so."""

    candidates: Images | None = Field(
        None,
        gt=0,
        le=10_000,
        description="M of the method: how many training images the index returns per event, to be ranked exactly. "
        "Default: the index's own, as many as hold .95 of the ten nearest by W1 but 150 at most, which "
        "`gmv index info` shows.",
    )
    contributors: Images = Field(
        10,
        gt=0,
        le=1_000,
        description="K of the method: how many of the nearest training images share an event's credit.",
    )
    temperature: float | None = Field(
        None,
        gt=0.0,
        allow_inf_nan=False,
        description="Temperature of the softmax over distances. A higher one makes the shares more equal, a lower one "
        "favours the nearest image. Default: the index's own, a third of the spread among nearest neighbours in it, "
        "which `gmv index info` shows; 1 is the formula of GMValuator in raw distances.",
    )

    evidence: float | None = Field(
        None,
        gt=0.0,
        lt=1.0,
        allow_inf_nan=False,
        description="The highest p-value at which an event counts as evidence; above it, or of a flat picture, "
        "its whole credit goes to the account `unattributed`. Default: none, all events are credited to "
        "the nearest, as in GMValuator. `gmv index info` shows how often each of some levels errs, both ways.",
    )

    copies: CopiesPolicy = Field(
        "even",
        description="Who is paid for near copies of one image, which an index groups (`gmv index duplicates`). With "
        "`even` a group has one place among the K, and its share is split evenly among its owners; with `earliest` it "
        "has one place, and who registered first takes all; with `off` each copy has a place of its own.",
    )

    def method(self, candidates: int, temperature: float, has_groups: bool = False) -> "Method":
        """Return the settings with nothing open.

        Args:
            candidates: M of the index, where these settings name none.
            temperature: of the index, likewise.
            has_groups: whether the index has near copies; without any the policy for them is off.
        """
        of_index = {
            "candidates": self.candidates or candidates,
            "temperature": self.temperature or temperature,
            "copies": self.copies if has_groups else "off",
        }
        return Method(**(self.model_dump() | of_index))


class Method(ValuationSettings):
    """What decides credits, with nothing left to the index."""

    candidates: Images = Field(gt=0)
    temperature: float = Field(gt=0.0, allow_inf_nan=False)
    copies: CopiesPolicy = "off"

    @property
    def digest(self) -> str:
        """16 hex digits over all that decides a credit here.

        What is newer than the digest counts where it is set, so that other settings keep the digest they had.
        """
        unset = {"evidence"} if self.evidence is None else set()
        unset |= {"copies"} if self.copies == "off" else set()
        deciding = self.model_dump(exclude=unset)
        return hashlib.sha256(orjson.dumps(deciding, option=orjson.OPT_SORT_KEYS)).hexdigest()[:16]
