from dataclasses import replace
from pathlib import Path

import pytest

from gmv.demo.folder import DemoFolder, Inputs, corpus_digest
from gmv.errors import CorpusRefused, InvalidSettings
from gmv.files.receipts import receipts_beside

INPUTS = Inputs("aa", 200, 1)


def test_a_folder_is_claimed_again_by_the_same_inputs_alone(tmp_path: Path) -> None:
    folder = DemoFolder(tmp_path / "new" / "folder")
    folder.claim(INPUTS)
    folder.events.touch()
    folder.claim(INPUTS)
    for other, told in [
        (replace(INPUTS, corpus_sha256="bb"), "corpus_sha256 is 'aa'"),
        (replace(INPUTS, events=201), "events is 200 there, now 201"),
        (replace(INPUTS, seed=2), "seed"),
    ]:
        with pytest.raises(InvalidSettings, match=told):
            folder.claim(other)


def test_receipts_of_an_earlier_demo_are_where_they_are_looked_for(tmp_path: Path) -> None:
    folder = DemoFolder(tmp_path / "new")
    folder.claim(INPUTS)
    folder.events.touch()
    (folder.root / "receipts.jsonl").write_bytes(b"receipts")
    folder.claim(INPUTS)
    assert receipts_beside([folder.events.name], [folder.root]) == [folder.receipts]
    assert folder.receipts.read_bytes() == b"receipts"
    (folder.root / "receipts.jsonl").write_bytes(b"others")
    folder.claim(INPUTS)
    assert folder.receipts.read_bytes() == b"receipts"


def test_inputs_that_nothing_was_made_of_yet_may_still_be_changed(tmp_path: Path) -> None:
    folder, other = DemoFolder(tmp_path / "new"), replace(INPUTS, corpus_sha256="bb")
    folder.claim(INPUTS)
    folder.claim(other)
    folder.events.touch()
    folder.claim(other)
    with pytest.raises(InvalidSettings, match="corpus_sha256 is 'bb'"):
        folder.claim(INPUTS)


def test_a_folder_of_other_files_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").touch()
    with pytest.raises(InvalidSettings, match="--out"):
        DemoFolder(tmp_path).claim(INPUTS)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_a_corpus_is_told_by_its_content_and_names(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"one")
    (tmp_path / "b").write_bytes(b"two")
    before = corpus_digest(tmp_path)
    assert corpus_digest(tmp_path / "a") != corpus_digest(tmp_path / "b")
    assert corpus_digest(tmp_path) == before
    (tmp_path / "b").rename(tmp_path / "c")
    renamed = corpus_digest(tmp_path)
    (tmp_path / "c").write_bytes(b"three")
    assert len({before, renamed, corpus_digest(tmp_path)}) == 3


def test_no_corpus_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(CorpusRefused, match=r"nothing\.parquet.*--corpus"):
        corpus_digest(tmp_path / "nothing.parquet")
