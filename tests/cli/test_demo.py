from pathlib import Path

import pytest

from gmv.cli.demo.command import demo
from gmv.demo import run
from gmv.errors import CorpusRefused


def test_an_installed_package_without_the_example_says_how_to_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "EXAMPLE_CORPUS", tmp_path / "not installed")
    with pytest.raises(CorpusRefused, match="--corpus"):
        demo(out=tmp_path / "out", corpus=None, events=8, seed=1, json=True)
    assert not (tmp_path / "out").exists()


def test_the_example_is_in_the_checkout() -> None:
    assert run.EXAMPLE_CORPUS.is_file()
