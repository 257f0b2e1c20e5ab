"""Index builds of tiny corpora."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from gmv.corpus.open import open_corpus
from gmv.encoders.exact.fitting import FittingSettings
from gmv.index.manifest import Manifest
from gmv.indexing.build import BuildOptions, build_index
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
