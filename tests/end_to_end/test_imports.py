"""What attributing by an index of the default encoder does not load."""

import subprocess
import sys
from pathlib import Path

from PIL import Image

from gmv.index.opened import Index
from tests.services.patience import patience

PROGRAM = """
import sys
from gmv.cli import main
try:
    main()
finally:
    print("loaded:", *sorted({"torch", "ot", "transformers", "sklearn"} & set(sys.modules)))
"""


def test_torch_is_not_loaded(small_index: Index, tmp_path: Path) -> None:
    """It takes two seconds of each start, and a worker has 290 MB resident without and 820 with it."""
    Image.new("RGB", (40, 30), (200, 90, 20)).save(tmp_path / "a.png")
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, "attribute", tmp_path / "a.png", "--index", small_index.path, "--json"],
        capture_output=True,
        text=True,
        timeout=patience(120),
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "loaded:"
