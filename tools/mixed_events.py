"""Mixed events for comparing two commits: images, features, duplicates, corrections, and poison of several kinds.

No module of gmv is used, so that the same seed gives the same bytes whichever commit is checked out. What is needed of
an index (encoder id, tokens) and of the demo (images, receipts) is read from the files they are published in.
"""

import base64
import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, Final

import numpy as np
import orjson
from numpy.typing import NDArray
from PIL import Image

from tools.poison_events import BROKEN_TRANSPORTS, POISON, Event

SOURCE: Final = "/compare/mixed"
EVENT_TYPE: Final = "gmv.image.generated.v1"
CORRECTIONS: Final = 60

_FEATURES_SHARE: Final = 0.12
_KINDS: Final = {"fresh": 76, "duplicate": 7, "conflict": 3, "poison": 12, "broken_transport": 2}
"""Of 100 records; well below the shares of poison at which a worker stops."""

Headers = list[tuple[str, bytes]]
Receipt = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Material:
    """What events are made of.

    Attributes:
        images: PNG files, of the demo's events.
        encoder_id: of the index.
        vector_size: D of the index.
        tokens: float16 [images, n, d], of the index.
    """

    images: Sequence[bytes]
    encoder_id: str
    vector_size: int
    tokens: NDArray[np.float16]


@dataclass(frozen=True, slots=True)
class MixedRecord:
    """One record, as a file and as Kafka has it.

    Attributes:
        line: structured mode, without its end; what stands in a file of events.
        partition: of the topic; a duplicate has that of its original, as producers that send by key have it.
        is_event: whether `gmv emit` takes the line.
    """

    line: bytes
    partition: int
    key: bytes | None
    value: bytes | None
    headers: Headers
    is_event: bool


def read_material(events: Path, index: Path) -> Material:
    """Read it from the demo's files.

    Args:
        events: the demo's JSON lines; bad records among them are passed over.
        index: the demo's index folder.
    """
    manifest = orjson.loads((index / "manifest.json").read_bytes())
    images = [image for line in events.read_bytes().splitlines() if (image := _image_in(line))]
    encoder = manifest["encoder"]
    return Material(images, encoder["id"], encoder["vector_size"], np.load(index / "tokens.npy", mmap_mode="r"))


def mixed_records(material: Material, count: int, partitions: int, seed: int) -> list[MixedRecord]:
    """Return records in the order of the file; each partition has `count / partitions` of them, in this order.

    Raises:
        ValueError: the count is no multiple of the partitions.
    """
    if count % partitions:
        raise ValueError(f"{count} records do not fill {partitions} partitions evenly")
    makers = [_Partition(material, number, seed) for number in range(partitions)]
    return [makers[place % partitions].next_record() for place in range(count)]


def owners_lines(receipts: Sequence[Receipt], seed: int) -> list[bytes]:
    """Return an owners file: some owners and images opted out, some images sold. Names are those that were credited."""
    random = Random(f"owners {seed}")  # noqa: S311 - to be repeated, not to be secret
    owner_by_image = {share["image_id"]: share["owner_id"] for each in receipts for share in each["contributors"]}
    owners, images = sorted(set(owner_by_image.values())), sorted(owner_by_image)
    named = random.sample(images, 20)
    told: list[dict[str, Any]] = [{"owner_id": owner, "opted_out": True} for owner in random.sample(owners, 4)]
    told += [{"image_id": image, "opted_out": True, "note": "compare"} for image in named[:10]]
    told += [{"image_id": image, "owner_id": random.choice(owners)} for image in named[10:]]
    return [orjson.dumps(line) for line in told]


def correction_lines(receipts: Sequence[Receipt], exempt_owners: frozenset[str], seed: int) -> list[bytes]:
    """Return corrections of some receipts: each takes a part of what that event gave an owner, so the book has it.

    Args:
        receipts: committed.
        exempt_owners: who was paid nothing, whatever the receipts say of their share.
        seed: of the choice.
    """
    random = Random(f"corrections {seed}")  # noqa: S311 - to be repeated, not to be secret
    paid = [
        (receipt, share)
        for receipt in receipts
        for share in receipt["contributors"][:1]
        if share["micros"] > 1 and share["owner_id"] not in exempt_owners
    ]
    owners = sorted({share["owner_id"] for _, share in paid})
    lines = []
    for number, (receipt, share) in enumerate(random.sample(paid, CORRECTIONS)):
        told: dict[str, Any] = {
            "id": f"correction-{number}",
            "from_owner": share["owner_id"],
            "micros": random.randint(1, share["micros"]),
            "reason": "comparing two commits",
            "event": receipt["event"],
            "partition": receipt["position"]["partition"],
        }
        if number % 3:
            told["to_owner"] = random.choice([owner for owner in owners if owner != share["owner_id"]])
        lines.append(orjson.dumps(told))
    return lines


