"""What judges evidence, where near copies rank each by itself and the index measured them as groups."""

from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from gmv.assembly.evidence import judge_of
from gmv.errors import InvalidSettings
from gmv.index.opened import Index
from gmv.settings import Method


def test_ratios_of_groups_judge_no_ranking_of_single_copies() -> None:
    index = cast(Index, SimpleNamespace(path=Path("index"), groups=[[0, 1]], manifest=SimpleNamespace(evidence=None)))
    method = Method(candidates=50, temperature=1.0, copies="off")
    assert judge_of(method, index) is None
    with pytest.raises(InvalidSettings, match="give --copies even or earliest, or leave out --evidence"):
        judge_of(method.model_copy(update={"evidence": 0.05}), index)
