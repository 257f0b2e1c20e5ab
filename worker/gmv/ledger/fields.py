"""Names of what every ledger holds, as answers name them; Redis's other names are its own (`redis/keys.py`)."""

from typing import Final

CORRECTIONS_PREFIX: Final = "corrections/"
"""Of the topic that a file of corrections is: no topic of Kafka and no file of events has a slash in its name."""

OWNER_PREFIX: Final = "o:"
NOTE_PREFIX: Final = "#n:"
FIRST_PREFIX: Final = "#m:first:"
BEGIN_PREFIX: Final = "#m:begin:"
SUM_FIELDS: Final = ("#s:micros", "#s:credited", "#s:dead_letters", "#s:duplicates", "#s:corrections")


def note_field(topic: str, partition: int) -> str:
    """Return the field of a partition's note."""
    return f"{NOTE_PREFIX}{topic}:{partition}"


def first_field(topic: str) -> str:
    """Return the field of the partitions that a topic had when the ledger first knew it (`beginning.py`)."""
    return f"{FIRST_PREFIX}{topic}"


def begin_field(topic: str, partition: int) -> str:
    """Return the field of where crediting of a partition began."""
    return f"{BEGIN_PREFIX}{topic}:{partition}"
