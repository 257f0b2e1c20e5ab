"""How well a diffusion tells the noise in given images: what retraining without some image changes, or does not."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from gmv.experiments.generators.diffusion.process import noised


@dataclass(frozen=True, slots=True)
class Probes:
    """Times and noise by which all images are asked about, the same for each, so that losses can be compared.

    Attributes:
        times: int64 [probes], in [1, steps].
        noise: float32 [probes, channels, side, side], normal.
        shares: `signal_shares` of the process.
    """

    times: Tensor
    noise: Tensor
    shares: Tensor

    def noisy(self, image: Tensor) -> Tensor:
        """Return an image, [channels, side, side], at all times: [probes, channels, side, side]."""
        return noised(image.expand(self.noise.shape), self.times, self.noise, self.shares)


def probes(count: int, shares: Tensor, shape: tuple[int, int, int], seed: int) -> Probes:
    """Return as many times, evenly spread over the process, with noise by a seed.

    Args:
        count: of probes.
        shares: `signal_shares`.
        shape: (channels, side, side) of images.
        seed: of the noise.
    """
    steps = len(shares) - 1
    times = torch.linspace(1, steps, count).round().long()
    noise = torch.randn((count, *shape), generator=torch.Generator().manual_seed(seed))
    return Probes(times, noise, shares)


@torch.inference_mode()
def denoising_losses(network: nn.Module, images: Tensor, labels: Tensor, asked: Probes) -> Tensor:
    """Return the mean squared error of the noise that a network tells, over probes and pixels: float32 [b].

    It is the loss that the network was trained by, L_simple of arXiv:2006.11239, without hidden labels.

    Args:
        network: (noisy images, times in [0, 1], labels) to the noise in them.
        images: float32 [b, channels, side, side].
        labels: int64 [b].
        asked: times and noise.
    """
    steps = len(asked.shares) - 1
    total = torch.zeros(len(images))
    for time, noise in zip(asked.times, asked.noise, strict=True):
        wanted = noise.expand(images.shape)
        times = time.expand(len(images))
        told = network(noised(images, times, wanted, asked.shares), times / steps, labels)
        total += (told - wanted).square().flatten(1).mean(1)
    return total / len(asked.times)