class _Partition:
    """The records of one partition, one after the other."""

    def __init__(self, material: Material, number: int, seed: int) -> None:
        self._material = material
        self._number = number
        self._random = Random(f"events {seed}/{number}")  # noqa: S311 - to be repeated, not to be secret
        self._numbers = np.random.default_rng([seed, number])
        self._credited: list[Event] = []
        self._made = 0
        self._poison = self._shuffled(POISON)
        self._transports = self._shuffled(BROKEN_TRANSPORTS)

    def next_record(self) -> MixedRecord:
        self._made += 1
        (kind,) = self._random.choices([*_KINDS], [*_KINDS.values()]) if self._credited else ("fresh",)
        match kind:
            case "duplicate":
                return self._record(self._random.choice(self._credited))
            case "conflict":
                return self._record(self._random.choice(self._credited) | {"data": self._data()})
            case "poison":
                return self._poisoned(next(self._poison)(self._fresh(), self._random))
            case "broken_transport":
                key, value, headers = next(self._transports)(self._fresh())
                return MixedRecord(b"null", self._number, key, value, headers, is_event=False)
        event = self._fresh()
        self._credited.append(event)
        return self._record(event)

    def _shuffled(self, kinds: Sequence[Callable[..., Any]]) -> Iterator[Callable[..., Any]]:
        """Every kind comes before any comes again."""
        while True:
            yield from self._random.sample(kinds, len(kinds))

    def _fresh(self) -> Event:
        event: Event = {
            "specversion": "1.0",
            "type": EVENT_TYPE,
            "source": SOURCE if self._random.random() < 0.9 else f"{SOURCE}/ü-{self._number % 2}",
            "id": f"mixed-{self._number}-{self._made:05}",
            "datacontenttype": "application/json",
        }
        if self._random.random() < 0.2:
            event["traceparent"] = f"00-{self._random.getrandbits(127) + 1:032x}-{self._made:016x}-01"
        return event | {"data": self._data()}

    def _data(self) -> dict[str, Any]:
        is_features = self._random.random() < _FEATURES_SHARE
        data: dict[str, Any] = {"features": self._features()} if is_features else {"image": {"bytes": self._image()}}
        if self._random.random() < 0.6:
            data["quality"] = self._random.choice([0.0, 0.25, 0.5, 1.0, round(self._random.random(), 3)])
        if self._random.random() < 0.5:
            data |= {"model": "mixed", "metadata": {"made": self._made, "nested": {"list": [1, 2.5, None, "é"]}}}
        return data

    def _image(self) -> str:
        """A new image of two of the demo's, in one of the formats and colour modes that gmv reads."""
        first, second = (Image.open(io.BytesIO(file)) for file in self._random.sample(self._material.images, 2))
        mixed = Image.blend(first.convert("RGB"), second.convert("RGB").resize(first.size), self._random.random())
        mixed = mixed.rotate(self._random.choice([0, 90, 180]))
        kind = self._random.choices(["RGB", "RGBA", "L", "P", "JPEG", "WEBP"], [60, 5, 5, 5, 15, 10])[0]
        file = io.BytesIO()
        match kind:
            case "JPEG":
                mixed.save(file, "JPEG", quality=90)
            case "WEBP":
                mixed.save(file, "WEBP", lossless=True)
            case "RGBA":
                mixed.putalpha(self._random.randrange(256))
                mixed.save(file, "PNG")
            case _:
                mixed.convert(kind).save(file, "PNG")
        return base64.b64encode(file.getvalue()).decode()

    def _features(self) -> dict[str, Any]:
        """Tokens near those of a training image, and any vector: what is recalled and what is near then differ."""
        row = self._random.randrange(len(self._material.tokens))
        vector = self._numbers.standard_normal(self._material.vector_size)
        tokens = self._material.tokens[row].astype(np.float32)
        tokens += self._numbers.standard_normal(tokens.shape, np.float32) * np.float32(0.01)
        return {
            "encoder": self._material.encoder_id,
            "vector": _base64((vector / np.linalg.norm(vector)).astype("<f4")),
            "tokens": _base64(tokens.astype("<f4")),
            "shape": [*tokens.shape],
            "dtype": "float32",
        }

    def _record(self, event: Event) -> MixedRecord:
        line, key = orjson.dumps(event), str(event["id"]).encode()
        if self._random.random() < 0.4:
            structured = [("content-type", b"application/cloudevents+json; charset=utf-8")]
            return MixedRecord(line, self._number, key, line, structured, is_event=True)
        return MixedRecord(line, self._number, key, orjson.dumps(event["data"]), binary_headers(event), is_event=True)

    def _poisoned(self, line: bytes) -> MixedRecord:
        return MixedRecord(line, self._number, None, line, [], is_event=False)


def binary_headers(event: Event) -> Headers:
    """Return the headers of an event in binary mode."""
    attributes = ((name, value) for name, value in event.items() if name not in {"data", "datacontenttype"})
    return [("content-type", b"application/json"), *((f"ce_{name}", str(value).encode()) for name, value in attributes)]


def _image_in(line: bytes) -> bytes | None:
    """Return the image in an event, None where there is none that can be read."""
    try:
        content = base64.b64decode(orjson.loads(line)["data"]["image"]["bytes"])
        Image.open(io.BytesIO(content)).load()
    except (ValueError, LookupError, OSError, SyntaxError):  # Pillow's own for a PNG that is cut off
        return None
    return content


def _base64(numbers: NDArray[Any]) -> str:
    return base64.b64encode(numbers.tobytes()).decode()
