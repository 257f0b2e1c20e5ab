import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from gmv.valuation.wasserstein.rerank import ExactReranker
from tests.valuation.wasserstein.sets import Kind, token_sets


@pytest.mark.slow
def test_a_kernel_that_was_compiled_before_is_found_and_not_compiled_again() -> None:
    ExactReranker(token_sets(Kind.RANDOM, 1, 2, 2, seed=1))
    done = subprocess.run([sys.executable, "-m", "gmv", "warm", "--json"], capture_output=True, text=True, check=True)
    shown = json.loads(done.stdout)
    assert done.stderr == ""
    assert Path(shown["folder"]).name.startswith("gmv-")
    assert shown["bytes"] > 100_000
    assert list(Path(shown["folder"]).glob("linear_*/*.nbc"))


@pytest.mark.slow
def test_a_kernel_is_not_taken_for_compiled_because_linear_algebra_is(tmp_path: Path) -> None:
    """An index build compiles the one and not the other."""
    program = (
        "import numpy as np; from gmv import compiled; from gmv.linear.product import multiply; "
        "multiply(np.eye(2), np.eye(2)); print(compiled.is_compiled(), any(compiled.FOLDER.rglob('*.nbc')))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"NUMBA_CACHE_DIR": str(tmp_path)},
    )
    assert done.stdout == "False True\n"
