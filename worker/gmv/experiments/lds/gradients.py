"""Scores by gradients of the model itself: TRAK (arXiv:2303.14186), and D-TRAK (arXiv:2311.00500), for a diffusion.

An image's features are the gradient, by all weights of the trained network, of a function of what it tells of that
image, under a random projection. The function is the loss in TRAK, and the mean square of the output in D-TRAK.
"""

from collections.abc import Callable
from typing import Final, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.func import functional_call, grad, vmap

from gmv.experiments.generators.diffusion.losses import Probes
from gmv.threads import one_thread

Output = Literal["loss", "square"]
OUTPUTS: Final[tuple[Output, ...]] = ("loss", "square")

PROJECTED: Final = 1_024
RIDGE: Final = 1.0
"""Added to the features' second moments, in units of their mean eigenvalue. Of powers of ten from .001 to 100, it has
the highest score by a seed that is not reported: .31, mean of both outputs; .1 has .30, and 10 has .26."""

_IMAGES_AT_ONCE = 32
_WEIGHTS_AT_ONCE = 8_192


def gradient_features(
    network: nn.Module,
    images: Tensor,
    labels: Tensor,
    asked: Probes,
    output: Output,
    projection: Tensor,
    progress: Callable[[int], None] = lambda _: None,
) -> Tensor:
    """Return the projected gradients of images, float32 [b, features].

    Args:
        network: (noisy images, times in [0, 1], labels) to the noise in them.
        images: float32 [b, channels, side, side].
        labels: int64 [b].
        asked: times and noise, over which the output is averaged.
        output: whose gradient is taken.
        projection: int8 [weights, features], of -1 and 1.
        progress: called with the number of images done since the last call.
    """
    weights = {name: each.detach() for name, each in network.named_parameters()}
    steps = len(asked.shares) - 1

    def output_of(weights: dict[str, Tensor], image: Tensor, label: Tensor) -> Tensor:
        times = asked.times / steps
        told = functional_call(network, weights, (asked.noisy(image), times, label.expand(len(times))))
        wanted = asked.noise if output == "loss" else torch.zeros_like(asked.noise)
        mean: Tensor = (told - wanted).square().mean()
        return mean

    per_image = vmap(grad(output_of), in_dims=(None, 0, 0))
    features = torch.zeros(len(images), projection.shape[1])
    with one_thread():
        for start in range(0, len(images), _IMAGES_AT_ONCE):
            part = slice(start, start + _IMAGES_AT_ONCE)
            by_weight = per_image(weights, images[part], labels[part])
            features[part] = project(torch.cat([each.flatten(1) for each in by_weight.values()], 1), projection)
            progress(len(features[part]))
    return features


def random_signs(weights: int, features: int, seed: int) -> Tensor:
    """Return a projection, int8 [weights, features] of -1 and 1: inner products stay as they are but for a factor."""
    random = torch.Generator().manual_seed(seed)
    return torch.randint(0, 2, (weights, features), dtype=torch.int8, generator=random) * 2 - 1


def project(gradients: Tensor, projection: Tensor) -> Tensor:
    """Return float32 [b, features] of [b, weights], some weights at a time: as floats, the signs take gigabytes."""
    total = torch.zeros(len(gradients), projection.shape[1])
    for start in range(0, len(projection), _WEIGHTS_AT_ONCE):
        part = slice(start, start + _WEIGHTS_AT_ONCE)
        total += gradients[:, part] @ projection[part].float()
    return total


def kernel_scores(generated: Tensor, training: Tensor, ridge: float = RIDGE) -> NDArray[np.float64]:
    """Return phi(x) (Phi' Phi + lambda 1)^-1 phi(n), float64 [generated, training].

    Args:
        generated: features [generated, features].
        training: features [training, features].
        ridge: lambda, in units of the mean eigenvalue of Phi' Phi.
    """
    asked, known = generated.double(), training.double()
    moments = known.T @ known
    moments += ridge * moments.diagonal().mean() * torch.eye(len(moments), dtype=moments.dtype)
    scores: NDArray[np.float64] = (asked @ torch.linalg.solve(moments, known.T)).numpy()
    return scores
