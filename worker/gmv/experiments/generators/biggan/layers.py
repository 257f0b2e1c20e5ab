"""What BigGAN's two networks are made of."""

from typing import TypeVar

import torch
import torch.nn.functional as F  # noqa: N812 - torch's own name for it
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

Layer = TypeVar("Layer", nn.Conv2d, nn.Linear, nn.Embedding)

_EPSILON = 1e-4  # of batch normalisation and spectral norms, as BigGAN has them


def normed(layer: Layer) -> Layer:
    """Begin with an orthogonal weight, and keep its largest singular value at 1 (arXiv:1802.05957)."""
    nn.init.orthogonal_(layer.weight)
    if not isinstance(layer, nn.Embedding) and layer.bias is not None:
        nn.init.zeros_(layer.bias)
    spectral_norm(layer, eps=_EPSILON)
    return layer


class ConditionalBatchNorm(nn.Module):
    """Batch normalisation whose gain and bias are linear in the class's embedding and a part of z."""

    def __init__(self, width: int, condition: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(width, eps=_EPSILON, affine=False)
        self.gain = normed(nn.Linear(condition, width, bias=False))
        self.bias = normed(nn.Linear(condition, width, bias=False))

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        """Return a tensor of the same shape, [b, width, side, side]."""
        gain, bias = 1 + self.gain(condition), self.bias(condition)
        out: Tensor = self.norm(x) * gain[:, :, None, None] + bias[:, :, None, None]
        return out


class GeneratorBlock(nn.Module):
    """A residual block that doubles the resolution."""

    def __init__(self, entering: int, leaving: int, condition: int) -> None:
        super().__init__()
        self.first_norm = ConditionalBatchNorm(entering, condition)
        self.first = normed(nn.Conv2d(entering, leaving, 3, padding=1))
        self.second_norm = ConditionalBatchNorm(leaving, condition)
        self.second = normed(nn.Conv2d(leaving, leaving, 3, padding=1))
        self.skip = normed(nn.Conv2d(entering, leaving, 1))

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        """Return float32 [b, leaving, 2 side, 2 side]."""
        seen = F.interpolate(F.relu(self.first_norm(x, condition)), scale_factor=2.0)
        seen = self.second(F.relu(self.second_norm(self.first(seen), condition)))
        out: Tensor = seen + self.skip(F.interpolate(x, scale_factor=2.0))
        return out


class DiscriminatorBlock(nn.Module):
    """A residual block that halves the resolution, or keeps it."""

    def __init__(self, entering: int, leaving: int, halves: bool, is_first: bool = False) -> None:
        super().__init__()
        self.first = normed(nn.Conv2d(entering, leaving, 3, padding=1))
        self.second = normed(nn.Conv2d(leaving, leaving, 3, padding=1))
        self.skip = normed(nn.Conv2d(entering, leaving, 1)) if halves or entering != leaving else nn.Identity()
        self._halves, self._is_first = halves, is_first

    def forward(self, x: Tensor) -> Tensor:
        """Return float32 [b, leaving, side, side], or of half the side."""
        seen = self.second(F.relu(self.first(x if self._is_first else F.relu(x))))
        out: Tensor = self._sized(seen) + self._sized(self.skip(x))
        return out

    def _sized(self, x: Tensor) -> Tensor:
        return F.avg_pool2d(x, 2) if self._halves else x


class SelfAttention(nn.Module):
    """Of SAGAN (arXiv:1805.08318): begins as nothing, by a gain of 0."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.query = normed(nn.Conv2d(width, max(width // 8, 1), 1, bias=False))
        self.key = normed(nn.Conv2d(width, max(width // 8, 1), 1, bias=False))
        self.value = normed(nn.Conv2d(width, width // 2, 1, bias=False))
        self.out = normed(nn.Conv2d(width // 2, width, 1, bias=False))
        self.gain = nn.Parameter(torch.zeros(()))

    def forward(self, x: Tensor) -> Tensor:
        """Return a tensor of the same shape."""
        query = self.query(x).flatten(2).transpose(1, 2)
        key, value = (F.max_pool2d(each(x), 2).flatten(2).transpose(1, 2) for each in (self.key, self.value))
        seen = torch.softmax(query @ key.transpose(1, 2), -1) @ value
        out: Tensor = x + self.gain * self.out(seen.transpose(1, 2).reshape(len(x), -1, *x.shape[2:]))
        return out
