"""Every float16 there is, decoded; and where compiled code is kept."""

from pathlib import Path

import numpy as np
import pytest

from gmv import compiled
from gmv.valuation.wasserstein.tokens import load, stored_tokens


def test_every_finite_float16_becomes_the_same_number() -> None:
    every = np.arange(2**16, dtype=np.uint16).view(np.float16)
    finite = every[np.isfinite(every)].reshape(-1, 8)
    store = stored_tokens(finite.reshape(-1, 4, 8))
    tokens = np.zeros((5, 8), np.float32)
    for row in range(store.halves.shape[0]):
        load(store, row, tokens)
        assert (tokens[:4] == finite[4 * row : 4 * row + 4].astype(np.float32)).all()
        assert not tokens[4].any()


def test_a_store_is_not_copied_and_stays_writable_to_its_owner() -> None:
    tokens = np.zeros((2, 3, 4), np.float16)
    store = stored_tokens(tokens)
    tokens[1, 2, 3] = 1.0
    assert store.halves[1, 11] == np.float16(1.0).view(np.uint16)


def sources(folder: Path, text: str) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "kernel.py").write_text(text)
    return folder


def test_compiled_code_has_a_folder_per_version_of_all_sources(tmp_path: Path) -> None:
    first = compiled.cache_folder(sources(tmp_path / "code", "one"), tmp_path / "kept")
    assert first.is_dir()
    assert first.parent == tmp_path / "kept"
    assert compiled.cache_folder(sources(tmp_path / "code", "one"), tmp_path / "kept") == first
    assert compiled.cache_folder(sources(tmp_path / "code", "two"), tmp_path / "kept") != first


def test_on_a_read_only_file_system_compiled_code_is_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = compiled.cache_folder(sources(tmp_path / "code", "one"), tmp_path / "kept")
    (kept / "kernel.nbc").write_bytes(b"compiled")
    monkeypatch.setattr(compiled, "_is_writable", lambda folder: folder != kept)  # root may write everywhere
    copied = compiled.cache_folder(tmp_path / "code", tmp_path / "kept")
    assert copied != kept
    assert (copied / "kernel.nbc").read_bytes() == b"compiled"
