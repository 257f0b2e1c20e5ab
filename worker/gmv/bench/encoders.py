"""Encoders for a bench: learnt from images of a corpus, around pretrained networks, or those of indexes."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gmv.corpus.open import open_corpus
from gmv.corpus.port import Corpus, image_files
from gmv.encoders.exact.descriptor import KIND, ExactDescriptor
from gmv.encoders.exact.fitting import FittingSettings, fit_exact
from gmv.encoders.port import Encoder
from gmv.encoders.pretrained.backbones import choose_backbone
from gmv.encoders.pretrained.efficientnet_lite0 import NAME
from gmv.encoders.pretrained.encoder import PretrainedEncoder
from gmv.encoders.pretrained.reduction import ReductionSettings, fit_reduction, pooled
from gmv.errors import CorpusRefused, PackagesMissing, Poison
from gmv.imaging.decode import ImageLimits, decode_image
from gmv.index.opened import open_index

LEARNT: Final = "learnt from the corpus"

_LIMITS = ImageLimits(20 * 2**20, 50_000_000)
_LEARNT_FROM: Final = 500
"""Images: 400 atoms and all components come of as many, so that it takes as long as one of 4,000."""

_REDUCED_BY: Final = 8
"""Images: their 392 places span all components of tokens; vectors get fewer, which is hardly any time."""


def read_images(corpus: Path, count: int) -> list[NDArray[np.uint8]]:
    """Return the first sound images of a corpus, decoded, and over again where it has fewer.

    Raises:
        CorpusRefused: it has none.
    """
    source = open_corpus([corpus], _LIMITS.bytes_max)
    read = list(islice(_decoded(source), count))
    if not read:
        raise CorpusRefused(f"{corpus} holds no images; name another --corpus")
    return (read * (count // len(read) + 1))[:count]


def _decoded(corpus: Corpus) -> Iterator[NDArray[np.uint8]]:
    for image in image_files(corpus):
        with suppress(Poison):  # a build would leave it out
            yield decode_image(image.content, _LIMITS)


def encoders_for(
    images: Sequence[NDArray[np.uint8]], choices: Sequence[str], indexes: Sequence[Path]
) -> tuple[dict[str, Encoder], dict[str, str]]:
    """Return encoders by what they are called, the one that is learnt first, and why one is left out.

    EfficientNet-Lite0 is one of them where its weights are installed.

    Args:
        images: to learn from.
        choices: networks, as of `gmv index build --encoder`.
        indexes: whose encoders are wanted, such as those of a former kind.

    Raises:
        InvalidSettings: a network that is named is wrong.
        PackagesMissing: it is not installed.
        IndexRefused: an index cannot be opened.
    """
    learnt = fit_exact(images[:_LEARNT_FROM], FittingSettings())
    encoders: dict[str, Encoder] = {LEARNT: ExactDescriptor(KIND, learnt)}
    left_out: dict[str, str] = {}
    try:
        encoders[NAME] = _around(NAME, images)
    except PackagesMissing as missing:
        left_out[NAME] = str(missing)
    encoders |= {choice: _around(choice, images) for choice in choices if choice != NAME}
    encoders |= {str(path): open_index(path, verify=False).encoder for path in indexes}
    return encoders, left_out


def _around(choice: str, images: Sequence[NDArray[np.uint8]]) -> PretrainedEncoder:
    backbone = choose_backbone(choice)
    settings = ReductionSettings()
    sample = [pooled(backbone.run(image), settings.grid) for image in images[:_REDUCED_BY]]
    return PretrainedEncoder(backbone.kind, backbone, fit_reduction(sample, settings))
