"""What the experiments need of a generator."""

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn


class Length(NamedTuple):
    """How long a network is trained: so many steps of so many images."""

    steps: int
    images: int


class Training(Protocol):
    """A network in training: what one step is, and what is kept at the end."""

    def step(self, images: Tensor, labels: Tensor) -> dict[str, Tensor]:
        """Learn from a batch.

        Args:
            images: float32 [b, channels, side, side], in [-1, 1].
            labels: int64 [b].

        Returns:
            The losses by name, each a number.
        """

    def network(self) -> nn.Module:
        """Return what is kept: of a generator, what draws images by averaged weights."""


class Generator(Protocol):
    """A trained generator."""

    def draw(
        self, labels: NDArray[np.int64], seed: int, progress: Callable[[int], None] = lambda _: None
    ) -> NDArray[np.uint8]:
        """Draw an image of each label.

        Args:
            labels: int64 [images].
            seed: of the noise; the same gives the same images, on one kind of processor.
            progress: called with the steps done since the last call.

        Returns:
            uint8 [images, side, side, channels].
        """


class Learner(Protocol):
    """A kind of network at one size: how it is trained, and opened again."""

    @property
    def name(self) -> str:
        """As commands and results name it."""

    @property
    def length(self) -> Length:
        """How long it is trained."""

    def configuration(self) -> dict[str, Any]:
        """All that decides its weights beside images and seed, as JSON has it."""

    def training(self, shape: tuple[int, int, int], classes: int) -> Training:
        """Begin with random weights; torch's own generator is seeded by the caller."""

    def empty_network(self, shape: tuple[int, int, int], classes: int) -> nn.Module:
        """Return a network to load weights into."""


class Family(Learner, Protocol):
    """A kind of generator at one size."""

    @property
    def is_guided(self) -> bool:
        """Whether drawing has a guidance weight, w of classifier-free guidance."""

    def generator(
        self, network: nn.Module, shape: tuple[int, int, int], classes: int, guidance: float | None = None
    ) -> Generator:
        """Return a network, trained, as a generator.

        Args:
            network: of this configuration.
            shape: (channels, side, side).
            classes: of labels.
            guidance: w in place of the configuration's own, of a family that is guided.
        """
