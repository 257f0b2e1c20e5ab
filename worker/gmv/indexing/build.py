"""An index build, put together: catalogue, encoder, features, recall, manifest. What is done is kept, step by step."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gmv.corpus.port import Corpus, TrainingImage
from gmv.corpus.reading import Reading
from gmv.encoders.exact.descriptor import KIND
from gmv.encoders.exact.fitting import FittingSettings
from gmv.encoders.reduced import TokenReductionSettings
from gmv.imaging.decode import ImageLimits
from gmv.index.manifest import MANIFEST, Manifest
from gmv.indexing.calibrating import Calibration
from gmv.indexing.feature_source import feature_source
from gmv.indexing.memory import give_back
from gmv.indexing.progress import Progress
from gmv.indexing.staging import FeatureStage, encode_corpus
from gmv.indexing.workspace import check_out, open_workspace
from gmv.indexing.writing import write_index_files
from gmv.settings import Settings
from gmv.threads import one_thread

if TYPE_CHECKING:  # torch is loaded where a network needs it
    from gmv.indexing.pretrained import Pretrained


@dataclass(frozen=True, slots=True)
class BuildOptions:
    """How to build.

    Attributes:
        factory: faiss factory string; None: by the rule of `default_factory`.
        bad_share_max: share of images that may be damaged, which are left out; more, and the corpus is refused.
        fitting: of the encoder.
        threads: that encode and rank images; no bit of the index depends on it.
        replace: whether an index under the final name gives way.
        pretrained: a network of somebody else's in place of the encoder that is fitted.
        target_recall: share of the true nearest ten that candidates should hold.
        candidates_max: the most candidates that are tried for it.
        reduction: of tokens that the corpus brings.
        finds_copies: whether near copies among the images are grouped.
    """

    factory: str | None = None
    bad_share_max: float = 0.01
    fitting: FittingSettings = field(default_factory=FittingSettings)
    threads: int = 1
    replace: bool = False
    pretrained: "Pretrained | None" = None
    target_recall: float = 0.95
    candidates_max: int = 150
    reduction: TokenReductionSettings = field(default_factory=TokenReductionSettings)
    finds_copies: bool = True


def build_index(
    corpus: Corpus,
    out: Path,
    settings: Settings,
    options: BuildOptions,
    progress: Progress,
    on_reading: Callable[[Reading], None] = lambda _: None,
) -> Manifest:
    """Build an index folder. Killed, it goes on from there when it is called again with the same arguments.

    The same corpus and settings give the same bytes: with the encoder that is learnt on any processor, and with
    features in floats on one kind of processor.

    Args:
        corpus: training images.
        out: the folder to be.
        settings: limits of images, and M, K and tau.
        options: how to build.
        progress: shows long steps.
        on_reading: told what was read and passed over, before any image is encoded.

    Raises:
        CorpusRefused: ids, owners or weights are wrong, or too many images are damaged.
        IndexRefused: there is something under the final name, or another process is building there.
        InvalidSettings: the corpus brings features, and a pretrained network is to make some.
        DiskFull: no space is left.
    """
    check_out(out, options.replace, "give another --out, or replace it by --force")
    found = corpus.catalogue()
    on_reading(found.reading)
    catalogue = found.images
    limits = ImageLimits(settings.images.bytes_max, settings.images.pixels_max)
    # One thread within each step: more would give other last bits, and fight those that encode images side by side.
    with one_thread(), open_workspace(out, _inputs(corpus, catalogue, limits, options)) as workspace:
        source = feature_source(
            workspace, corpus, catalogue, limits, options.fitting, progress, options.pretrained, options.reduction
        )
        stage = FeatureStage(workspace, catalogue, source)
        encode_corpus(corpus, source, stage, options.bad_share_max, options.threads, progress)
        give_back()
        calibration = Calibration(
            corpus,
            limits,
            options.fitting.working_size,
            options.target_recall,
            options.candidates_max,
            options.threads,
            options.finds_copies,
        )
        manifest = write_index_files(
            workspace, stage, source, options.factory, settings.valuation, calibration, progress
        )
        workspace.publish(out, frozenset(manifest.files) | {MANIFEST})
    return manifest


def _inputs(
    corpus: Corpus, catalogue: Sequence[TrainingImage], limits: ImageLimits, options: BuildOptions
) -> dict[str, Any]:
    """All that decides what is staged: a workspace of other inputs is of no use."""
    return {
        "corpus": corpus.fingerprint(),
        "images": len(catalogue),
        "encoder": KIND if options.pretrained is None else options.pretrained.inputs(),
        "fitting": asdict(options.fitting),
        "limits": asdict(limits),
        "reduction": [list(options.reduction.pool or ()), options.reduction.token_size],
    }
