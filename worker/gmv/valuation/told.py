"""What a record tells of its event beside what decides credits: handed on to the receipt, so that it can be asked by.

All of it is in the record itself, never of a clock here: a run that is attributed again has the same receipts.
"""

from dataclasses import dataclass
from typing import Any, NotRequired

from typing_extensions import TypedDict


class Told(TypedDict):
    """The keys of a receipt that say when, of what and by what an image was made, as far as its record tells.

    `time` is the event's own, as it was written (RFC 3339); `record_timestamp_ms` the record's, in milliseconds since
    1970, which Kafka keeps and a file does not; `model` the generator's name; `picture` the image's URI, without what
    may be secret in one; `metadata` the producer's own, where it is short.
    """

    time: NotRequired[str]
    record_timestamp_ms: NotRequired[int]
    model: NotRequired[str]
    picture: NotRequired[str]
    metadata: NotRequired[Any]


@dataclass(frozen=True, slots=True)
class Telling:
    """The same, None where the record does not tell it."""

    time: str | None = None
    record_timestamp_ms: int | None = None
    model: str | None = None
    picture: str | None = None
    metadata: Any = None

    def keys(self) -> Told:
        """Return those that there are, in the order of a receipt."""
        told: Told = {}
        if self.time is not None:
            told["time"] = self.time
        if self.record_timestamp_ms is not None:
            told["record_timestamp_ms"] = self.record_timestamp_ms
        if self.model is not None:
            told["model"] = self.model
        if self.picture is not None:
            told["picture"] = self.picture
        if self.metadata is not None:
            told["metadata"] = self.metadata
        return told
