"""Settings of a topic as numbers, and times in words."""

from typing import Final

from gmv.kafka.inspection import TopicFacts

_MILLISECONDS_PER_DAY: Final = 86_400_000


def number_of(topic: TopicFacts, name: str) -> int | None:
    """Return a topic's setting; None where it has none, or this user may not see it."""
    value = topic.configs.get(name) if topic.configs else None
    return None if value is None else int(value)


def days(milliseconds: int) -> str:
    """Return a time of milliseconds in days."""
    return f"{milliseconds / _MILLISECONDS_PER_DAY:,.1f} days"
