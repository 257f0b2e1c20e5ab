"""The network of the diffusion: a U-Net that tells the noise in an image, its time and its class being known."""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F  # noqa: N812 - torch's own name for it
from torch import Tensor, nn

_GROUPS = 8
_SLOWEST_PERIOD = 10_000.0


@dataclass(frozen=True, slots=True)
class UNetSize:
    """How large the network is.

    Attributes:
        patch: side of the squares of pixels that are one place of the network, as simple diffusion has it
            (arXiv:2301.11093); 1 for pixels.
        width: channels at the first resolution; a multiple of 8.
        multipliers: of the width, for each resolution, each half of the one before.
        blocks: residual blocks at each resolution, on the way down; one more on the way up.
        attention: how many of the lowest resolutions have self-attention.
        dropout: inside residual blocks.
    """

    patch: int
    width: int
    multipliers: tuple[int, ...]
    blocks: int
    attention: int
    dropout: float


class UNet(nn.Module):
    """Ho, Jain and Abbeel (arXiv:2006.11239), with scale and shift by time and class as Dhariwal and Nichol have it."""

    def __init__(self, size: UNetSize, channels: int, classes: int) -> None:
        """Make the network, with random weights.

        Args:
            size: of it.
            channels: of images.
            classes: of labels; one more, `classes`, stands for no label.
        """
        super().__init__()
        widths = [size.width * each for each in size.multipliers]
        condition = 4 * size.width
        self.time_size, self.patch = size.width, size.patch
        channels *= size.patch**2
        self.time = nn.Sequential(nn.Linear(size.width, condition), nn.SiLU(), nn.Linear(condition, condition))
        self.label = nn.Embedding(classes + 1, condition)
        self.enter = nn.Conv2d(channels, widths[0], 3, padding=1)
        self.down = nn.ModuleList()
        kept, width = [widths[0]], widths[0]
        for level, wanted in enumerate(widths):
            attends = level >= len(widths) - size.attention
            for _ in range(size.blocks):
                self.down.append(Stage(width, wanted, condition, size.dropout, attends))
                width = wanted
                kept.append(width)
            if level < len(widths) - 1:
                self.down.append(Halve(width))
                kept.append(width)
        self.middle = Stage(width, width, condition, size.dropout, size.attention > 0)
        self.up = nn.ModuleList()
        for level, wanted in reversed(list(enumerate(widths))):
            attends = level >= len(widths) - size.attention
            for _ in range(size.blocks + 1):
                self.up.append(Stage(width + kept.pop(), wanted, condition, size.dropout, attends))
                width = wanted
            if level > 0:
                self.up.append(Double(width))
        self.leave = nn.Sequential(
            nn.GroupNorm(_GROUPS, width), nn.SiLU(), _zero(nn.Conv2d(width, channels, 3, padding=1))
        )

    def forward(self, noisy: Tensor, times: Tensor, labels: Tensor) -> Tensor:
        """Return the noise in images.

        Args:
            noisy: float32 [b, channels, side, side].
            times: float32 [b], in [0, 1].
            labels: int64 [b]; `classes` for none.
        """
        condition = self.time(sinusoids(times, self.time_size)) + self.label(labels)
        x: Tensor = self.enter(F.pixel_unshuffle(noisy, self.patch))
        kept = [x]
        for each in self.down:
            x = each(x, condition)
            kept.append(x)
        x = self.middle(x, condition)
        for each in self.up:
            x = each(x if isinstance(each, Double) else torch.cat([x, kept.pop()], 1), condition)
        return F.pixel_shuffle(self.leave(x), self.patch)


def sinusoids(times: Tensor, size: int) -> Tensor:
    """Return times in [0, 1], float32 [b], as sines and cosines of `size` / 2 frequencies: [b, size]."""
    frequencies = torch.exp(
        torch.arange(size // 2, device=times.device) * (-math.log(_SLOWEST_PERIOD) / (size // 2 - 1))
    )
    angles = 1_000 * times[:, None] * frequencies
    return torch.cat([angles.sin(), angles.cos()], 1)


class Stage(nn.Module):
    """A residual block, and self-attention where it is wanted."""

    def __init__(self, entering: int, leaving: int, condition: int, dropout: float, attends: bool) -> None:
        super().__init__()
        self.before = nn.Sequential(
            nn.GroupNorm(_GROUPS, entering), nn.SiLU(), nn.Conv2d(entering, leaving, 3, padding=1)
        )
        self.scale_and_shift = nn.Sequential(nn.SiLU(), nn.Linear(condition, 2 * leaving))
        self.norm = nn.GroupNorm(_GROUPS, leaving)
        self.after = nn.Sequential(nn.SiLU(), nn.Dropout(dropout), _zero(nn.Conv2d(leaving, leaving, 3, padding=1)))
        self.skip = nn.Conv2d(entering, leaving, 1) if entering != leaving else nn.Identity()
        self.attention = Attention(leaving) if attends else nn.Identity()

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        """Return float32 [b, leaving, side, side]."""
        scale, shift = self.scale_and_shift(condition)[:, :, None, None].chunk(2, 1)
        seen = self.norm(self.before(x)) * (1 + scale) + shift
        out: Tensor = self.attention(self.skip(x) + self.after(seen))
        return out


class Attention(nn.Module):
    """Self-attention over all places, with one head."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(_GROUPS, width)
        self.query_key_value = nn.Conv2d(width, 3 * width, 1)
        self.out = _zero(nn.Conv2d(width, width, 1))

    def forward(self, x: Tensor) -> Tensor:
        """Return a tensor of the same shape."""
        parts = self.query_key_value(self.norm(x)).flatten(2).transpose(1, 2).chunk(3, 2)
        seen = F.scaled_dot_product_attention(*parts).transpose(1, 2).reshape(x.shape)
        out: Tensor = x + self.out(seen)
        return out


class Halve(nn.Module):
    """To half the resolution."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(width, width, 3, stride=2, padding=1)

    def forward(self, x: Tensor, _: Tensor) -> Tensor:
        """Return [b, width, side / 2, side / 2]."""
        out: Tensor = self.convolution(x)
        return out


class Double(nn.Module):
    """To twice the resolution."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(width, width, 3, padding=1)

    def forward(self, x: Tensor, _: Tensor) -> Tensor:
        """Return [b, width, 2 side, 2 side]."""
        out: Tensor = self.convolution(F.interpolate(x, scale_factor=2.0))
        return out


def _zero(convolution: nn.Conv2d) -> nn.Conv2d:
    """Let a branch begin with nothing, as its paper has it."""
    nn.init.zeros_(convolution.weight)
    if convolution.bias is not None:
        nn.init.zeros_(convolution.bias)
    return convolution
