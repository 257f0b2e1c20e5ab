from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

import numpy as np
import orjson
import pytest
from numpy.typing import NDArray

from gmv.corpus.port import Catalogue, ImageFile, TrainingImage
from gmv.demo import events
from gmv.demo.events import event_id, generated_images, make_events, planned
from gmv.demo.faults import BAD_RECORDS
from gmv.demo.folder import DemoFolder
from gmv.demo.remix import copies, recipes, remixes
from gmv.imaging.decode import ImageLimits, decode_image
from tests.demo.world import image_file

LIMITS = ImageLimits(2**20, 10**6)
COUNT, SEED = 12, 7
FILES = {f"image-{number:02}": image_file(8 * number) for number in range(30)}
OWNERS = {image_id: f"owner-{number % 3}" for number, image_id in enumerate(FILES)}


class Table:
    def __len__(self) -> int:
        return len(FILES)

    def images(self, rows: Sequence[int] | NDArray[np.int64]) -> list[TrainingImage]:
        return [TrainingImage(list(FILES)[row], list(OWNERS.values())[row], 1.0) for row in rows]

    def known_images(self, image_ids: Collection[str]) -> set[str]:
        return set(image_ids) & FILES.keys()

    def known_owners(self, owner_ids: Collection[str]) -> set[str]:
        return set(owner_ids) & set(OWNERS.values())


class Corpus:
    """Holds one bad file that the index left out."""

    name = "thirty"

    def __init__(self) -> None:
        self.passes = 0

    def catalogue(self) -> Catalogue:
        raise AssertionError("what is in the corpus only is no source")

    def fingerprint(self) -> str:
        return "always the same"

    def images(self) -> Iterator[ImageFile]:
        self.passes += 1
        yield ImageFile("bad", b"no image")
        yield from (ImageFile(image_id, content) for image_id, content in FILES.items())


def make(folder: DemoFolder) -> tuple[int, int]:
    """Return how many events were told of, and how often the corpus was read."""
    corpus, steps = Corpus(), list[int]()
    folder.root.mkdir(exist_ok=True)
    make_events(corpus, Table(), COUNT, SEED, LIMITS, folder, steps.append)
    return sum(steps), corpus.passes


def test_each_event_holds_the_remix_of_the_sources_that_are_told(tmp_path: Path) -> None:
    folder = DemoFolder(tmp_path)
    assert make(folder) == (COUNT, 1)
    good = [n for n, line in enumerate(folder.events.read_bytes().splitlines()) if b"cut-off" not in line]
    sources = orjson.loads(folder.sources.read_bytes())
    files = generated_images(folder, {0, good[-2]})
    assert set(files) == {f"remix-{SEED}-00000", f"remix-{SEED}-00009"}
    for recipe in planned(OWNERS, COUNT, SEED):
        assert tuple(sources[event_id(recipe)]) == recipe.sources
        if event_id(recipe) in files:
            pictures = {image_id: decode_image(FILES[image_id], LIMITS) for image_id in recipe.sources}
            (made,) = remixes([recipe], pictures)
            assert np.array_equal(decode_image(files[event_id(recipe)], LIMITS), made)


@pytest.mark.parametrize("count", [1, 4, 5, 8, 12, 200])
def test_every_fifth_event_is_an_altered_copy(count: int) -> None:
    made_of = planned(OWNERS, count, SEED)
    assert [number for number, recipe in enumerate(made_of, start=1) if recipe.is_copy] == list(range(5, count + 1, 5))
    assert [recipe for recipe in made_of if recipe.is_copy] == copies(OWNERS, count // 5, SEED)
    assert [recipe for recipe in made_of if not recipe.is_copy] == recipes(OWNERS, count - count // 5, SEED)
    assert len({event_id(recipe) for recipe in made_of}) == count


def test_the_file_is_the_same_however_many_sources_are_held_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, piecemeal = DemoFolder(tmp_path / "whole"), DemoFolder(tmp_path / "piecemeal")
    make(whole)
    monkeypatch.setattr(events, "_AT_ONCE", 5)
    assert make(piecemeal) == (COUNT, 3)
    assert piecemeal.events.read_bytes() == whole.events.read_bytes()
    assert len(whole.events.read_bytes().splitlines()) == COUNT + BAD_RECORDS + 1
