"""BigGAN's generator and discriminator, for squares whose side is the bottom's times a power of two."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F  # noqa: N812 - torch's own name for it
from torch import Tensor, nn

from gmv.experiments.generators.biggan.layers import (
    DiscriminatorBlock,
    GeneratorBlock,
    SelfAttention,
    normed,
)


@dataclass(frozen=True, slots=True)
class BigGANSize:
    """How large the networks are.

    Attributes:
        bottom: side that the generator begins at, in pixels.
        widths: of the generator: channels at the bottom, and after each doubling.
        discriminator_widths: channels after each of its blocks; the first as many blocks as the generator has halve.
        part: numbers of z that the bottom and each block receive: z is split, rather than given whole to the bottom.
        embedding: numbers that stand for a class, shared by all layers of the generator.
        attention_side: resolution at which both networks have self-attention; 0 for none.
    """

    bottom: int
    widths: tuple[int, ...]
    discriminator_widths: tuple[int, ...]
    part: int
    embedding: int
    attention_side: int

    @property
    def z_size(self) -> int:
        """Numbers of z."""
        return self.part * len(self.widths)

    @property
    def side(self) -> int:
        """Of the images it makes."""
        return int(self.bottom * 2 ** (len(self.widths) - 1))


class GeneratorNetwork(nn.Module):
    """From z and a class to an image."""

    def __init__(self, size: BigGANSize, channels: int, classes: int) -> None:
        super().__init__()
        self.size = size
        condition = size.embedding + size.part
        self.embedding = nn.Embedding(classes, size.embedding)
        nn.init.orthogonal_(self.embedding.weight)
        self.enter = normed(nn.Linear(size.part, size.widths[0] * size.bottom**2))
        self.blocks = nn.ModuleList()
        self.attention = nn.ModuleList()
        for place, (entering, leaving) in enumerate(zip(size.widths[:-1], size.widths[1:], strict=True)):
            self.blocks.append(GeneratorBlock(entering, leaving, condition))
            attends = size.bottom * 2 ** (place + 1) == size.attention_side
            self.attention.append(SelfAttention(leaving) if attends else nn.Identity())
        self.norm = nn.BatchNorm2d(size.widths[-1])
        self.leave = normed(nn.Conv2d(size.widths[-1], channels, 3, padding=1))

    def forward(self, z: Tensor, labels: Tensor) -> Tensor:
        """Return float32 [b, channels, side, side], in [-1, 1], of z [b, z_size] and int64 labels [b]."""
        first, *others = torch.split(z, self.size.part, 1)
        embedded = self.embedding(labels)
        x: Tensor = self.enter(first).view(len(z), -1, self.size.bottom, self.size.bottom)
        for block, attention, part in zip(self.blocks, self.attention, others, strict=True):
            x = attention(block(x, torch.cat([embedded, part], 1)))
        return torch.tanh(self.leave(F.relu(self.norm(x))))


class Discriminator(nn.Module):
    """From an image and a class to how real it looks: a projection discriminator (arXiv:1802.05637)."""

    def __init__(self, size: BigGANSize, channels: int, classes: int) -> None:
        super().__init__()
        halvings, side, width = len(size.widths) - 1, size.side, channels
        layers: list[nn.Module] = []
        for place, wanted in enumerate(size.discriminator_widths):
            halves = place < halvings
            layers.append(DiscriminatorBlock(width, wanted, halves, is_first=place == 0))
            width, side = wanted, side // 2 if halves else side
            if halves and side == size.attention_side:
                layers.append(SelfAttention(width))
        self.layers = nn.Sequential(*layers)
        self.real = normed(nn.Linear(width, 1))
        self.embedding = normed(nn.Embedding(classes, width))

    def forward(self, images: Tensor, labels: Tensor) -> Tensor:
        """Return float32 [b]: linear in the features, and their product with the class's embedding added."""
        features = F.relu(self.layers(images)).sum((2, 3))
        out: Tensor = self.real(features).squeeze(1) + (self.embedding(labels) * features).sum(1)
        return out
