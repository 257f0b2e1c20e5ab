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
    from gmv.settings import Settings


@dataclass(frozen=True, slots=True)
class Asked:
    """What is on the command line.

    Attributes:
        experiment: its name.
        dataset: the data set, or the folder of what others have made.
        seeds: as they are written.
        out: where everything is made.
        config: of settings.
        others: options by flag, which one experiment has and another has not.
        dataset_flag: by which the data set is named.
    """

    experiment: str
    dataset: str
    seeds: str
    out: Path
    config: Path | None
    others: Mapping[str, str]
    dataset_flag: str = "--dataset"

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
        options += ["--config", str(self.config)] if self.config else []
        return shlex.join(["gmv", "experiment", self.experiment, *options])

    @property
    def folder(self) -> Path:
        """Where this data set's experiments are."""
        return self.out / Path(self.dataset).stem


def prepare(asked: Asked) -> "Settings":
    """Look at what was asked before anything is made, and return the settings."""
    settings = load_settings(asked.config)
    _ = asked.seed_numbers
    from gmv.threads import limit_threads

    limit_threads()
    return settings


def laboratory_of(asked: Asked, generators: str, drawn: int, steps_share: float) -> "Laboratory":
    """Return what trains, draws and attributes, or uses what is there."""
    settings = prepare(asked)
    from gmv.cli.output import progress
    from gmv.experiments.folder import Folder
    from gmv.experiments.generators.presets import family
    from gmv.experiments.laboratory import Laboratory

    images = images_of(asked)
    names = [name.strip() for name in generators.split(",")]
    families = {name: family(name, images.shape[1], steps_share) for name in names}
    return Laboratory(images, families, Folder(asked.folder), settings, drawn, progress)


def images_of(asked: Asked) -> "LabelledImages":
    """Return the data set that is named."""
    from gmv.experiments.datasets import DIGITS, digits, labelled_parquet

    return digits() if asked.dataset == DIGITS else labelled_parquet(Path(asked.dataset))


def keep(asked: Asked, result: "DataclassInstance") -> None:
    """Write a result beside what it was made from, for `gmv experiment report`."""
    import orjson

    from gmv.experiments.folder import Folder
    from gmv.whole_file import write_whole

    write_whole(Folder(asked.folder).result(asked.experiment), orjson.dumps(result, option=orjson.OPT_INDENT_2))
