import hashlib
import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from gmv.demo.layouts import LAYOUTS, layout_masks
from gmv.demo.remix import CANVAS_PIXELS_MAX, Recipe, copies, mixing_weights, png, recipes, recipes_with, remixes
from gmv.errors import CorpusRefused

OWNERS = {f"image-{number:03}": f"owner-{number % 7}" for number in range(60)}


def plain(colour: tuple[int, int, int], height: int = 32, width: int = 32) -> np.ndarray:
    return np.full((height, width, 3), colour, dtype=np.uint8)


@given(seed=st.integers(0, 2**32))
@settings(max_examples=30)
def test_sources_are_two_to_four_known_images_of_different_owners(seed: int) -> None:
    for recipe in recipes(OWNERS, 20, seed):
        owners = [OWNERS[image_id] for image_id in recipe.sources]
        assert 2 <= len(owners) == len(set(owners)) <= 4


def test_a_remix_depends_on_its_seed_and_number_alone() -> None:
    pictures = {
        image_id: np.random.default_rng(place).integers(0, 256, (32, 32, 3), dtype=np.uint8)
        for place, image_id in enumerate(OWNERS)
    }

    def digests(count: int, seed: int) -> list[str]:
        made = remixes(recipes(OWNERS, count, seed), pictures)
        return [hashlib.sha256(png(pixels)).hexdigest() for pixels in made]

    assert digests(30, seed=7) == digests(40, seed=7)[:30]
    assert len({*digests(30, seed=7), *digests(30, seed=8)}) == 60


def test_no_third_image_leaves_a_trace() -> None:
    """A remix of red and blue sources has no green in it beyond noise, brightness and rounding."""
    for recipe in recipes(OWNERS, 40, seed=3):
        pictures = {
            image_id: plain((200, 0, 0) if place % 2 else (0, 0, 200)) for place, image_id in enumerate(recipe.sources)
        }
        (made,) = remixes([recipe], pictures)
        assert made[..., 1].mean() < 16
        assert made[..., 0].mean() > 10
        assert made[..., 2].mean() > 10


def test_an_altered_copy_is_its_source_as_it_is_or_mirrored() -> None:
    """Left of red, right of blue: half of the copies have it the other way round, and nothing else is in them."""
    source = np.concatenate([plain((200, 0, 0), width=16), plain((0, 0, 200), width=16)], axis=1)
    made = copies(OWNERS, 200, seed=3)
    assert all(len(recipe.sources) == 1 and recipe.is_copy for recipe in made)
    assert len({recipe.sources for recipe in made}) > 40
    mirrored = []
    for pixels in remixes(made, dict.fromkeys(OWNERS, source)):
        assert pixels[..., 1].mean() < 40  # by contrast, tint and brightness
        mirrored.append(pixels[:, 0, 2].mean() > pixels[:, 0, 0].mean())
        assert (pixels[:, -1, 0].mean() > pixels[:, -1, 2].mean()) == mirrored[-1]
    assert 80 < sum(mirrored) < 120


def test_a_copy_depends_on_its_seed_and_number_alone() -> None:
    assert copies(OWNERS, 30, seed=7) == copies(OWNERS, 40, seed=7)[:30]
    assert copies(OWNERS, 30, seed=7) != copies(OWNERS, 30, seed=8)


def test_two_owners_give_two_sources_and_one_owner_is_refused() -> None:
    two = {"a": "left", "b": "right"}
    assert {frozenset(recipe.sources) for recipe in recipes(two, 20, seed=1)} == {frozenset("ab")}
    with pytest.raises(CorpusRefused, match="different owners"):
        recipes({"a": "only", "b": "only"}, 1, seed=1)


@given(sources=st.integers(1, 5), seed=st.integers(0, 2**32))
@settings(max_examples=30)
def test_as_many_sources_as_are_asked_for_all_of_different_owners(sources: int, seed: int) -> None:
    made = recipes_with(OWNERS, sources, 6, seed)
    assert [len({OWNERS[image_id] for image_id in recipe.sources}) for recipe in made] == [sources] * 6
    assert recipes_with(OWNERS, sources, 3, seed) == made[:3]
    if sources == 1:
        assert made == copies(OWNERS, 6, seed)


@pytest.mark.parametrize("sources", [1, 2, 3, 5])
def test_mixing_weights_are_the_parts_that_are_seen(sources: int) -> None:
    """With the first source red and the others black, without noise, the red of all pixels is its part."""
    for recipe in recipes_with(OWNERS, sources, 20, seed=4, noise=0.0):
        pictures = {image_id: plain((0, 0, 0)) for image_id in recipe.sources}
        (dark,) = remixes([recipe], pictures)
        (red,) = remixes([recipe], pictures | {recipe.sources[0]: plain((255, 0, 0))})
        (all_red,) = remixes([recipe], dict.fromkeys(recipe.sources, plain((255, 0, 0))))
        weights = mixing_weights(recipe, plain((0, 0, 0)))
        assert weights.shape == (sources,)
        assert weights.sum() == pytest.approx(1)
        seen = (red[..., 0].mean() - dark[..., 0].mean()) / (all_red[..., 0].mean() - dark[..., 0].mean())
        assert seen == pytest.approx(weights[0], abs=0.1)  # sources are recoloured, each in its own way


def test_noise_is_as_strong_as_asked_and_changes_nothing_else() -> None:
    grey = dict.fromkeys(OWNERS, plain((128, 128, 128)))
    calm, usual, strong = (recipes_with(OWNERS, 3, 1, seed=2, noise=noise)[0] for noise in (0.0, 4.0, 16.0))
    (clean,), (little,), (much,) = (remixes([each], grey) for each in (calm, usual, strong))
    assert (little.astype(float) - clean).std() == pytest.approx(4, rel=0.1)
    assert (much.astype(float) - clean).std() == pytest.approx(16, rel=0.1)


def test_more_sources_than_owners_or_than_a_layout_has_room_for_are_refused() -> None:
    with pytest.raises(CorpusRefused, match="of 6 images of different owners cannot be made; ask for 1 to 5"):
        recipes_with(OWNERS, 6, 1, seed=1)
    with pytest.raises(CorpusRefused, match="ask for 1 to 2"):
        recipes_with({"a": "left", "b": "right"}, 3, 1, seed=1)


def test_sources_of_any_size_share_the_canvas_of_the_first() -> None:
    recipe = Recipe(0, ("wide", "tall"), "bands", seed=5)
    (made,) = remixes([recipe], {"wide": plain((9, 9, 9), 300, 600), "tall": plain((90, 90, 90), 50, 20)})
    assert made.shape == (CANVAS_PIXELS_MAX // 2, CANVAS_PIXELS_MAX, 3)


def test_the_png_holds_the_pixels() -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (16, 24, 3), dtype=np.uint8)
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(png(pixels)))), pixels)


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.name)
def test_masks_share_every_pixel_and_give_each_source_a_seen_part(layout) -> None:
    for sources in range(2, layout.sources_max + 1):
        for seed in range(25):
            masks = layout_masks(layout.name, sources, 32, 32, np.random.default_rng(seed))
            assert masks.shape == (sources, 32, 32)
            assert np.allclose(masks.sum(axis=0), 1.0)
            assert masks.mean(axis=(1, 2)).min() > 0.15
