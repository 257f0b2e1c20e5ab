"""What BigGAN's networks are trained by."""

from collections.abc import Iterable

import torch
import torch.nn.functional as F  # noqa: N812 - torch's own name for it
from torch import Tensor


def discriminator_hinge(real: Tensor, made: Tensor) -> Tensor:
    """Return the mean of max(0, 1 - D(real)) + max(0, 1 + D(made)), of [b] each (arXiv:1705.02894)."""
    return F.relu(1 - real).mean() + F.relu(1 + made).mean()


def generator_hinge(made: Tensor) -> Tensor:
    """Return the mean of -D(made), of [b]."""
    return -made.mean()


def orthogonality(weights: Iterable[Tensor]) -> Tensor:
    """Return the sum over weights of |W W^T o (1 - I)|^2 (equation 3 of BigGAN): rows are to be at right angles.

    Args:
        weights: [outputs, ...] each; what follows the first axis is a row.
    """
    total = torch.zeros(())
    for weight in weights:
        rows = weight.flatten(1)
        products = rows @ rows.T
        total = total + products.square().sum() - products.diagonal().square().sum()
    return total
