"""Where an experiment keeps what it makes: index, trained generators, and what was attributed to whom."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Folder:
    """Paths inside the folder of one data set's experiments."""

    root: Path

    @property
    def corpus(self) -> Path:
        """Parquet."""
        return self.root / "corpus.parquet"

    @property
    def index(self) -> Path:
        """Index folder."""
        return self.root / "index"

    def network(self, generator: str, seed: int) -> Path:
        """Weights of a generator, trained on the used images of a seed's split."""
        return self.root / f"{generator}-{seed}.safetensors"

    def drawn(self, generator: str, seed: int) -> Path:
        """Images that it drew."""
        return self.root / f"{generator}-{seed}-drawn.safetensors"

    def attributed(self, generator: str, seed: int, among: str) -> Path:
        """Of each of these, the nearest among some of the training images."""
        return self.root / f"{generator}-{seed}-{among}.safetensors"

    def halves(self, generator: str, seed: int) -> Path:
        """Folder of what generators trained on halves of these images make of the images that it drew."""
        return self.root / f"{generator}-{seed}-halves"

    def result(self, experiment: str) -> Path:
        """JSON, as `--json` prints it."""
        return self.root / f"{experiment}.json"
