"""Every float16 there is, decoded; and where compiled code is kept."""

import os
import shutil
import tempfile
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
    first = compiled.cache_folder([sources(tmp_path / "code", "one")], tmp_path / "kept")
    assert first is not None
    assert first.is_dir()
    assert first.parent == tmp_path / "kept"
    assert compiled.cache_folder([sources(tmp_path / "code", "one")], tmp_path / "kept") == first
    assert compiled.cache_folder([sources(tmp_path / "code", "two")], tmp_path / "kept") != first


def test_on_a_read_only_file_system_compiled_code_is_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = compiled.cache_folder([sources(tmp_path / "code", "one")], tmp_path / "kept")
    assert kept is not None
    (kept / "kernel.nbc").write_bytes(b"compiled")
    monkeypatch.setattr(compiled, "_is_writable", lambda folder: folder != kept)  # root may write everywhere
    copied = compiled.cache_folder([tmp_path / "code"], tmp_path / "kept")
    assert copied is not None
    assert copied != kept
    assert (copied / "kernel.nbc").read_bytes() == b"compiled"


def test_whoever_has_no_folder_of_their_own_compiles_into_a_temporary_one(tmp_path: Path) -> None:
    folder = compiled.cache_folder([sources(tmp_path / "code", "one")], None)
    assert folder is not None
    assert folder.is_dir()
    assert folder.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("wanted", [None, Path("/proc/nowhere"), Path(os.devnull)])
def test_where_nothing_can_be_written_compiled_code_is_kept_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wanted: Path | None
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", "/proc/nowhere")
    assert compiled.cache_folder([sources(tmp_path / "code", "one")], wanted) is None


def test_a_copy_that_found_no_space_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = compiled.cache_folder([sources(tmp_path / "code", "one")], tmp_path / "kept")
    assert kept is not None

    def fill_up(_source: Path, into: Path, **_options: bool) -> None:
        (into / "kernel.nbc").write_bytes(b"a pa")
        raise shutil.Error("no space")

    monkeypatch.setattr(compiled, "_is_writable", lambda folder: folder != kept)
    monkeypatch.setattr(shutil, "copytree", fill_up)
    assert compiled.cache_folder([tmp_path / "code"], tmp_path / "kept") is None
