"""A small world, and what comes of it on processors of several kinds."""

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.exact.world import make_world
from tests.instruction_sets import INSTRUCTION_SETS, InstructionSet, run_under


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """What one pipeline left, by the name of the instruction set that it was told to use."""
    folder = tmp_path_factory.mktemp("exact")
    make_world(folder / "world")

    def make(place: int, instructions: InstructionSet) -> Path:
        out = folder / f"{place}"
        run_under(instructions, sys.executable, "-m", "tests.exact.pipeline", folder / "world", out)
        return out

    with ThreadPoolExecutor(2) as side_by_side:
        outs = side_by_side.map(make, range(len(INSTRUCTION_SETS)), INSTRUCTION_SETS)
        return dict(zip((each.name for each in INSTRUCTION_SETS), outs, strict=True))
