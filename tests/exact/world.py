"""A corpus, a file of events and pictures, in which images look in every way that decides how they are compared."""

import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as parquet
from numpy.typing import NDArray
from PIL import Image

from gmv.demo.remix import png, recipes, remixes
from gmv.events.encoding import structured
from gmv.events.model import GeneratedImage, ImageBytes
from tests.corpus.corpora import IMAGE
from tests.end_to_end.conftest import EXAMPLE_CORPUS

IMAGES = 300
REMIXES = 80
SEED = 3

Pixels = NDArray[np.uint8]


def make_world(folder: Path) -> None:
    """Write `corpus.parquet`, `events.jsonl`, and some of its pictures as files."""
    folder.mkdir()
    corpus = parquet.read_table(EXAMPLE_CORPUS).slice(0, IMAGES).to_pylist()
    pictures = {row["image_id"]: _pixels(row["image"]["bytes"]) for row in corpus}
    _write_corpus(folder / "corpus.parquet", corpus)
    files = list(_generated(pictures, {row["image_id"]: row["owner_id"] for row in corpus}))
    lines = [structured(GeneratedImage("/exact", f"{name}", ImageBytes(content))) for name, content in enumerate(files)]
    lines.insert(70, b"no event")
    (folder / "events.jsonl").write_bytes(b"".join(line + b"\n" for line in lines))
    for number, content in enumerate(files[::9]):
        suffix = ".png" if content.startswith(b"\x89PNG") else ".jpeg"
        (folder / f"{number}{suffix}").write_bytes(content)


def _write_corpus(path: Path, corpus: list[dict[str, object]]) -> None:
    """Some of it flat, some twice, some as a larger JPEG, which is decoded and made smaller first."""
    added = [_row(f"flat-{shade:03}", _png(_flat(shade))) for shade in range(0, 250, 25)]
    for number, row in enumerate(corpus[:40]):
        pixels = _pixels(row["image"]["bytes"])  # type: ignore[index]
        added.append(_row(f"twice-{number}", _png(pixels)))
        added.append(_row(f"large-{number}", _jpeg(pixels, 3.3)))
    rows = [*corpus, *added]
    names = {name: [row[name] for row in rows] for name in ("image_id", "owner_id")}
    parquet.write_table(pa.table(names | {"image": pa.array([row["image"] for row in rows], IMAGE)}), path)


def _row(image_id: str, content: bytes) -> dict[str, object]:
    return {"image_id": image_id, "owner_id": f"owner of {image_id[:4]}", "image": {"bytes": content, "path": None}}


def _generated(pictures: dict[str, Pixels], owners: dict[str, str]) -> Iterator[bytes]:
    """Remixes; copies, mirrored and enlarged; flat ones and stripes, of which many matchings cost the same; noise."""
    for picture in remixes(recipes(owners, REMIXES, SEED), pictures):
        yield png(picture)
    for number, picture in enumerate(list(pictures.values())[:24]):
        yield (_png(picture), _png(picture[:, ::-1]), _jpeg(picture, 2.7))[number % 3]
    for shade in range(0, 250, 30):
        yield _png(_flat(shade))
        yield _png(np.where(np.arange(32)[:, np.newaxis] // 4 % 2, _flat(shade), _flat(250 - shade)))
    yield _png(np.random.default_rng(0).integers(0, 256, (32, 32, 3), np.uint8))


def _flat(shade: int) -> Pixels:
    return np.full((32, 32, 3), (shade, shade // 2, 255 - shade), np.uint8)


def _pixels(content: bytes) -> Pixels:
    return np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))


def _png(pixels: Pixels) -> bytes:
    return png(np.ascontiguousarray(pixels, np.uint8))


def _jpeg(pixels: Pixels, enlarged: float) -> bytes:
    file = io.BytesIO()
    image = Image.fromarray(pixels)
    image.resize((int(image.width * enlarged), int(image.height * enlarged))).save(file, "JPEG", quality=90)
    return file.getvalue()
