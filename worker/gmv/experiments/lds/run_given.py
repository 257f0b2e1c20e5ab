"""The linear datamodelling score by masks and losses that others have made."""

from collections.abc import Sequence

import numpy as np

from gmv.experiments.attributing import Nearest, attribute, attribution_stamp, index_of, nearest_of
from gmv.experiments.folder import Folder
from gmv.experiments.images import LabelledImages
from gmv.experiments.lds.given import Given
from gmv.experiments.lds.judging import Judged, result_of
from gmv.experiments.lds.methods import NEAREST_MAX, Method, method_of_patches, methods_of_gmv, methods_of_pixels
from gmv.experiments.lds.patches import SIDE_MAX
from gmv.experiments.lds.results import LDS
from gmv.experiments.stored import load, store
from gmv.index.opened import Index
from gmv.indexing.progress import Progress
from gmv.settings import Settings
from gmv.whole_file import make_folder


def run_given(
    given: Given, folder: Folder, settings: Settings, seeds: Sequence[int], command: str, progress: Progress
) -> LDS:
    """Compare gmv, pixels, and the scores that were brought along.

    Args:
        given: masks, losses and images.
        folder: to keep the index and attributions in.
        settings: of attribution.
        seeds: of random scores, of noise in patches, and of intervals.
        command: that makes the same result.
        progress: shows long steps.

    Raises:
        ExperimentRefused: the folder holds an index of other images.
    """
    make_folder(folder.root)
    index = index_of(given.training, folder, settings, progress)
    nearest = _nearest(index, given, folder, settings, progress)
    of_any_seed = [
        *methods_of_gmv(index, nearest, given.generated, given.training.pixels, np.arange(len(given.training))),
        *(Method(name, "brought along", scores) for name, scores in given.scores.items()),
    ]
    left_out = _left_out(given)
    judged = []
    for seed in seeds:
        methods = [*of_any_seed, *methods_of_pixels(given.generated, given.training.pixels, seed)]
        if not left_out:
            methods.append(method_of_patches(given.generated, given.training.pixels, seed, progress))
        judged.append(Judged(seed, given.masks, given.losses[None], methods))
    temperature = index.manifest.defaults.temperature
    return result_of(judged, command, given.training.name, None, index.index_id, temperature, left_out)


def _left_out(given: Given) -> tuple[str, ...]:
    side = max(*given.generated.shape[1:3], *given.training.pixels.shape[1:3])
    if side <= SIDE_MAX:
        return ()
    return (f"Patches are compared of images of up to {SIDE_MAX} pixels a side, and these have {side}.",)


def _nearest(index: Index, given: Given, folder: Folder, settings: Settings, progress: Progress) -> Nearest:
    images = len(given.training)
    valuation = settings.valuation.model_copy(
        update={"contributors": min(images, NEAREST_MAX), "candidates": 2 * images}
    )
    settings = settings.model_copy(update={"valuation": valuation})
    generated = LabelledImages("generated", given.generated, np.zeros(len(given.generated), np.int64), 1)
    stamp = attribution_stamp(index, settings, None) | {"generated": generated.digest}
    path = folder.attributed("given", 0, "all")
    if (stored := load(path, stamp)) is not None:
        return nearest_of(stored)
    with progress("attributing", len(generated), "images") as advance:
        found = attribute(index, given.generated, settings, None, advance)
    store(path, found.tensors(), stamp)
    return found
