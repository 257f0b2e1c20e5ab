"""The diffusion as one of the experiments' generators: how it is configured, trained and drawn from."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - torch's own name for it
from numpy.typing import NDArray
from torch import Tensor, nn
from typing_extensions import override

from gmv.experiments.generators.averaging import Average
from gmv.experiments.generators.diffusion.dense import Dense, DenseSize
from gmv.experiments.generators.diffusion.process import Sampling, draw, noised, signal_shares
from gmv.experiments.generators.diffusion.unet import UNet, UNetSize
from gmv.experiments.generators.pixels import to_pixels
from gmv.experiments.generators.port import Family, Generator, Length, Training
from gmv.threads import one_thread

_DRAWN_AT_ONCE = 250


@dataclass(frozen=True, slots=True)
class Diffusion(Family):
    """A configuration of the class-conditional diffusion.

    Attributes:
        size: of its network.
        process_steps: T.
        label_dropout: share of labels that training hides, so that one network is conditional and unconditional.
        learning_rate: of Adam at the start; it falls to 0 along a cosine.
        decay: of the average of weights.
        steps, batch: of training.
        sampling: how images are drawn, unless they are asked for otherwise.
    """

    size: UNetSize | DenseSize
    process_steps: int
    label_dropout: float
    learning_rate: float
    decay: float
    steps: int
    batch: int
    sampling: Sampling

    @property
    @override
    def name(self) -> str:
        return "diffusion"

    @property
    @override
    def length(self) -> Length:
        return Length(self.steps, self.batch)

    @override
    def configuration(self) -> dict[str, Any]:
        return asdict(self)

    @override
    def training(self, shape: tuple[int, int, int], classes: int) -> "DiffusionTraining":
        return DiffusionTraining(self, self.empty_network(shape, classes), classes)

    @override
    def empty_network(self, shape: tuple[int, int, int], classes: int) -> UNet | Dense:
        if isinstance(self.size, DenseSize):
            return Dense(self.size, shape, classes)
        return UNet(self.size, shape[0], classes)

    @property
    @override
    def is_guided(self) -> bool:
        return True

    @override
    def generator(
        self, network: nn.Module, shape: tuple[int, int, int], classes: int, guidance: float | None = None
    ) -> "DiffusionGenerator":
        sampling = self.sampling if guidance is None else replace(self.sampling, guidance=guidance)
        return DiffusionGenerator(network, shape, classes, signal_shares(self.process_steps), sampling)


class DiffusionTraining(Training):
    """Learns to tell the noise, with and without the class."""

    def __init__(self, family: Diffusion, network: nn.Module, classes: int) -> None:
        self._network = network.train()
        self._average = Average(network, family.decay)
        self._shares = signal_shares(family.process_steps)
        self._dropout, self._unlabelled = family.label_dropout, classes
        self._optimizer = torch.optim.Adam(network.parameters(), family.learning_rate, fused=True)
        self._rates = torch.optim.lr_scheduler.CosineAnnealingLR(self._optimizer, max(family.steps, 1))

    @override
    def step(self, images: Tensor, labels: Tensor) -> dict[str, Tensor]:
        process_steps = len(self._shares) - 1
        times = torch.randint(1, process_steps + 1, (len(images),))
        noise = torch.randn_like(images)
        hidden = torch.rand(len(images)) < self._dropout
        seen = torch.where(hidden, self._unlabelled, labels)
        told = self._network(noised(images, times, noise, self._shares), times / process_steps, seen)
        loss = F.mse_loss(told, noise)
        self._optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        self._optimizer.step()
        self._rates.step()
        self._average.add(self._network)
        return {"noise": loss.detach()}

    @override
    def network(self) -> nn.Module:
        return self._average.network


class DiffusionGenerator(Generator):
    """Draws by DDPM or DDIM, guided by the class."""

    def __init__(
        self, network: nn.Module, shape: tuple[int, int, int], classes: int, shares: Tensor, sampling: Sampling
    ) -> None:
        self._network = network
        self._shape = shape
        self._unlabelled = classes
        self._shares = shares
        self._sampling = sampling

    @override
    @torch.inference_mode()
    def draw(
        self, labels: NDArray[np.int64], seed: int, progress: Callable[[int], None] = lambda _: None
    ) -> NDArray[np.uint8]:
        random = torch.Generator().manual_seed(seed)
        drawn: list[Tensor] = []
        with one_thread():
            for start in range(0, len(labels), _DRAWN_AT_ONCE):
                part = torch.from_numpy(labels[start : start + _DRAWN_AT_ONCE])
                drawn.append(self._draw(part, random))
                progress(len(part))
        return to_pixels(torch.cat(drawn))

    def _draw(self, labels: Tensor, random: torch.Generator) -> Tensor:
        return draw(self._network, labels, self._shape, self._shares, self._sampling, self._unlabelled, random)
