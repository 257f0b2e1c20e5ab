"""The forms in which programs write ids, owners and images to Parquet: each gives the same corpus."""

import json
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gmv.corpus.port import ImageFile, MissingImage, TrainingImage
from gmv.errors import CorpusRefused
from tests.corpus.corpora import FILES, IMAGE, opened

COUNT = 7
IDS = [f"i{number}" for number in range(COUNT)]
OWNERS = [f"owner {number % 3}" for number in range(COUNT)]
CATALOGUE = [TrainingImage(image_id, owner_id, 1.0) for image_id, owner_id in zip(IDS, OWNERS, strict=True)]

TEXTS: dict[str, Any] = {
    "string": pa.string(),
    "large": pa.large_string(),
    "view": pa.string_view(),
    "dictionary": pa.dictionary(pa.int32(), pa.string()),
    "dictionary of large": pa.dictionary(pa.int8(), pa.large_string()),
    "bytes": pa.binary(),
    "view of bytes": pa.binary_view(),
}
BYTES: dict[str, Any] = {
    "binary": pa.binary(),
    "large": pa.large_binary(),
    "view": pa.binary_view(),
    "dictionary": pa.dictionary(pa.int32(), pa.binary()),
}


def write(path: Path, images: pa.Array, ids: pa.Array | None = None, owners: pa.Array | None = None) -> Path:
    columns = {"image_id": pa.array(IDS) if ids is None else ids, "owner_id": owners or pa.array(OWNERS)}
    pq.write_table(pa.table(columns | {"image": images}), path, row_group_size=3)
    return path


def texts(values: list[str], kind: pa.DataType) -> pa.Array:
    if pa.types.is_dictionary(kind):
        return pa.array(values, kind.value_type).dictionary_encode().cast(kind)
    return pa.array([value.encode() for value in values] if "binary" in str(kind) else values, kind)


def files(kind: pa.DataType, values: list[bytes | None]) -> pa.Array:
    if pa.types.is_dictionary(kind):
        return pa.array(values, kind.value_type).dictionary_encode().cast(kind)
    return pa.array(values, kind)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(st.sampled_from(list(TEXTS)), st.sampled_from(list(TEXTS)), st.sampled_from(list(BYTES)), st.booleans())
def test_however_columns_are_stored_the_corpus_is_the_same(
    tmp_path: Path, ids: str, owners: str, image: str, in_struct: bool
) -> None:
    content = files(BYTES[image], list(FILES[:COUNT]))
    if in_struct and image != "view":  # such structs Arrow reads, and cannot write
        content = pa.StructArray.from_arrays([content, pa.nulls(COUNT, pa.string())], ["bytes", "path"])
    path = write(tmp_path / "c.parquet", content, texts(IDS, TEXTS[ids]), texts(OWNERS, TEXTS[owners]))

    corpus = opened(path)

    assert corpus.catalogue().images == CATALOGUE
    assert list(corpus.images()) == [ImageFile(*pair) for pair in zip(IDS, FILES[:COUNT], strict=True)]


UUIDS = [uuid.UUID(int=number) for number in range(COUNT)]


@pytest.mark.parametrize(
    ("ids", "wanted"),
    [
        (pa.ExtensionArray.from_storage(pa.uuid(), pa.array([each.bytes for each in UUIDS], pa.binary(16))), UUIDS),
        (pa.array(range(COUNT), pa.int64()), range(COUNT)),
        (pa.array(range(COUNT), pa.uint8()), range(COUNT)),
        (pa.array(range(COUNT), pa.int64()).dictionary_encode(), range(COUNT)),
    ],
    ids=["uuid", "int64", "uint8", "dictionary"],
)
def test_uuids_and_integers_are_ids_by_their_text(tmp_path: Path, ids: pa.Array, wanted: Sequence[object]) -> None:
    corpus = opened(write(tmp_path / "c.parquet", files(pa.binary(), list(FILES[:COUNT])), ids))

    assert [image.image_id for image in corpus.catalogue().images] == list(map(str, wanted))
    assert [image.image_id for image in corpus.images()] == list(map(str, wanted))


@pytest.mark.parametrize(
    ("owners", "sentence"),
    [
        (pa.array([1.5] * COUNT), "row 0: owner_id is 1.5"),
        (pa.array([True] * COUNT), "row 0: owner_id is True"),
        (pa.array([["ann"]] * COUNT), r"row 0: owner_id is \['ann'\]"),
        (pa.array([b"\xff\xfe" * 8] * COUNT, pa.binary(16)), "row 0: owner_id is b"),
        (pa.array([*OWNERS[:6], None]), "row 6: owner_id is missing"),
    ],
)
def test_what_is_no_name_is_refused_by_row(tmp_path: Path, owners: pa.Array, sentence: str) -> None:
    path = write(tmp_path / "c.parquet", files(pa.binary(), list(FILES[:COUNT])), owners=owners)

    with pytest.raises(CorpusRefused, match=sentence):
        opened(path).catalogue()


