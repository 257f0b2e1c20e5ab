"""Names of what every ledger holds, as answers name them; Redis's other names are its own (`redis/keys.py`)."""

from typing import Final

OWNER_PREFIX: Final = "o:"
NOTE_PREFIX: Final = "#n:"
SUM_FIELDS: Final = ("#s:micros", "#s:credited", "#s:dead_letters", "#s:duplicates", "#s:corrections")


def note_field(topic: str, partition: int) -> str:
    """Return the field of a partition's note."""
    return f"{NOTE_PREFIX}{topic}:{partition}"
