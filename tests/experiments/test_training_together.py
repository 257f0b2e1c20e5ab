"""Networks trained at the same time are those that are trained one after another."""

import math
from dataclasses import replace
from typing import Any

import pytest
import torch

from gmv.errors import ExperimentRefused
from gmv.experiments import laboratory as laboratories
from gmv.experiments.folder import Folder
from gmv.experiments.generators.presets import GENERATORS, family
from gmv.experiments.laboratory import Laboratory
from gmv.experiments.stored import load
from gmv.settings import Settings
from tests.experiments.world import SIDE, shapes

SEEDS = (3, 4)


def tiny(name: str, **changes: Any) -> Any:
    made: Any = family(name, SIDE)
    return replace(made, steps=11, batch=4, **changes)


class Told:
    """A progress bar that remembers."""

    def __init__(self):
        self.descriptions, self.total, self.done = [], 0, 0

    def __call__(self, description, total=None, unit=""):
        self.descriptions.append(description)
        self.total += total or 0
        return self

    def __enter__(self):
        return self.advance

    def __exit__(self, *_):
        return None

    def advance(self, count):
        self.done += count


def laboratory(folder, progress, **changes):
    families = {name: tiny(name, **(changes if name == "biggan" else {})) for name in GENERATORS}
    return Laboratory(shapes(), families, Folder(folder), Settings(), 6, progress)


@pytest.fixture
def even_short_ones(monkeypatch):
    monkeypatch.setattr(laboratories, "_STEPS_TOGETHER_MIN", 0)
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    monkeypatch.setattr(laboratories, "index_of", lambda *_: None)  # takes longest, and no training needs it


def test_they_are_those_trained_one_after_another(even_short_ones, tmp_path):
    told = Told()
    together, alone = laboratory(tmp_path / "together", told), laboratory(tmp_path / "alone", Told())
    before = len(told.descriptions)
    done = told.done
    together.train(SEEDS)
    trained = told.descriptions[before:]
    assert told.done - done == len(SEEDS) * len(GENERATORS) * tiny("biggan").steps
    together.train(SEEDS)

    assert trained == ["training biggan 3, diffusion 3, biggan 4, diffusion 4"] == told.descriptions[before:]
    for name in GENERATORS:
        for seed in SEEDS:
            expected = alone.network(name, seed).state_dict()
            torch.testing.assert_close(together.network(name, seed).state_dict(), expected, rtol=0, atol=0)


def test_one_that_diverges_is_refused_and_the_others_are_kept(even_short_ones, tmp_path):
    place = laboratory(tmp_path, Told(), generator_rate=math.inf)
    with pytest.raises(ExperimentRefused, match=r"training of biggan \(seed 3\) diverged at step \d: its loss"):
        place.train(SEEDS[:1])
    assert not Folder(tmp_path).network("biggan", 3).exists()
    assert load(Folder(tmp_path).network("diffusion", 3), place._stamp("diffusion", 3))
