import numpy as np

from gmv.encoders.exact.alterations import recoloured, shifted

IMAGES = np.random.default_rng(0).integers(60, 196, (6, 12, 12, 3), dtype=np.uint8)


def test_a_recoloured_image_keeps_its_picture_and_not_its_colours() -> None:
    found = recoloured(IMAGES, np.random.default_rng(1))

    assert found.shape == IMAGES.shape
    for before, after in zip(IMAGES.reshape(6, -1), found.reshape(6, -1), strict=True):
        assert np.corrcoef(before, after)[0, 1] > 0.9
        assert (before != after).mean() > 0.5


def test_a_flat_image_is_only_tinted_and_given_noise() -> None:
    found = recoloured(np.full((1, 30, 30, 3), 128, np.uint8), np.random.default_rng(2)).astype(float)

    assert (found.std((0, 1, 2)) < 6).all()
    assert found.std((0, 1, 2)).mean() > 2


def test_a_shift_moves_by_up_to_a_pixel_and_a_half() -> None:
    ramp = np.broadcast_to(np.arange(0, 192, 8, dtype=np.uint8)[:, np.newaxis, np.newaxis], (50, 24, 24, 3))
    found = shifted(np.ascontiguousarray(ramp), np.random.default_rng(3)).astype(int)
    moved = (ramp.astype(int) - found)[:, 4:-4]  # eighths of a pixel, as the ramp rises by 8 a pixel

    assert np.abs(moved).max() == 12
    assert (moved == moved[:, :1, :1, :1]).all()
    assert len(np.unique(moved[:, 0, 0, 0])) > 10


def test_the_same_draw_alters_alike() -> None:
    once, again = (
        shifted(recoloured(IMAGES, draw), draw) for draw in (np.random.default_rng(4), np.random.default_rng(4))
    )

    assert (once == again).all()
