"""Dead letters that commands read: the options that name them, and all of them one after the other."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from gmv.settings import KafkaSettings
    from gmv.stream.dead_letters import FoundDeadLetter, Wanted

FileOption = Annotated[
    Path | None,
    typer.Option("--file", metavar="FILE", help="Dead letters that `gmv replay` wrote, instead of those in Kafka."),
]
ReasonOption = Annotated[
    list[str] | None, typer.Option("--reason", metavar="REASON", help="Only those refused for this; may be repeated.")
]
EventIdOption = Annotated[
    str | None, typer.Option("--event-id", metavar="ID", help="Only those whose records say they are this event.")
]
PlaceOption = Annotated[
    str | None,
    typer.Option("--place", metavar="PARTITION/OFFSET", help="Only that of the record at this place of its log."),
]


def wanted_of(reasons: list[str] | None, event_id: str | None, place: str | None) -> "Wanted":
    """Return which dead letters these options mean.

    Raises:
        InvalidSettings: there is no such reason.
    """
    from gmv.errors import InvalidSettings, Reason
    from gmv.stream.dead_letters import Wanted

    if unknown := set(reasons or []) - set(Reason):
        raise InvalidSettings(f"--reason {min(unknown)} is none; there are {', '.join(Reason)}")
    return Wanted(frozenset(reasons or []), event_id, place)


def dead_letters_of(file: Path | None, kafka: "KafkaSettings") -> "Iterator[FoundDeadLetter]":
    """Yield all dead letters: of a file, or of the settings' topic where none is named."""
    if file is not None:
        from gmv.files.dead_letters import dead_letters_in_file

        return dead_letters_in_file(file)
    from gmv.kafka.dead_letters import dead_letters_in_topic

    return dead_letters_in_topic(kafka)
