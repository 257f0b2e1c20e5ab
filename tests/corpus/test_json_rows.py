from pathlib import Path

import pytest

from gmv.corpus.json_rows import json_rows
from gmv.corpus.port import TrainingImage
from gmv.errors import CorpusRefused
from tests.corpus.corpora import FILES, opened

SOUND = '{"file_name": "a.png", "owner_id": "ann"}'

REFUSED = {
    "an owner twice": (
        '{"file_name": "a.png", "owner_id": "ann", "owner_id": "ben"}',
        "line 2: 'owner_id' is there twice",
    ),
    "no owner": ('{"file_name": "a.png", "artist": "ann"}', "line 2: no 'owner_id', but file_name, artist"),
    "nothing": ("{}", "line 2: no 'file_name', but nothing"),
    "cut off": ('{"file_name": "a.png", "own', "line 2: not one JSON object a line"),
    "a list": ('["a.png", "ann"]', "line 2: list where one JSON object"),
    "two objects": (f"{SOUND} {SOUND}", "line 2: not one JSON object a line"),
    "depth without end": ("[" * 200_000, "line 2: not one JSON object a line"),
}


@pytest.mark.parametrize(("line", "sentence"), REFUSED.values(), ids=REFUSED)
def test_a_bad_line_is_refused_by_its_number(tmp_path: Path, line: str, sentence: str) -> None:
    (tmp_path / "m.jsonl").write_text(f"{SOUND}\n{line}\n")

    with pytest.raises(CorpusRefused, match=sentence):
        list(json_rows(tmp_path / "m.jsonl", ("file_name", "owner_id")))


def test_members_of_inner_objects_and_those_that_are_not_read_may_repeat(tmp_path: Path) -> None:
    line = '{"file_name": "a.png", "owner_id": "ann", "tag": 1, "tag": 2, "objects": {"owner_id": 1, "owner_id": 2}}'
    (tmp_path / "m.jsonl").write_text(f"\ufeff{line}\r\n\r\n")

    ((where, row),) = json_rows(tmp_path / "m.jsonl", ("file_name", "owner_id"))
    assert where.endswith("line 1")
    assert row["owner_id"] == "ann"


def test_a_folder_with_such_a_file_is_a_corpus(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    for name in ("a.png", "deep/b.png"):
        (tmp_path / name).write_bytes(FILES[0])
    (tmp_path / "metadata.jsonl").write_text(
        '{"file_name": "a.png", "owner_id": "ann", "text": "one\\ntwo"}\n'
        '{"file_name": "deep/b.png", "image_id": 7, "owner_id": 18446744073709551617, "weight": 0.5}\n'
    )

    corpus = opened(tmp_path)

    assert corpus.catalogue().images == [
        TrainingImage("a.png", "ann", 1.0),
        TrainingImage("7", "18446744073709551617", 0.5),
    ]
    assert [image.image_id for image in corpus.images()] == ["a.png", "7"]
