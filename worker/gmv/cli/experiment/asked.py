"""What is on the command line of `gmv experiment`, and what it becomes."""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from gmv.cli.options import load_settings

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    from gmv.experiments.images import LabelledImages
    from gmv.experiments.laboratory import Laboratory
    from gmv.experiments.truth.run import Plan
    from gmv.settings import Settings

_NOISE_MAX = 255


@dataclass(frozen=True, slots=True)
class Asked:
    """What is on the command line.

    Attributes:
        experiment: its name.
        dataset: the data set as it is named, or the folder of what others have made.
        seeds: as they are written.
        out: where everything is made.
        config: of settings.
        others: options by flag, which one experiment has and another has not.
        dataset_flag: by which the data set is named.
        images: how many of the data set are taken; None for all.
    """

    experiment: str
    dataset: str
    seeds: str
    out: Path
    config: Path | None
    others: Mapping[str, str]
    dataset_flag: str = "--dataset"
    images: int | None = None

    @property
    def seed_numbers(self) -> list[int]:
        """The seeds, each once.

        Raises:
            InvalidSettings: one is no number.
        """
        from gmv.errors import InvalidSettings

        parts = [part.strip() for part in self.seeds.split(",")]
        if not all(part.isdecimal() for part in parts) or len(set(map(int, parts))) < len(parts):
            raise InvalidSettings(f"--seeds {self.seeds!r}: write different whole numbers with commas, such as 0,1,2")
        return [int(part) for part in parts]

    @property
    def command(self) -> str:
        """The command that makes the same result again."""
        options = [self.dataset_flag, self.dataset, "--seeds", self.seeds, *chain.from_iterable(self.others.items())]
        options += ["--images", str(self.images)] if self.images else []
        options += ["--config", str(self.config)] if self.config else []
        return shlex.join(["gmv", "experiment", self.experiment, *options])

    @property
    def folder(self) -> Path:
        """Where this data set's experiments are."""
        name = Path(self.dataset).stem
        return self.out / (f"{name}-{self.images}" if self.images else name)


def prepare(asked: Asked) -> "Settings":
    """Look at what was asked before anything is made, and return the settings."""
    settings = load_settings(asked.config)
    _ = asked.seed_numbers
    from gmv.threads import limit_threads

    limit_threads()
    return settings


@dataclass(frozen=True, slots=True)
class Generating:
    """Which generators are trained, and how they draw; see `gmv.experiments.laboratory`.

    Attributes:
        generators: names, with commas.
        drawn: images that each draws.
        steps_share: of each one's training.
        size: of the networks.
        guidance: w, in place of the configuration's own.
    """

    generators: str
    drawn: int
    steps_share: float
    size: str
    guidance: float | None

    @property
    def options(self) -> dict[str, str]:
        """As on the command line; of the last two, what is not usual."""
        options = {
            "--generators": self.generators,
            "--drawn": str(self.drawn),
            "--steps-share": f"{self.steps_share:g}",
        }
        options |= {"--size": self.size} if self.size != "full" else {}
        return options | ({"--guidance": f"{self.guidance:g}"} if self.guidance is not None else {})


def laboratory_of(asked: Asked, generating: Generating) -> "Laboratory":
    """Return what trains, draws and attributes, or uses what is there."""
    settings = prepare(asked)
    from gmv.cli.output import progress
    from gmv.experiments.folder import Folder
    from gmv.experiments.generators.presets import family
    from gmv.experiments.laboratory import Laboratory

    images = images_of(asked)
    names = [name.strip() for name in generating.generators.split(",")]
    side, share = images.shape[1], generating.steps_share
    families = {name: family(name, side, share, generating.size) for name in names}
    return Laboratory(images, families, Folder(asked.folder), settings, generating.drawn, progress, generating.guidance)


def plan_of(asked: Asked, sources: str, noises: str, events: int) -> "Plan":
    """Return which remixes are made.

    Raises:
        InvalidSettings: a number of sources, or a noise, is none.
    """
    from gmv.errors import InvalidSettings
    from gmv.experiments.truth.run import Plan

    counts, levels = ([part.strip() for part in each.split(",")] for each in (sources, noises))
    if not all(part.isdecimal() and int(part) > 0 for part in counts) or len(set(map(int, counts))) < len(counts):
        raise InvalidSettings(f"--sources {sources!r}: write different whole numbers with commas, such as 1,2,3,5")
    try:
        strengths = [float(part) for part in levels]
    except ValueError:
        strengths = []
    if not all(0 <= each <= _NOISE_MAX for each in strengths) or len(set(strengths)) < len(levels):
        raise InvalidSettings(
            f"--noise {noises!r}: write different numbers from 0 to {_NOISE_MAX} with commas, such as 4,16,48"
        )
    return Plan([int(part) for part in counts], strengths, events, asked.seed_numbers)


def images_of(asked: Asked) -> "LabelledImages":
    """Return the data set that is named."""
    from gmv.experiments.datasets import DIGITS, digits, labelled_parquet

    images = digits() if asked.dataset == DIGITS else labelled_parquet(Path(asked.dataset))
    return images if asked.images is None else images.fewer(asked.images)


def keep(asked: Asked, result: "DataclassInstance") -> None:
    """Write a result beside what it was made from, for `gmv experiment report`."""
    import orjson

    from gmv.experiments.folder import Folder
    from gmv.whole_file import write_whole

    write_whole(Folder(asked.folder).result(asked.experiment), orjson.dumps(result, option=orjson.OPT_INDENT_2))
