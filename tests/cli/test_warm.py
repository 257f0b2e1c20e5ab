import json
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
