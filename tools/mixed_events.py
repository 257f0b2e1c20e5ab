"""Events of every kind out of a demo's own: sound, sent again, changed under the same id, and no events at all.

Made from bytes alone, without any module of gmv, so that two versions of gmv can be given the same ones.
"""

import json
import random
from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple, cast

_IMAGE_CHARACTERS_MIN: Final = 500  # a demo's records that are no events have less

SHARES: Final = {"sound": 0.80, "quality": 0.08, "again": 0.05, "changed": 0.02, "poison": 0.05}
"""How often a record is what; they add up to 1."""


class Made(NamedTuple):
    """A record to be sent.

    Attributes:
        partition: where it goes; what repeats an event goes where the event went.
        value: JSON, or what is none.
        headers: CloudEvents attributes where it is in binary mode.
    """

    partition: int
    value: bytes
    headers: tuple[tuple[str, bytes], ...] = ()


def mixed_events(lines: Sequence[bytes], count: int, partitions: int, seed: int) -> Iterator[Made]:
    """Yield records.

    Args:
        lines: of a demo's events, each a structured CloudEvent with an image in it.
        count: number of records.
        partitions: that they are spread over.
        seed: of what is what; the same seed gives the same bytes.
    """
    chance = random.Random(seed)  # noqa: S311 - nothing is secret here
    sound = [event for line in lines if (event := _event(line)) is not None]
    sent: list[tuple[int, dict[str, Any]]] = []
    for number in range(count):
        (kind,) = chance.choices(list(SHARES), list(SHARES.values()))
        if kind in ("again", "changed") and sent:
            partition, event = chance.choice(sent)
            if kind == "changed":
                event = event | {"data": event["data"] | {"image": chance.choice(sound)["data"]["image"]}}
            yield Made(partition, _bytes(event))
            continue
        partition = chance.randrange(partitions)
        if kind == "poison":
            yield Made(partition, chance.choice(_poison(chance.choice(sound), number)))
            continue
        event = chance.choice(sound) | {"id": f"mixed-{number:05}", "source": "/mixed"}
        if kind == "quality":
            event = event | {"data": event["data"] | {"quality": round(chance.random(), 3)}}
        sent.append((partition, event))
        yield _binary(partition, event) if number % 3 == 0 else Made(partition, _bytes(event))


def as_lines(records: Sequence[Made]) -> bytes:
    """Return those that are whole events as a file of them, each on its line."""
    return b"".join(record.value + b"\n" for record in records if not record.headers and b"\n" not in record.value)


def _poison(event: dict[str, Any], number: int) -> list[bytes]:
    own = event | {"id": f"poison-{number:05}", "source": "/mixed"}
    return [
        b"{no json",
        b"[]",
        _bytes({key: value for key, value in own.items() if key != "data"}),
        _bytes(own | {"type": "some.other.type"}),
        _bytes(own | {"data": {"image": {"bytes": "bm8gaW1hZ2U="}}}),
        _bytes(own | {"data": own["data"] | {"quality": 7}}),
        _bytes(own | {"data": {"image": {"uri": "file:///etc/hostname"}}}),
    ]


def _binary(partition: int, event: dict[str, Any]) -> Made:
    attributes = {name: value for name, value in event.items() if name not in ("data", "datacontenttype")}
    headers = [(f"ce_{name}", str(value).encode()) for name, value in attributes.items()]
    return Made(partition, _bytes(event["data"]), (*headers, ("content-type", b"application/json")))


def _event(line: bytes) -> dict[str, Any] | None:
    try:
        event = json.loads(line)
    except ValueError:
        return None
    match event:
        case {"data": {"image": {"bytes": str(image)}}} if len(image) > _IMAGE_CHARACTERS_MIN:
            return cast(dict[str, Any], event)
        case _:
            return None


def _bytes(event: dict[str, Any]) -> bytes:
    return json.dumps(event, separators=(",", ":")).encode()
