"""An index build, put together: catalogue, encoder, features, recall, manifest. What is done is kept, step by step."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gmv.assembly.index_features import FeatureStage, encode_corpus
from gmv.assembly.index_files import write_index_files
from gmv.assembly.progress import Progress
from gmv.encoders.descriptor import KIND
from gmv.encoders.fitting import FittingSettings, fit_descriptor
from gmv.encoders.port import Encoder
from gmv.encoders.storage import open_descriptor, to_bytes
from gmv.encoders.working_size import to_working_size
from gmv.errors import CorpusRefused, IndexRefused, Poison
from gmv.imaging import ImageLimits, decode_image
from gmv.index.corpora import fingerprint
from gmv.index.manifest import ENCODER_FILE, MANIFEST, EncoderEntry, Manifest
from gmv.index.port import Corpus, TrainingImage
from gmv.index.workspace import Workspace, open_workspace
from gmv.settings import Settings


@dataclass(frozen=True, slots=True)
class BuildOptions:
    """How to build.

    Attributes:
        factory: faiss factory string; None: by the rule of `default_factory`.
        bad_share_max: share of images that may be damaged, which are left out; more, and the corpus is refused.
        fitting: of the encoder.
        threads: that encode images; no bit of the index depends on it.
        replace: whether an index under the final name gives way.
    """

    factory: str | None = None
    bad_share_max: float = 0.01
    fitting: FittingSettings = field(default_factory=FittingSettings)
    threads: int = 1
    replace: bool = False


def build_index(corpus: Corpus, out: Path, settings: Settings, options: BuildOptions, progress: Progress) -> Manifest:
    """Build an index folder. Killed, it goes on from there when it is called again with the same arguments.

    The same corpus and settings give the same bytes on one kind of processor.

    Args:
        corpus: training images.
        out: the folder to be.
        settings: limits of images, and M, K and tau.
        options: how to build.
        progress: shows long steps.

    Raises:
        CorpusRefused: ids, owners or weights are wrong, or too many images are damaged.
        IndexRefused: there is something under the final name, or another process is building there.
        DiskFull: no space is left.
    """
    _check_out(out, options.replace)
    catalogue = corpus.catalogue()
    limits = ImageLimits(settings.images.bytes_max, settings.images.pixels_max)
    with open_workspace(out, _inputs(corpus, catalogue, limits, options.fitting)) as workspace:
        encoder = _encoder(workspace, corpus, catalogue, limits, options.fitting, progress)
        stage = FeatureStage(workspace, catalogue, encoder.vector_size, encoder.tokens_shape)
        encode_corpus(corpus, encoder, stage, limits, options.bad_share_max, options.threads, progress)
        entry = EncoderEntry(
            kind=KIND,
            id=encoder.encoder_id,
            has_parameters=True,
            vector_size=encoder.vector_size,
            tokens_shape=encoder.tokens_shape,
        )
        manifest = write_index_files(workspace, stage, entry, options.factory, settings.valuation, progress)
        workspace.publish(out, frozenset(manifest.files) | {MANIFEST})
    return manifest


def _check_out(out: Path, replace: bool) -> None:
    if not out.exists():
        return
    if not (out / MANIFEST).is_file():
        raise IndexRefused(f"{out} is there and is no index; give another --out")
    if not replace:
        raise IndexRefused(f"{out} holds an index; give another --out, or replace it by --force")


def _inputs(
    corpus: Corpus, catalogue: Sequence[TrainingImage], limits: ImageLimits, fitting: FittingSettings
) -> dict[str, Any]:
    """All that decides what is staged: a workspace of other inputs is of no use."""
    return {
        "corpus": fingerprint(corpus.path),
        "images": len(catalogue),
        "encoder": KIND,
        "fitting": asdict(fitting),
        "limits": asdict(limits),
    }


def _encoder(
    workspace: Workspace,
    corpus: Corpus,
    catalogue: Sequence[TrainingImage],
    limits: ImageLimits,
    fitting: FittingSettings,
    progress: Progress,
) -> Encoder:
    """Fit the encoder, or open the one that was fitted before."""
    path = workspace.folder / ENCODER_FILE
    if not path.exists():
        with progress("fitting the encoder", None, "") as advance:
            sample = _sample(corpus, catalogue, limits, fitting)
            workspace.write(ENCODER_FILE, to_bytes(fit_descriptor(sample, fitting)))
            advance(1)
    return open_descriptor(path)


def _sample(
    corpus: Corpus, catalogue: Sequence[TrainingImage], limits: ImageLimits, fitting: FittingSettings
) -> list[NDArray[np.uint8]]:
    """Draw sound images without replacement, whatever order the corpus has; damaged ones are told of later.

    Returns:
        uint8 [side, side, 3] each, of the working size (4,000 of 32 pixels: 12 MB), in order of image id.
    """
    ids = sorted(image.image_id for image in catalogue)
    places = np.random.default_rng(fitting.seed).choice(len(ids), min(len(ids), fitting.images), replace=False)
    drawn = {ids[place] for place in places}
    sound = {}
    for image in corpus.images():
        if image.image_id in drawn:
            with suppress(Poison):
                sound[image.image_id] = to_working_size(decode_image(image.content, limits), fitting.working_size)
    if not sound:
        raise CorpusRefused(f"{corpus.path}: of {len(drawn):,} images drawn, none is a sound PNG, JPEG or WEBP")
    return [sound[image_id] for image_id in sorted(sound)]
