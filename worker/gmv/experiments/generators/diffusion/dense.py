"""A network for the diffusion that is trained in seconds: each layer sees all pixels of a small image at once."""

from dataclasses import dataclass

import torch.nn.functional as F  # noqa: N812 - torch's own name for it
from torch import Tensor, nn

from gmv.experiments.generators.diffusion.unet import sinusoids

_TIME_SIZE = 32


@dataclass(frozen=True, slots=True)
class DenseSize:
    """How large the network is.

    Attributes:
        width: numbers between blocks.
        blocks: residual ones, of two layers each.
    """

    width: int
    blocks: int


class Dense(nn.Module):
    """A residual perceptron, told time and class; takes and returns what `UNet` does."""

    def __init__(self, size: DenseSize, shape: tuple[int, int, int], classes: int) -> None:
        """Make the network, with random weights.

        Args:
            size: of it.
            shape: (channels, side, side) of images.
            classes: of labels; one more, `classes`, stands for no label.
        """
        super().__init__()
        channels, side, _ = shape
        self.enter = nn.Linear(channels * side * side, size.width)
        self.time = nn.Linear(_TIME_SIZE, size.width)
        self.label = nn.Embedding(classes + 1, size.width)
        self.blocks = nn.ModuleList(
            nn.Sequential(
                nn.LayerNorm(size.width),
                nn.Linear(size.width, size.width),
                nn.SiLU(),
                nn.Linear(size.width, size.width),
            )
            for _ in range(size.blocks)
        )
        self.leave = nn.Linear(size.width, channels * side * side)

    def forward(self, noisy: Tensor, times: Tensor, labels: Tensor) -> Tensor:
        """Return the noise in images, float32 of their shape; see `UNet.forward`."""
        condition = self.time(sinusoids(times, _TIME_SIZE)) + self.label(labels)
        x = self.enter(noisy.flatten(1)) + condition
        for block in self.blocks:
            x = x + block(x + condition)
        told: Tensor = self.leave(F.silu(x))
        return told.reshape(noisy.shape)
