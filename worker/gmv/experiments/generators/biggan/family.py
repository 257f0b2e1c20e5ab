"""BigGAN as one of the experiments' generators: how it is configured, trained and drawn from."""

import copy
import math
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from typing_extensions import override

from gmv.experiments.generators.averaging import Average
from gmv.experiments.generators.biggan.losses import discriminator_hinge, generator_hinge, orthogonality
from gmv.experiments.generators.biggan.networks import BigGANSize, Discriminator, GeneratorNetwork
from gmv.experiments.generators.pixels import to_pixels
from gmv.experiments.generators.port import Family, Generator, Length, Training
from gmv.threads import one_thread

_DRAWN_AT_ONCE = 250
_STANDING_BATCHES = 20
"""Whose statistics batch normalisation takes for drawing: BigGAN's "standing statistics" at the truncation."""


@dataclass(frozen=True, slots=True)
class BigGAN(Family):
    """A configuration of BigGAN.

    Attributes:
        size: of its networks.
        generator_rate, discriminator_rate: learning rates of Adam, whose beta are 0 and .999.
        discriminator_steps: for one of the generator.
        orthogonality: strength of the regularisation of the generator's weights.
        decay: of the average of the generator's weights.
        steps: of the generator.
        batch: images that the discriminator sees of each kind in one of its steps.
        truncation: numbers of z beyond it are drawn again; infinity for none.
    """

    size: BigGANSize
    generator_rate: float
    discriminator_rate: float
    discriminator_steps: int
    orthogonality: float
    decay: float
    steps: int
    batch: int
    truncation: float

    @property
    @override
    def name(self) -> str:
        return "biggan"

    @property
    @override
    def length(self) -> Length:
        return Length(self.steps, self.batch * self.discriminator_steps)

    @override
    def configuration(self) -> dict[str, Any]:
        return asdict(self)

    @override
    def training(self, shape: tuple[int, int, int], classes: int) -> "BigGANTraining":
        networks = GeneratorNetwork(self.size, shape[0], classes), Discriminator(self.size, shape[0], classes)
        return BigGANTraining(self, *networks, classes)

    @override
    def empty_network(self, shape: tuple[int, int, int], classes: int) -> GeneratorNetwork:
        return GeneratorNetwork(self.size, shape[0], classes)

    @property
    @override
    def is_guided(self) -> bool:
        return False

    @override
    def generator(
        self, network: nn.Module, shape: tuple[int, int, int], classes: int, guidance: float | None = None
    ) -> "BigGANGenerator":
        return BigGANGenerator(network, self.size.z_size, self.truncation, classes, self.batch)


class BigGANTraining(Training):
    """The two networks against each other."""

    def __init__(self, family: BigGAN, generator: GeneratorNetwork, discriminator: Discriminator, classes: int) -> None:
        self._family, self._classes = family, classes
        self._generator, self._discriminator = generator.train(), discriminator.train()
        self._average = Average(generator, family.decay)
        self._of_generator = _adam(generator, family.generator_rate)
        self._of_discriminator = _adam(discriminator, family.discriminator_rate)
        self._regular = list(_regularised(generator))

    @override
    def step(self, images: Tensor, labels: Tensor) -> dict[str, Tensor]:
        parts = zip(
            images.chunk(self._family.discriminator_steps), labels.chunk(self._family.discriminator_steps), strict=True
        )
        for real, classes in parts:
            told = self._tell(real, classes)
        return {"discriminator": told, "generator": self._deceive(len(real))}

    @override
    def network(self) -> nn.Module:
        return self._average.network

    def _tell(self, real: Tensor, labels: Tensor) -> Tensor:
        """One step of the discriminator."""
        with torch.no_grad():
            made, classes = self._make(len(real))
        # Both in one pass: spectral norms take one power iteration for each.
        told = self._discriminator(torch.cat([real, made]), torch.cat([labels, classes]))
        loss = discriminator_hinge(*told.chunk(2))
        self._of_discriminator.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        self._of_discriminator.step()
        return loss.detach()

    def _deceive(self, count: int) -> Tensor:
        """One step of the generator."""
        self._discriminator.requires_grad_(False)
        loss = generator_hinge(self._discriminator(*self._make(count)))
        (loss + self._family.orthogonality * orthogonality(self._regular)).backward()  # type: ignore[no-untyped-call]
        self._of_generator.step()
        self._of_generator.zero_grad()
        self._discriminator.requires_grad_(True)
        self._average.add(self._generator)
        return loss.detach()

    def _make(self, count: int) -> tuple[Tensor, Tensor]:
        labels = torch.randint(self._classes, (count,))
        return self._generator(torch.randn(count, self._family.size.z_size), labels), labels


def _adam(network: nn.Module, rate: float) -> torch.optim.Adam:
    return torch.optim.Adam(network.parameters(), rate, betas=(0.0, 0.999), eps=1e-6, fused=True)


def _regularised(generator: GeneratorNetwork) -> Iterator[Tensor]:
    """Yield the weights that are matrices, without the classes' embedding, as BigGAN has it."""
    for name, weight in generator.named_parameters():
        if weight.ndim > 1 and not name.startswith("embedding"):
            yield weight


class BigGANGenerator(Generator):
    """Draws with averaged weights, from a truncated z."""

    def __init__(self, network: nn.Module, z_size: int, truncation: float, classes: int, batch: int) -> None:
        self._network, self._z_size, self._truncation = network, z_size, truncation
        self._classes, self._batch = classes, batch

    @override
    @torch.inference_mode()
    def draw(
        self, labels: NDArray[np.int64], seed: int, progress: Callable[[int], None] = lambda _: None
    ) -> NDArray[np.uint8]:
        random = torch.Generator().manual_seed(seed)
        drawn = []
        with one_thread():
            network = self._standing(random)
            for start in range(0, len(labels), _DRAWN_AT_ONCE):
                part = torch.from_numpy(labels[start : start + _DRAWN_AT_ONCE])
                drawn.append(network(truncated(len(part), self._z_size, self._truncation, random), part))
                progress(len(part))
        return to_pixels(torch.cat(drawn))

    def _standing(self, random: torch.Generator) -> nn.Module:
        """Return the network with statistics of what it draws at this truncation, in place of those of training."""
        network = copy.deepcopy(self._network).eval()
        for module in network.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.reset_running_stats()
                module.momentum = None  # the mean over all batches, each counting the same
                module.train()
        for _ in range(_STANDING_BATCHES):
            labels = torch.randint(self._classes, (self._batch,), generator=random)
            network(truncated(self._batch, self._z_size, self._truncation, random), labels)
        return network.eval()


def truncated(count: int, size: int, threshold: float, random: torch.Generator) -> Tensor:
    """Return z, float32 [count, size]: normal numbers, none of them beyond the threshold on either side."""
    z = torch.empty(count, size)
    if math.isinf(threshold):
        return z.normal_(generator=random)
    return nn.init.trunc_normal_(z, 0.0, 1.0, -threshold, threshold, random)
