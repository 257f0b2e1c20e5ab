"""A tiny index of made-up features, and what each owner is owed for a picture of it, worked out by brute force.

An event's id says which picture it shows and in what quality, so that a reader of the log knows what is owed
without a word of gmv. One event is attributed in about a millisecond: the protocol is what is tried here.
"""

import random
from collections import Counter
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as parquet
from numpy.typing import NDArray

from gmv.events.encoding import structured
from gmv.events.model import EventFeatures, GeneratedImage
from tests.end_to_end.command import gmv
from tests.end_to_end.oracle import Image, nearest, owed

ENCODER = "made-up-features"
IMAGES = 24
OWNERS = 7
PICTURES = 12
CONTRIBUTORS = 4
FIRST = "owner"
QUALITIES = ("1.0", "0.5", "0.25")


@dataclass(frozen=True)
class Features:
    """Vectors, float32 [n, 8], and tokens, float32 [n, 4, 4], of numbers that float16 holds."""

    vectors: NDArray[np.float32]
    tokens: NDArray[np.float32]

    @classmethod
    def of(cls, count: int, seed: int) -> "Features":
        chance = np.random.default_rng(seed)
        tokens = chance.normal(size=(count, 4, 4)).astype(np.float16).astype(np.float32)
        vectors = chance.normal(size=(count, 8))
        return cls((vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32), tokens)


CORPUS = Features.of(IMAGES, seed=1)
GENERATED = Features.of(PICTURES, seed=2)


def build(folder: Path, name: str = "index", owners: str = FIRST) -> Path:
    """Build an index, as a user does, and return where it is; `owners` begins the names of its owners."""
    corpus = folder / f"{name}.parquet"
    columns = {
        "image_id": [f"image-{row}" for row in range(IMAGES)],
        "owner_id": [_owner(row, owners) for row in range(IMAGES)],
        "vector": CORPUS.vectors.tolist(),
        "tokens": CORPUS.tokens.tolist(),
    }
    parquet.write_table(pa.table(columns), corpus)
    gmv("index", "build", corpus, "--encoder-id", ENCODER, "--out", folder / name)
    return folder / name


def event(number: int, chance: random.Random) -> bytes:
    """Return an event of some picture in some quality, in structured mode."""
    return event_of(f"{number}/{chance.randrange(PICTURES)}/{chance.choice(QUALITIES)}")


def event_of(event_id: str) -> bytes:
    """Return the event of this id: `number/picture/quality`."""
    _, picture, quality = event_id.split("/")
    features = EventFeatures(ENCODER, GENERATED.vectors[int(picture)], GENERATED.tokens[int(picture)])
    return structured(GeneratedImage("/faults", event_id, features, quality=float(quality)))


def owed_for(event_id: str) -> Counter[str]:
    """Micro-credits per owner for the event of this id."""
    _, picture, quality = event_id.split("/")
    return _owed(int(picture), float(quality))


@cache
def _owed(picture: int, quality: float) -> Counter[str]:
    images = [
        Image(f"image-{row}", _owner(row), 1.0, tokens) for row, tokens in enumerate(CORPUS.tokens.astype(np.float64))
    ]
    return owed(nearest([GENERATED.tokens[picture].astype(np.float64)], images, CONTRIBUTORS), quality)


def _owner(row: int, owners: str = FIRST) -> str:
    return f"{owners}-{row % OWNERS}"
