"""Which rights each of gmv's roles needs of Kafka, and no more; tested against a broker that checks them."""

from collections.abc import Mapping
from typing import Final, NamedTuple

from gmv.settings import KafkaSettings


class Right(NamedTuple):
    """One right, in Kafka's words.

    Attributes:
        operation: such as "Read"; Read and Write bring Describe along.
        resource: "Topic" or "Group".
        name: of the topic or the group.
    """

    operation: str
    resource: str
    name: str


_ROLES: Final[Mapping[str, tuple[tuple[str, str, str], ...]]] = {
    "worker": (
        ("Read", "Topic", "topic"),
        ("Read", "Group", "group"),
        ("Write", "Topic", "receipts_topic"),
        ("Write", "Topic", "dead_letters_topic"),
    ),
    "producer": (("Write", "Topic", "topic"),),
    "auditor": (("Describe", "Topic", "topic"),),
    "verifier": (("Read", "Topic", "receipts_topic"),),
    "explainer": (("Read", "Topic", "receipts_topic"), ("Read", "Topic", "dead_letters_topic")),
    "corrector": (("Read", "Topic", "receipts_topic"), ("Write", "Topic", "receipts_topic")),
    "redriver": (("Read", "Topic", "dead_letters_topic"), ("Write", "Topic", "topic")),
    "administrator": (
        ("Create", "Topic", "topic"),
        ("Create", "Topic", "receipts_topic"),
        ("Create", "Topic", "dead_letters_topic"),
        ("Describe", "Topic", "topic"),
    ),
}
"""By role: operation, resource, and the setting that names it.

The worker is `gmv worker`, and `gmv doctor`, which looks for what a worker may; the producer is what sends events, the
auditor `gmv ledger audit`, the verifier `gmv ledger verify`, the explainer `gmv explain`, the corrector
`gmv ledger correct`, the redriver `gmv dlq`, the administrator `gmv topics create`, `gmv ledger init` and
`gmv ledger accept-loss`.
"""

ROLES: Final = tuple(_ROLES)


def rights(role: str, kafka: KafkaSettings) -> tuple[Right, ...]:
    """Return what a role needs for the topics and the group of these settings."""
    return tuple(Right(operation, resource, getattr(kafka, named)) for operation, resource, named in _ROLES[role])