def hugging_face(features: dict[str, Any]) -> dict[bytes, bytes]:
    return {b"huggingface": json.dumps({"info": {"features": features}}).encode()}


@pytest.mark.parametrize(
    ("labels", "owners"),
    [([0, 1, 2], ["Ann", "Ben", "Zo\u00eb"]), ([2, 2, 0], ["Zo\u00eb", "Zo\u00eb", "Ann"])],
)
def test_owners_that_are_class_labels_are_credited_by_their_names(
    tmp_path: Path, labels: list[int], owners: list[str]
) -> None:
    features = {"owner_id": {"names": ["Ann", "Ben", "Zo\u00eb"], "_type": "ClassLabel"}, "image": {"_type": "Image"}}
    table = pa.table({"image_id": IDS[:3], "owner_id": labels, "image": files(pa.binary(), list(FILES[:3]))})
    pq.write_table(table.replace_schema_metadata(hugging_face(features)), tmp_path / "c.parquet")

    assert [image.owner_id for image in opened(tmp_path).catalogue().images] == owners


@pytest.mark.parametrize(
    ("label", "sentence"), [(-1, "row 0: owner_id is missing"), (3, "row 0: owner_id is .*class 3 of 3 names")]
)
def test_a_label_without_a_name_is_no_owner(tmp_path: Path, label: int, sentence: str) -> None:
    features = {"owner_id": {"names": ["Ann", "Ben", "Cleo"], "_type": "ClassLabel"}}
    table = pa.table({"image_id": IDS[:1], "owner_id": [label], "image": files(pa.binary(), list(FILES[:1]))})
    pq.write_table(table.replace_schema_metadata(hugging_face(features)), tmp_path / "c.parquet")

    with pytest.raises(CorpusRefused, match=sentence):
        opened(tmp_path).catalogue()


@pytest.mark.parametrize(
    "metadata", [{}, {b"huggingface": b"{"}, {b"huggingface": b"[]"}, hugging_face({"owner_id": 1})]
)
def test_other_integers_are_owners_by_their_digits(tmp_path: Path, metadata: dict[bytes, bytes]) -> None:
    table = pa.table({"image_id": IDS[:1], "owner_id": [7], "image": files(pa.binary(), list(FILES[:1]))})
    pq.write_table(table.replace_schema_metadata(metadata), tmp_path / "c.parquet")

    assert opened(tmp_path).catalogue().images[0].owner_id == "7"


def paths_of(kind: str, names: Sequence[str | None]) -> pa.Array:
    if kind == "text":
        return pa.array(names)
    if kind == "struct of a path":
        return pa.array([{"path": name} for name in names], pa.struct([("path", pa.string())]))
    return pa.array([{"bytes": None, "path": name} for name in names], IMAGE)


@pytest.mark.parametrize("kind", ["struct", "struct of a path", "text"])
def test_paths_are_read_within_the_corpus_and_named_where_they_lead_elsewhere(tmp_path: Path, kind: str) -> None:
    corpus, outside = tmp_path / "corpus", tmp_path / "outside.png"
    (corpus / "data" / "img").mkdir(parents=True)
    for number, file in enumerate(("data/img/0.png", "1.png")):
        (corpus / file).write_bytes(FILES[number])
    outside.write_bytes(FILES[2])
    (corpus / "link.png").symlink_to(outside)
    names = ["img/0.png", "1.png", str(corpus / "1.png"), "link.png", str(outside), "../outside.png", "x" * 9_000]
    write(corpus / "data" / "c.parquet", paths_of(kind, names))

    images = list(opened(corpus).images())

    assert images[:4] == [ImageFile(IDS[row], FILES[file]) for row, file in enumerate((0, 1, 1, 2))]
    for image, name in zip(images[4:], names[4:], strict=True):
        assert isinstance(image, MissingImage)
        assert str(name)[:50] in image.why
        assert len(image.why) < 500


def test_metadata_in_parquet_names_files(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(FILES[0])
    pq.write_table(pa.table({"file_name": ["a.png"], "owner_id": ["ann"]}), tmp_path / "metadata.parquet")

    corpus = opened(tmp_path)

    assert corpus.catalogue().images == [TrainingImage("a.png", "ann", 1.0)]
    assert list(corpus.images()) == [ImageFile("a.png", FILES[0])]


def test_two_columns_of_one_name_are_refused(tmp_path: Path) -> None:
    image = files(pa.binary(), list(FILES[:1]))
    table = pa.Table.from_arrays(
        [pa.array(["a"]), pa.array(["ann"]), pa.array(["ben"]), image], ["image_id", "owner_id", "owner_id", "image"]
    )
    pq.write_table(table, tmp_path / "c.parquet")

    with pytest.raises(CorpusRefused, match="several columns 'owner_id'"):
        opened(tmp_path).catalogue()
