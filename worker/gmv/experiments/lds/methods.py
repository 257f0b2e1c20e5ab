"""All ways to score training images that are compared, each under its name."""

from typing import Final, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from gmv.experiments.attributing import Nearest
from gmv.experiments.generators.diffusion.losses import Probes
from gmv.experiments.generators.pixels import to_torch
from gmv.experiments.images import LabelledImages, Rows
from gmv.experiments.lds.credits import nearness, recall_order, shares, vector_cosines
from gmv.experiments.lds.gradients import OUTPUTS, PROJECTED, gradient_features, kernel_scores, random_signs
from gmv.experiments.lds.patches import SIGNAL_SHARES, patch_weights
from gmv.experiments.lds.similarity import first_alone, pixel_cosines, pixel_nearness, random_scores
from gmv.experiments.ra2 import CONTRIBUTORS
from gmv.experiments.values import POSTER_TEMPERATURE
from gmv.index.opened import Index
from gmv.indexing.progress import Progress

NEAREST_MAX: Final = 1_000
"""Of a generated image: as many as settings let be contributors."""

_GRADIENTS: Final = {"loss": "gradients of the loss (TRAK)", "square": "gradients of the output's square (D-TRAK)"}


class Method(NamedTuple):
    """A way to score training images.

    Attributes:
        name: of it.
        sees: what it needs beside the training images and the generated one.
        scores: float64 [generated, training]; higher where the image is said to take more off the loss.
    """

    name: str
    sees: str
    scores: NDArray[np.float64]


def methods_of_gmv(
    index: Index, nearest: Nearest, generated: NDArray[np.uint8], training: NDArray[np.uint8], among: Rows
) -> list[Method]:
    """Return what gmv pays, at the poster's tau and the index's own, and the orders behind it.

    Args:
        index: over all training images.
        nearest: of each generated image among these training images, `NEAREST_MAX` or all.
        generated: uint8 [generated, height, width, channels].
        training: uint8 [training, height, width, channels].
        among: the training images, in rows of the index, ascending.
    """
    own = index.manifest.defaults.temperature
    every = nearest.rows.shape[1]
    recalled = recall_order(index, generated, among)
    return [
        *(
            Method(f"gmv: credit at K = {count}, tau {tau:.3g}", "features", shares(nearest, among, count, tau))
            for count, tau in ((CONTRIBUTORS, POSTER_TEMPERATURE), (CONTRIBUTORS, own), (every, own))
        ),
        Method("gmv: W1 of all", "features", nearness(nearest, among)),
        Method("gmv: order of recall", "features", recalled),
        Method("gmv: ten first of recall, alike", "features", first_alone(recalled, CONTRIBUTORS)),
        Method("cosine of the encoder's vectors", "features", vector_cosines(index, generated, training)),
    ]


def methods_of_pixels(generated: NDArray[np.uint8], training: NDArray[np.uint8], seed: int) -> list[Method]:
    """Return what pixels say, and what chance does."""
    near = pixel_nearness(generated, training)
    return [
        Method("cosine of pixels", "pixels", pixel_cosines(generated, training)),
        Method("Euclidean distance of pixels", "pixels", near),
        Method("ten nearest by pixels, alike", "pixels", first_alone(near, CONTRIBUTORS)),
        Method("random numbers", "nothing", random_scores(len(generated), len(training), seed)),
    ]


def method_of_patches(
    generated: NDArray[np.uint8], training: NDArray[np.uint8], seed: int, progress: Progress
) -> Method:
    """Return what patches say, after NDA."""
    with progress("comparing patches", len(generated) * len(SIGNAL_SHARES), "images") as advance:
        weights = patch_weights(generated, training, seed, progress=advance)
    return Method("softmax of patches (after NDA)", "pixels", weights)


def methods_of_gradients(
    network: nn.Module,
    generated: LabelledImages,
    training: LabelledImages,
    asked: Probes,
    seed: int,
    progress: Progress,
) -> list[Method]:
    """Return what the generator's own gradients say.

    Args:
        network: trained on all training images.
        generated: what it drew, with the classes it was asked for.
        training: the images.
        asked: times and noise that losses are measured at.
        seed: of the projection.
        progress: shows how many images are done.
    """
    count = sum(each.numel() for each in network.parameters())
    projection = random_signs(count, PROJECTED, seed)
    methods = []
    for output in OUTPUTS:
        with progress(f"gradients, {output}", len(generated) + len(training), "images") as advance:
            made, known = (
                gradient_features(
                    network, to_torch(each.pixels), torch.from_numpy(each.labels), asked, output, projection, advance
                )
                for each in (generated, training)
            )
        methods.append(Method(_GRADIENTS[output], "weights", kernel_scores(made, known)))
    return methods
