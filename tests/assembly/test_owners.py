"""The owners file: what it says, its digest in receipts, and what is refused."""

from collections.abc import Collection
from pathlib import Path

import pytest

from gmv.assembly.owners import read_ownership, settings_digest
from gmv.corpus.port import TrainingImage
from gmv.errors import OwnersRefused
from gmv.index.images import ArrowImages, open_images, write_images
from gmv.settings import Method, OwnersSettings
from gmv.valuation.owners import Ownership

VALUATION = Method(candidates=100, temperature=1.0)
OTHER = Method(candidates=100, temperature=2.0)


@pytest.fixture
def images(tmp_path: Path) -> ArrowImages:
    rows = [TrainingImage(f"image-{row}", ("ada", "ben", "cy")[row % 3], 1.0) for row in range(9)]
    write_images(tmp_path / "images.arrow", rows)
    return open_images(tmp_path / "images.arrow")


def read(path: Path, images: ArrowImages, text: str, opted_out: str = "unpaid") -> Ownership:
    path.write_text(text)
    return read_ownership(OwnersSettings(file=path, opted_out=opted_out), images)


SAID = """
{"owner_id": "ada", "opted_out": true, "note": "letter of 3 June"}

{"image_id": "image-4", "opted_out": true}
{"image_id": "image-5", "owner_id": "somebody new"}
"""


def test_what_is_said_is_read(tmp_path: Path, images: ArrowImages) -> None:
    said = read(tmp_path / "owners.jsonl", images, SAID)
    assert (said.opted_out_owners, said.opted_out_images) == (frozenset({"ada"}), frozenset({"image-4"}))
    assert (said.owners, said.is_left_out) == ({"image-5": "somebody new"}, False)


def test_without_a_file_nothing_has_changed(images: ArrowImages) -> None:
    assert read_ownership(OwnersSettings(), images) == Ownership()
    assert settings_digest(VALUATION, Ownership()) == VALUATION.digest


def test_every_version_of_the_file_and_of_the_settings_has_its_digest(tmp_path: Path, images: ArrowImages) -> None:
    path = tmp_path / "owners.jsonl"
    versions = [
        read(path, images, SAID),
        read(path, images, SAID, "left_out"),
        read(path, images, SAID.replace("ada", "ben")),
        read(path, images, ""),
    ]
    digests = {settings_digest(valuation, said) for said in versions for valuation in (VALUATION, OTHER)}
    assert len(digests | {VALUATION.digest}) == 9
    assert versions[0] == read(path, images, SAID)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("{", ":1 is not JSON"),
        ("7", ":1: the line: "),
        ("{}", ":1: a line has owner_id and opted_out, "),
        ('{"owner_id": "ada"}', ":1: a line has"),
        ('{"image_id": "image-1"}', ":1: a line has"),
        ('{"image_id": "image-1", "owner_id": "ada", "opted_out": true}', ":1: a line has"),
        ('{"opted_out": true}', ":1: a line has"),
        ('{"owner_id": "ada", "opted_out": false}', ":1: opted_out: "),
        ('{"owner_id": 7, "opted_out": true}', ":1: owner_id: "),
        ('{"owner_id": "", "opted_out": true}', ":1: owner_id: "),
        ('{"owner": "ada", "opted_out": true}', ":1: owner: Extra inputs are not permitted"),
        (SAID + '{"owner_id": "ada", "opted_out": true}', ":6 and line 2 are about the same owner 'ada'"),
        (SAID + '{"image_id": "image-5", "opted_out": true}', ":6 and line 5 are about the same image 'image-5'"),
        ('{"owner_id": "Ada", "opted_out": true}', "about owners that the index lacks: Ada. Correct"),
        (
            "".join(f'{{"image_id": "i{n}", "owner_id": "ada"}}\n' for n in range(7)),
            "about images that the index lacks: i0, i1, i2, i3, i4 and 2 more. Correct",
        ),
    ],
)
def test_what_is_wrong_is_told(tmp_path: Path, images: ArrowImages, text: str, complaint: str) -> None:
    with pytest.raises(OwnersRefused) as refused:
        read(tmp_path / "owners.jsonl", images, text)
    assert f"{tmp_path / 'owners.jsonl'}" in str(refused.value)
    assert complaint in str(refused.value)


def test_who_owns_something_only_since_may_opt_out(tmp_path: Path, images: ArrowImages) -> None:
    text = '{"image_id": "image-5", "owner_id": "new"}\n{"owner_id": "new", "opted_out": true}'
    assert read(tmp_path / "owners.jsonl", images, text).opted_out_owners == {"new"}


def test_a_file_that_is_not_there(tmp_path: Path, images: ArrowImages) -> None:
    with pytest.raises(OwnersRefused, match="No such file"):
        read_ownership(OwnersSettings(file=tmp_path / "nothing"), images)


@pytest.mark.parametrize("asked", [(), ("image-8", "image-0", "x"), ("image-0",) * 3])
def test_the_index_tells_which_names_it_has(images: ArrowImages, asked: Collection[str]) -> None:
    assert images.known_images(asked) == {each for each in asked if each != "x"}
    assert images.known_owners(["ada", "x", "cy"]) == {"ada", "cy"}


@pytest.mark.parametrize("name", ["unattributed", "Unattributed", "UNATTRIBUTED", "un attributed", "\uff35nattributed"])
@pytest.mark.parametrize("line", ['{"owner_id": "NAME", "opted_out": true}', '{"image_id": "i", "owner_id": "NAME"}'])
def test_the_name_of_the_account_is_no_owners(tmp_path: Path, images: ArrowImages, line: str, name: str) -> None:
    with pytest.raises(OwnersRefused, match="reads like the account `unattributed`"):
        read(tmp_path / "owners.jsonl", images, line.replace("NAME", name))


def test_a_setting_that_is_newer_than_the_digest_counts_where_it_is_set() -> None:
    """The digest without a level is what receipts of before have."""
    assert Method(candidates=100, temperature=1.0).digest == "31235e5d606eb66a"
    with_level = Method(candidates=100, temperature=1.0, evidence=0.05).digest
    assert len({VALUATION.digest, with_level, Method(candidates=100, temperature=1.0, evidence=0.1).digest}) == 3
