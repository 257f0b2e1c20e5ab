"""An index made of another against one that was built of all images at once, by the same encoder and coder."""

import filecmp
from collections.abc import Sequence
from pathlib import Path

import faiss
import numpy as np
import orjson
import pytest
from numpy.typing import NDArray

from gmv.errors import CorpusRefused, IndexRefused, InvalidSettings
from gmv.index.integer_recall import IntegerRecall
from gmv.index.manifest import ENCODER_FILE, MANIFEST
from gmv.index.opened import open_index
from gmv.index.recall import FaissRecall
from gmv.indexing import feature_source, recalling
from tests.corpus.corpora import FILES, rows, write_features, write_parquet
from tests.encoders.pictures import png
from tests.indexing.index_builds import add, build, remove

COUNT = 12
FLAT = png(np.full((32, 32, 3), 90, np.uint8))


def corpus_of(path: Path, numbers: Sequence[int]) -> Path:
    everything = rows(COUNT)
    return write_parquet(path, [everything[number] for number in numbers])


def ids(numbers: Sequence[int]) -> list[str]:
    return [rows(COUNT)[number]["image_id"] for number in numbers]


def differing(one: Path, other: Path) -> set[str]:
    names = {path.name for path in one.iterdir()}
    assert names == {path.name for path in other.iterdir()}
    _, different, unread = filecmp.cmpfiles(one, other, names, shallow=False)
    assert not unread
    return set(different)


