"""What a subset of owners is worth: how near that which a generator draws comes to held-out images."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gmv.experiments.images import LabelledImages
from gmv.experiments.laboratory import Drawn
from gmv.experiments.owners.components import Components
from gmv.experiments.owners.dividing import Division
from gmv.experiments.owners.gaussians import learn
from gmv.experiments.quality.frechet import Moments, frechet_distance, moments
from gmv.experiments.quality.recogniser import RecogniserNetwork, see

REPETITIONS: Final = 2
"""Of the utility, each by noise and held-out images of its own: what they agree on is no chance of drawing."""


@dataclass(frozen=True, slots=True)
class Noise:
    """All that is random in drawing.

    Attributes:
        latent: float64 [drawn, d], standard normal.
        pixels: uint8 [drawn, side, side, channels], uniform: what is drawn without any training image.
    """

    latent: NDArray[np.float64]
    pixels: NDArray[np.uint8]


def noise_of(components: Components, drawn: int, seed: int, place: int) -> Noise:
    """Return noise by a seed, other noise at each place."""
    random = np.random.default_rng([seed, 5, place])
    latent = random.standard_normal((drawn, len(components.deviations)))
    return Noise(latent, random.integers(0, 256, (drawn, *components.shape), dtype=np.uint8))


def draw_after_training(
    training: LabelledImages, latents: NDArray[np.float64], components: Components, noise: Noise
) -> Drawn:
    """Train the fast generator and draw images of all classes in turn, less those of classes that it never saw."""
    asked = np.arange(len(noise.latent)) % training.classes
    if not len(training):
        return Drawn(noise.pixels, asked)
    learnt = learn(latents, training.labels, training.classes)
    chosen = learnt.is_known[asked]
    return Drawn(components.pixels(learnt.draw(asked[chosen], noise.latent[chosen])), asked[chosen])


class Worth:
    """Trains, draws and judges: the utility of one subset after the other, `REPETITIONS` of each."""

    def __init__(
        self,
        division: Division,
        held_out: tuple[LabelledImages, ...],
        components: Components,
        recogniser: RecogniserNetwork,
        drawn: int,
        seed: int,
    ) -> None:
        """Look at the images that are held out.

        Args:
            division: whose the training images are.
            held_out: for each repetition, images that are nobody's.
            components: in which the generator works.
            recogniser: whose features are compared.
            drawn: images that each generator draws.
            seed: of noise.
        """
        self._division = division
        self._components = components
        self._latents = components.latents(division.images.pixels)
        self._recogniser = recogniser
        self._noises = [noise_of(components, drawn, seed, place) for place in range(REPETITIONS)]
        self._goals = [self._moments(images.pixels) for images in held_out]

    def of(self, owners: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the negative Frechet distances of what is drawn after training on these owners' images."""
        rows = np.flatnonzero(np.isin(self._division.owner_of, owners))
        training, latents = self._division.images.take(rows), self._latents[rows]
        found = np.empty(REPETITIONS)
        for place, (noise, goal) in enumerate(zip(self._noises, self._goals, strict=True)):
            drawn = draw_after_training(training, latents, self._components, noise)
            found[place] = -frechet_distance(self._moments(drawn.pixels), goal)
        return found

    def of_images(self) -> NDArray[np.float64]:
        """Return the same of the owners' images themselves: what a generator that draws nothing else would come to."""
        seen = self._moments(self._division.images.pixels)
        return np.array([-frechet_distance(seen, goal) for goal in self._goals])

    def _moments(self, pixels: NDArray[np.uint8]) -> Moments:
        return moments(see(self._recogniser, pixels).features)
