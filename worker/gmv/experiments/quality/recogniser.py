"""A small classifier in the place of Inception's network, which was never shown images of 8 pixels a side."""

from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - torch's own name for it
from numpy.typing import NDArray
from torch import Tensor, nn
from typing_extensions import override

from gmv.experiments.folder import Folder
from gmv.experiments.generators.pixels import to_torch
from gmv.experiments.generators.port import Learner, Length, Training
from gmv.experiments.generators.training import train
from gmv.experiments.images import LabelledImages
from gmv.experiments.stored import store, stored_network
from gmv.indexing.progress import Progress
from gmv.threads import one_thread

NAME: Final = "recogniser"
_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class Recogniser(Learner):
    """A configuration: two convolutions, then `features` numbers that are at least 0, and a class by these.

    Attributes:
        widths: channels of the convolutions, the second of which halves the image's sides.
        features: numbers before the last layer.
        learning_rate: of Adam.
        steps, batch: of training.
    """

    widths: tuple[int, int] = (16, 32)
    features: int = 32
    learning_rate: float = 2e-3
    steps: int = 600
    batch: int = 64

    @property
    @override
    def name(self) -> str:
        return NAME

    @property
    @override
    def length(self) -> Length:
        return Length(self.steps, self.batch)

    @override
    def configuration(self) -> dict[str, Any]:
        return asdict(self)

    @override
    def training(self, shape: tuple[int, int, int], classes: int) -> "RecogniserTraining":
        return RecogniserTraining(self.empty_network(shape, classes), self.learning_rate)

    @override
    def empty_network(self, shape: tuple[int, int, int], classes: int) -> "RecogniserNetwork":
        return RecogniserNetwork(self, shape[0], classes)


class RecogniserNetwork(nn.Module):
    """From pixels to features, and from these to a score of each class."""

    def __init__(self, size: Recogniser, channels: int, classes: int) -> None:
        super().__init__()
        first, second = size.widths
        self.features = nn.Sequential(
            nn.Conv2d(channels, first, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(first, second, 3, stride=2, padding=1),
            nn.ReLU(),
            nn.AdaptiveAvgPool2d(4),
            nn.Flatten(),
            nn.Linear(16 * second, size.features),
            nn.ReLU(),
        )
        self.classes = nn.Linear(size.features, classes)

    @override
    def forward(self, images: Tensor) -> Tensor:
        scores: Tensor = self.classes(self.features(images))
        return scores


class RecogniserTraining(Training):
    """Learns the classes by cross-entropy."""

    def __init__(self, network: RecogniserNetwork, learning_rate: float) -> None:
        self._network = network.train()
        self._optimizer = torch.optim.Adam(network.parameters(), learning_rate, fused=True)

    @override
    def step(self, images: Tensor, labels: Tensor) -> dict[str, Tensor]:
        loss = F.cross_entropy(self._network(images), labels)
        self._optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        self._optimizer.step()
        return {"cross-entropy": loss.detach()}

    @override
    def network(self) -> nn.Module:
        return self._network


@dataclass(frozen=True, slots=True)
class Seen:
    """What a recogniser makes of images.

    Attributes:
        features: float64 [images, d].
        probabilities: float64 [images, classes].
    """

    features: NDArray[np.float64]
    probabilities: NDArray[np.float64]


@torch.inference_mode()
def see(network: RecogniserNetwork, pixels: NDArray[np.uint8]) -> Seen:
    """Look at images, uint8 [images, side, side, channels]."""
    parts = range(0, len(pixels), _AT_ONCE)
    with one_thread():
        features = torch.cat([network.features(to_torch(pixels[start : start + _AT_ONCE])) for start in parts])
        probabilities = network.classes(features).double().softmax(1)
    return Seen(features.double().numpy(), probabilities.numpy())


def accuracy(network: RecogniserNetwork, images: LabelledImages) -> float:
    """Return the share of images whose class is recognised."""
    return float((see(network, images.pixels).probabilities.argmax(1) == images.labels).mean())


def recogniser_of(
    images: LabelledImages, folder: Folder, seed: int, progress: Progress, learner: Recogniser | None = None
) -> RecogniserNetwork:
    """Train a recogniser on images, or use the one that is there.

    Args:
        images: all that it learns from; what is judged by it should be none of them.
        folder: to keep it in.
        seed: of its training.
        progress: shows long steps.
        learner: its configuration; None: the default.

    Raises:
        ExperimentRefused: training diverged, or one of another configuration or of other images is there.
    """
    learner = learner or Recogniser()
    stamp = {"configuration": learner.configuration(), "images": images.digest, "seed": seed}
    path = folder.network(NAME, seed)
    network = learner.empty_network(images.shape, images.classes)
    if stored_network(path, network, stamp) is None:
        with progress(f"training the {NAME}, seed {seed}", learner.steps, "steps") as advance:
            store(path, train(learner, images, seed, advance).state_dict(), stamp)
        stored_network(path, network, stamp)
    return network