@pytest.fixture(scope="module")
def parent(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("parent")
    build(corpus_of(folder / "c.parquet", range(7)), folder / "index")
    return folder / "index"


def built_alike(parent: Path, corpus: Path, out: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Build of a whole corpus, with the encoder and the coder of an index in place of those that are learnt."""
    recall = open_index(parent, verify=True).recall
    assert isinstance(recall, IntegerRecall)
    monkeypatch.setattr(feature_source, "to_bytes", lambda _: (parent / ENCODER_FILE).read_bytes())
    monkeypatch.setattr(recalling, "fit_coder", lambda *_: recall.coder)
    build(corpus, out)
    return out


@pytest.mark.parametrize("owned", [[0], [0, 1, 2, 3, 4, 5, 6], [11, 9, 7, 5, 3, 1], [10], list(range(1, 12))])
def test_an_index_that_was_added_to_has_the_bits_of_one_built_of_all(
    owned: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ids of the added lie before, between and after those that are there; an owner is new, or is not."""
    build(corpus_of(tmp_path / "owned.parquet", owned), tmp_path / "parent")
    added = [number for number in range(COUNT) if number not in owned]
    add(tmp_path / "parent", corpus_of(tmp_path / "added.parquet", added), tmp_path / "grown")

    whole = corpus_of(tmp_path / "whole.parquet", range(COUNT))
    alike = built_alike(tmp_path / "parent", whole, tmp_path / "alike", monkeypatch)

    assert differing(tmp_path / "grown", alike) == {MANIFEST}
    grown, other = (open_index(path, verify=True) for path in (tmp_path / "grown", alike))
    assert isinstance(grown.recall, IntegerRecall)
    looks = grown.recall.vectors
    answers = zip(grown.recall.recall_looks(looks, 5), other.recall.recall_looks(looks, 5), strict=True)
    for found, expected in answers:
        assert [each.tolist() for each in found] == [each.tolist() for each in expected]


def test_the_manifest_names_the_parent_and_keeps_what_was_measured_of_it(parent: Path, tmp_path: Path) -> None:
    manifest = add(parent, corpus_of(tmp_path / "a.parquet", [7, 8, 9]), tmp_path / "grown")
    before = open_index(parent, verify=True)

    assert manifest.parent is not None
    assert manifest.parent.model_dump() == {
        "index_id": before.index_id,
        "measured_index_id": before.index_id,
        "added": 3,
        "removed": 0,
        "neighbours_kept": True,
    }
    assert (manifest.encoder, manifest.recall, manifest.neighbours, manifest.candidates, manifest.defaults) == (
        before.manifest.encoder,
        before.manifest.recall,
        before.manifest.neighbours,
        before.manifest.candidates,
        before.manifest.defaults,
    )
    assert (manifest.corpus.images, manifest.corpus.owners) == (10, 3)
    assert open_index(tmp_path / "grown", verify=True).index_id != before.index_id


def test_what_is_added_and_removed_again_leaves_the_files_of_the_parent(parent: Path, tmp_path: Path) -> None:
    add(parent, corpus_of(tmp_path / "a.parquet", [7, 8, 9]), tmp_path / "grown")
    manifest = remove(tmp_path / "grown", tmp_path / "back", ids([7, 8, 9]))

    assert differing(parent, tmp_path / "back") == {MANIFEST}
    assert manifest.parent is not None
    assert (manifest.parent.added, manifest.parent.removed) == (0, 3)


def test_adding_in_two_steps_comes_to_the_same_as_in_one(parent: Path, tmp_path: Path) -> None:
    add(parent, corpus_of(tmp_path / "a.parquet", [11, 8]), tmp_path / "first")
    add(tmp_path / "first", corpus_of(tmp_path / "b.parquet", [10, 7, 9]), tmp_path / "second")
    add(parent, corpus_of(tmp_path / "c.parquet", [7, 8, 9, 10, 11]), tmp_path / "once")

    assert differing(tmp_path / "second", tmp_path / "once") == {MANIFEST}
    second, built = open_index(tmp_path / "second", verify=True).manifest.parent, open_index(parent, verify=True)
    assert second is not None
    assert second.measured_index_id == built.index_id != second.index_id


def test_added_copies_join_the_groups_that_there_are_and_what_is_left_of_a_group_stays_one(tmp_path: Path) -> None:
    """Rows 0 and 1 are one picture; so is one of the added, whose id lies before both. Row 2's copy is added, too."""
    pictures = rows(COUNT)
    alike = [
        {**pictures[number], "image": pictures[shown]["image"]}
        for number, shown in ((0, 0), (1, 0), (2, 2), (3, 3), (4, 4), (5, 5), (6, 6))
    ]
    parent = tmp_path / "parent"
    build(write_parquet(tmp_path / "c.parquet", alike), parent)
    found = open_index(parent, verify=True)
    added = [
        {**pictures[7], "image_id": "!.png", "image": pictures[0]["image"]},
        {**pictures[8], "image": pictures[2]["image"]},
        pictures[9],
    ]
    manifest = add(parent, write_parquet(tmp_path / "a.parquet", added), tmp_path / "grown")
    remove(tmp_path / "grown", tmp_path / "without", ["!.png"])

    groups = names_of_groups(tmp_path / "grown")
    assert names_of_groups(parent) == [{*ids([0, 1])}]
    assert groups == [{"!.png", *ids([0, 1])}, {*ids([2, 8])}]
    assert names_of_groups(tmp_path / "without") == [{*ids([0, 1])}, {*ids([2, 8])}]
    assert found.manifest.copies is not None
    assert manifest.copies is not None
    assert (manifest.copies.groups, manifest.copies.images, manifest.copies.level) == (
        2,
        5,
        found.manifest.copies.level,
    )


def test_flat_pictures_are_counted_of_the_images_that_are_there(tmp_path: Path) -> None:
    """One of the parent's is flat, and one of those that are added."""
    pictures = rows(COUNT)
    for number in (3, 8):
        pictures[number]["image"] = {"bytes": FLAT, "path": None}
    build(write_parquet(tmp_path / "c.parquet", pictures[:7]), tmp_path / "parent")
    grown = add(tmp_path / "parent", write_parquet(tmp_path / "a.parquet", pictures[7:]), tmp_path / "grown")
    shrunk = remove(tmp_path / "grown", tmp_path / "shrunk", ids([3, 5]))

    before = open_index(tmp_path / "parent", verify=True).manifest
    found = [each.evidence for each in (before, grown, shrunk)]
    assert [(each.flat_images, set(each.flat_named)) for each in found if each is not None] == [
        (1, {*ids([3])}),
        (2, {*ids([3, 8])}),
        (1, {*ids([8])}),
    ]


@pytest.mark.parametrize(("before", "added"), [("2024-01-31", 7), (7, "2024-01-31"), ("2024-01-31T09:30:00Z", -1)])
def test_dates_and_numbers_of_registration_are_not_mixed(before: str | int, added: str | int, tmp_path: Path) -> None:
    pictures = rows(COUNT)
    said = [{**each, "registered": str(before)} for each in pictures[:7]]
    more = [{**each, "registered": str(added)} for each in pictures[7:]]
    build(write_parquet(tmp_path / "c.parquet", said), tmp_path / "parent")
    with pytest.raises(CorpusRefused, match="nobody could say which is earlier"):
        add(tmp_path / "parent", write_parquet(tmp_path / "a.parquet", more), tmp_path / "grown")
    add(tmp_path / "parent", write_parquet(tmp_path / "b.parquet", pictures[7:]), tmp_path / "grown")
    kept = open_index(tmp_path / "grown", verify=True).images.all()
    assert sum(image.registered is not None for image in kept) == 7


def names_of_groups(folder: Path) -> list[set[str]]:
    index = open_index(folder, verify=True)
    return [{image.image_id for image in index.images.images(group)} for group in index.groups.groups()]


@pytest.mark.parametrize("owner", ["owner 0", "owner 1", "owner 2"])
def test_an_owner_who_leaves_takes_all_images_along(owner: str, parent: Path, tmp_path: Path) -> None:
    before = open_index(parent, verify=True)
    remove(parent, tmp_path / "without", owners=[owner])
    after = open_index(tmp_path / "without", verify=True)

    kept = [row for row, image in enumerate(before.images.images(range(7))) if image.owner_id != owner]
    assert after.images.owners() == before.images.owners() - {owner}
    assert after.images.images(range(len(kept))) == before.images.images(kept)
    assert (after.tokens == before.tokens[kept]).all()
    assert isinstance(after.recall, IntegerRecall)
    assert isinstance(before.recall, IntegerRecall)
    assert (after.recall.vectors == before.recall.vectors[kept]).all()
    assert (after.recall.codes == before.recall.codes[kept]).all()


def test_the_parent_stays_as_it_was(parent: Path, tmp_path: Path) -> None:
    content = {path.name: path.read_bytes() for path in parent.iterdir()}
    add(parent, corpus_of(tmp_path / "a.parquet", [7]), tmp_path / "grown")
    remove(tmp_path / "grown", tmp_path / "back", ids([7]))

    assert {path.name: path.read_bytes() for path in parent.iterdir()} == content


def test_damaged_images_are_left_out_as_by_a_build_and_can_be_added_when_they_are_mended(
    parent: Path, tmp_path: Path
) -> None:
    bad = [dict(rows(COUNT)[number]) for number in (7, 8)]
    bad[1]["image"] = {"bytes": FILES[8][:40], "path": None}
    corpus = write_parquet(tmp_path / "bad.parquet", bad)
    with pytest.raises(CorpusRefused, match=r"1 of 2 images are damaged.*--bad-share-max"):
        add(parent, corpus, tmp_path / "grown")

    manifest = add(parent, corpus, tmp_path / "grown", bad_share_max=0.5)
    named = [
        orjson.loads(line)["image_id"] for line in (tmp_path / "grown" / "rejected.jsonl").read_bytes().splitlines()
    ]
    assert named == ids([8])
    assert (manifest.corpus.images, manifest.corpus.rejected) == (8, 1)

    mended = add(tmp_path / "grown", corpus_of(tmp_path / "m.parquet", [8]), tmp_path / "mended")
    assert (mended.corpus.images, mended.corpus.rejected) == (9, 0)


@pytest.mark.parametrize("numbers", [[0], [7, 0], [6, 5, 4, 3, 2, 1, 0]])
def test_an_id_that_is_there_already_is_refused_by_name(numbers: list[int], parent: Path, tmp_path: Path) -> None:
    with pytest.raises(CorpusRefused, match=r"have an id that is in the index already: '\d\d\.png'.*index remove"):
        add(parent, corpus_of(tmp_path / "a.parquet", numbers), tmp_path / "grown")
    assert not (tmp_path / "grown").exists()


def test_an_id_given_twice_is_refused(parent: Path, tmp_path: Path) -> None:
    with pytest.raises(CorpusRefused, match="is that of"):
        add(parent, corpus_of(tmp_path / "a.parquet", [7, 8, 7]), tmp_path / "grown")


def test_nothing_that_is_there_gives_way(parent: Path, tmp_path: Path) -> None:
    corpus = corpus_of(tmp_path / "a.parquet", [7])
    with pytest.raises(IndexRefused, match="holds an index; give another --out"):
        add(parent, corpus, parent)
    (tmp_path / "other").mkdir()
    with pytest.raises(IndexRefused, match="is no index"):
        remove(parent, tmp_path / "other", ids([0]))


def test_names_that_the_index_lacks_are_refused(parent: Path, tmp_path: Path) -> None:
    for images, owners, sentence in (
        (["00.png", "lost.png"], [], r"no images 'lost\.png'; correct the names"),
        ([], ["owner 7"], "no owners 'owner 7'"),
        ([str(number) for number in range(9)], [], r"'0', '1', '2', '3', '4' and 4 more"),
        ([], [], "no image is named"),
        ([], ["owner 0", "owner 1", "owner 2"], "removes all 7 images"),
    ):
        with pytest.raises(InvalidSettings, match=sentence):
            remove(parent, tmp_path / "without", images, owners)
    assert not (tmp_path / "without").exists()


def test_a_temperature_can_be_measured_anew(parent: Path, tmp_path: Path) -> None:
    corpus = corpus_of(tmp_path / "a.parquet", range(7, COUNT))
    manifest = add(parent, corpus, tmp_path / "grown", measure_neighbours=True)

    before = open_index(parent, verify=True).manifest
    assert manifest.parent is not None
    assert not manifest.parent.neighbours_kept
    assert manifest.neighbours is not None
    assert manifest.neighbours.queries == COUNT
    assert manifest.defaults.temperature == manifest.neighbours.temperature
    assert manifest.candidates == before.candidates


def test_features_of_another_kind_are_refused(parent: Path, tmp_path: Path) -> None:
    features = write_features(tmp_path / "f.parquet", 3)
    with pytest.raises(InvalidSettings, match="the features are of 'theirs', those of the index of 'exact-descriptor"):
        add(parent, features, tmp_path / "grown", encoder_id="theirs")
    build(features, tmp_path / "theirs", encoder_id="theirs")
    with pytest.raises(InvalidSettings, match="the index holds features of 'theirs'; give Parquet files"):
        add(tmp_path / "theirs", corpus_of(tmp_path / "c.parquet", [0]), tmp_path / "grown")
    renamed = {"image_id": ["x", "y", "z"], "vector": [[0.0, 1.0]] * 3}
    smaller = write_features(tmp_path / "smaller.parquet", 3, **renamed)
    with pytest.raises(CorpusRefused, match="vectors of 2 and 3 tokens of 2; the index has 4, 3 and 2"):
        add(tmp_path / "theirs", smaller, tmp_path / "grown", encoder_id="theirs")


def features(path: Path, names: Sequence[int], vectors: NDArray[np.float64]) -> Path:
    image_ids = [f"{name:04}" for name in names]
    return write_features(path, len(names), image_id=image_ids, vector=vectors[list(names)].tolist())


def test_distances_of_an_index_of_floats_are_refused_before_any_work(tmp_path: Path) -> None:
    chance = np.random.default_rng(3)
    vectors = chance.normal(size=(8, 4))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    build(features(tmp_path / "a.parquet", range(6), vectors), tmp_path / "a", encoder_id="e")
    more = features(tmp_path / "b.parquet", [6, 7], vectors)
    before = set(tmp_path.iterdir())
    with pytest.raises(InvalidSettings, match="--calibrate needs vectors"):
        add(tmp_path / "a", more, tmp_path / "b", encoder_id="e", measure_neighbours=True)
    with pytest.raises(InvalidSettings, match="--calibrate needs vectors"):
        remove(tmp_path / "a", tmp_path / "b", ["0001"], measures=True)
    assert set(tmp_path.iterdir()) == before


@pytest.mark.parametrize("factory", ["Flat", "RR4,PQ2x4fs,Refine(SQfp16)", "IVF2,Flat"])
def test_an_index_of_floats_answers_as_faiss_does_when_it_is_given_all_vectors_in_order(
    factory: str, tmp_path: Path
) -> None:
    """Vectors are on a circle, so that many are equally distant, and some are equal: ties are in order of row."""
    chance = np.random.default_rng(5)
    angles = chance.integers(0, 40, 120) * (2 * np.pi / 40)
    vectors = np.stack([np.cos(angles), np.sin(angles), np.zeros(120), np.zeros(120)], axis=1)
    order = chance.permutation(120).tolist()
    build(features(tmp_path / "a.parquet", order[:60], vectors), tmp_path / "a", encoder_id="e", factory=factory)
    add(tmp_path / "a", features(tmp_path / "b.parquet", order[60:], vectors), tmp_path / "b", encoder_id="e")
    gone = sorted(order[50:70])
    remove(tmp_path / "b", tmp_path / "c", [f"{name:04}" for name in gone])
    again = features(tmp_path / "d.parquet", gone[:5], vectors)
    add(tmp_path / "c", again, tmp_path / "d", encoder_id="e")

    for folder, held in (
        ("b", set(range(120))),
        ("c", set(range(120)) - set(gone)),
        ("d", set(range(120)) - set(gone[5:])),
    ):
        grown = open_index(tmp_path / folder, verify=True)
        names = sorted(held)
        assert grown.images.image_ids.to_pylist() == [f"{name:04}" for name in names]
        expected = faiss.read_index(str(tmp_path / "a" / "recall.faiss"))
        expected.reset()
        expected.add(vectors[names].astype(np.float32))
        asked = FaissRecall(expected)
        if (lists := grown.manifest.recall.lists) is not None:
            asked.probe(lists.probes)
        queries = vectors[::7].astype(np.float32)
        for candidates in (1, 7, 30):
            found = grown.recall.recall(queries, candidates)
            assert [each.tolist() for each in found] == [each.tolist() for each in asked.recall(queries, candidates)]
