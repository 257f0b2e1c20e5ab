"""A softmax over patches of all training images, after NDA (Zhao et al., arXiv:2510.14269), which sees no model.

Were a diffusion's network perfect and local, each patch of a noisy image would be told from the patches of the training
images, weighted by how likely each is to have become it. NDA takes these weights for scores. This is its single scale;
its second scale, which it adds, is left out.
"""

from collections.abc import Callable, Sequence

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - torch's own name for it
from numpy.typing import NDArray
from torch import Tensor

from gmv.experiments.generators.pixels import to_torch
from gmv.threads import one_thread

SIDE_MAX = 16
"""Work grows with the fourth power of the side: it is 16 times as much for 16 as for 8, and 256 times for 32."""

PATCH = 7
SIGNAL_SHARES = (0.98, 0.9, 0.7)
"""Both of digits: of patches of 3, 5 and 7 pixels and shares of .4 to .99, alone and together, these have the highest
score by a seed that is not reported: .35. Patches of 5 pixels have .29 at best, and of 3 pixels .14."""

_OUTSIDE = 10.0
"""What pixels beyond the border count as: a patch there is like no patch but those that lack the same pixels.
Squares of larger numbers would take the digits from float32 that tell like patches apart."""


def patch_weights(
    generated: NDArray[np.uint8],
    training: NDArray[np.uint8],
    seed: int,
    patch: int = PATCH,
    signal_shares: Sequence[float] = SIGNAL_SHARES,
    progress: Callable[[int], None] = lambda _: None,
) -> NDArray[np.float64]:
    """Return how much of the weight of all its patches a generated image gives each training image.

    Args:
        generated: uint8 [generated, side, side, channels].
        training: uint8 [training, side, side, channels].
        seed: of the noise in generated images.
        patch: side of a patch, odd, in pixels.
        signal_shares: alpha-bar, below 1, of the times at which patches are compared; all count alike.
        progress: called with 1 after each generated image, at each time.

    Returns:
        float64 [generated, training]; each row adds up to 1.
    """
    random = torch.Generator().manual_seed(seed)
    images, known = to_torch(generated), to_torch(training)
    weights = np.zeros((len(images), len(known)))
    with one_thread():
        for share in signal_shares:
            at = share**0.5 * images + (1 - share) ** 0.5 * torch.randn(images.shape, generator=random)
            there = _patches(share**0.5 * known, patch).flatten(0, 1)
            squares = there.square().sum(1)
            for place, image in enumerate(at):
                asked = _patches(image[None], patch)[0]
                apart = squares - 2 * asked @ there.T  # less the squares of what is asked, the same for all
                each = torch.softmax(apart / (-2 * (1 - share)), 1).mean(0).reshape(len(known), -1).sum(1)
                weights[place] += each.numpy() / len(signal_shares)
                progress(1)
    return weights


def _patches(images: Tensor, patch: int) -> Tensor:
    """Return the patches around all pixels, [b, side * side, channels * patch * patch]."""
    border = patch // 2
    return F.unfold(F.pad(images, [border] * 4, value=_OUTSIDE), patch).transpose(1, 2)
