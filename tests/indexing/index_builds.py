"""Index builds of tiny corpora."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from gmv.corpus.open import open_corpus
from gmv.encoders.exact.fitting import FittingSettings
from gmv.imaging.decode import ImageLimits
from gmv.index.manifest import Manifest
from gmv.index.opened import open_index
from gmv.indexing.build import BuildOptions, build_index
from gmv.indexing.growing.add_remove import AddOptions, add_images, remove_images, rows_to_remove
from gmv.settings import Settings
from tests.encoders.pictures import WORKING_SIZE

FITTING = FittingSettings(working_size=WORKING_SIZE)


@contextmanager
def unseen(_description: str, _total: int | None, _unit: str) -> Iterator[Callable[[int], None]]:
    """A `Progress` that nobody watches."""
    yield lambda _: None


def build(corpus: Path, out: Path, encoder_id: str | None = None, **options: Any) -> Manifest:
    settings = Settings()
    opened = open_corpus([corpus], settings.images.bytes_max, encoder_id=encoder_id)
    return build_index(opened, out, settings, BuildOptions(**{"fitting": FITTING} | options), unseen)


def add(parent: Path, corpus: Path, out: Path, encoder_id: str | None = None, **options: Any) -> Manifest:
    images = Settings().images
    opened = open_corpus([corpus], images.bytes_max, encoder_id=encoder_id)
    limits = ImageLimits(images.bytes_max, images.pixels_max)
    return add_images(open_index(parent, verify=True), opened, out, AddOptions(limits, **options), unseen)


def remove(
    parent: Path, out: Path, images: Sequence[str] = (), owners: Sequence[str] = (), measures: bool = False
) -> Manifest:
    opened = open_index(parent, verify=True)
    return remove_images(opened, rows_to_remove(opened, images, owners), out, measures, unseen)
