"""The diffusion itself: how noise is added, and how it is taken away again, guided by a class."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor

Denoiser = Callable[[Tensor, Tensor, Tensor], Tensor]
"""(noisy images, times in [0, 1], labels) to the noise in them."""

_OFFSET = 0.008
_BETA_MAX = 0.999


def signal_shares(steps: int) -> Tensor:
    """Return alpha-bar, float64 [steps + 1], of the cosine schedule of arXiv:2102.09672; the first is 1."""
    angles = (torch.arange(steps + 1, dtype=torch.float64) / steps + _OFFSET) / (1 + _OFFSET) * math.pi / 2
    shares = angles.cos().square()
    kept = (shares[1:] / shares[:-1]).clamp(min=1 - _BETA_MAX)
    return torch.cat([torch.ones(1, dtype=torch.float64), kept.cumprod(0)])


@dataclass(frozen=True, slots=True)
class Sampling:
    """How images are drawn.

    Attributes:
        steps: of the process that are taken, evenly spread.
        noise: eta of DDIM (Song, Meng and Ermon, arXiv:2010.02502): 0 adds none after the first, which is DDIM; 1, with
            all steps, is DDPM.
        guidance: w of classifier-free guidance; 0 is the conditional model alone.
    """

    steps: int
    noise: float
    guidance: float


def ddpm(steps: int, guidance: float) -> Sampling:
    """Return the sampling of DDPM (arXiv:2006.11239) over a process of so many steps."""
    return Sampling(steps, 1.0, guidance)


def ddim(steps: int, guidance: float) -> Sampling:
    """Return the deterministic sampling of DDIM in so many steps."""
    return Sampling(steps, 0.0, guidance)


def noised(images: Tensor, times: Tensor, noise: Tensor, shares: Tensor) -> Tensor:
    """Return images as they are at their times.

    Args:
        images: float32 [b, channels, side, side], in [-1, 1].
        times: int64 [b], in [1, steps].
        noise: normal, of the images' shape.
        shares: `signal_shares`.
    """
    share = shares[times].to(images.dtype)[:, None, None, None]
    return share.sqrt() * images + (1 - share).sqrt() * noise


def guided(denoise: Denoiser, noisy: Tensor, times: Tensor, labels: Tensor, unlabelled: int, weight: float) -> Tensor:
    """Return (1 + w) eps(x, c) - w eps(x), the guided noise (equation 6 of arXiv:2207.12598).

    Args:
        denoise: the network.
        noisy: [b, channels, side, side].
        times: [b], in [0, 1].
        labels: [b].
        unlabelled: the label that stands for none.
        weight: w.
    """
    if weight == 0:
        return denoise(noisy, times, labels)
    none = torch.full_like(labels, unlabelled)
    both = denoise(torch.cat([noisy, noisy]), torch.cat([times, times]), torch.cat([labels, none]))
    with_class, without = both.chunk(2)
    return (1 + weight) * with_class - weight * without


def draw(
    denoise: Denoiser,
    labels: Tensor,
    shape: tuple[int, int, int],
    shares: Tensor,
    how: Sampling,
    unlabelled: int,
    random: torch.Generator,
) -> Tensor:
    """Draw an image for each label: float32 [b, *shape], in [-1, 1].

    Args:
        denoise: the network.
        labels: int64 [b].
        shape: (channels, side, side).
        shares: `signal_shares` of the process that the network learnt.
        how: to draw.
        unlabelled: the label that stands for none.
        random: where noise comes from.
    """
    steps = len(shares) - 1
    times = torch.linspace(steps, 0, how.steps + 1).round().long()
    x = torch.randn((len(labels), *shape), generator=random)
    for now, then in pairwise(times.tolist()):
        eps = guided(denoise, x, torch.full((len(labels),), now / steps), labels, unlabelled, how.guidance)
        x = _step(x, eps, float(shares[now]), float(shares[then]), how.noise, random)
    return x


def _step(x: Tensor, eps: Tensor, now: float, then: float, noise: float, random: torch.Generator) -> Tensor:
    """Go from one time to an earlier one: equation 12 of DDIM, the image told from the noise kept within [-1, 1]."""
    image = ((x - math.sqrt(1 - now) * eps) / math.sqrt(now)).clamp(-1, 1)
    eps = (x - math.sqrt(now) * image) / math.sqrt(1 - now)
    sigma = noise * math.sqrt((1 - then) / (1 - now) * max(0.0, 1 - now / then))
    x = math.sqrt(then) * image + math.sqrt(max(0.0, 1 - then - sigma**2)) * eps
    return x + sigma * torch.randn(x.shape, generator=random) if sigma else x
