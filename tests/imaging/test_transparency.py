"""A PNG of every depth and kind, written by hand and laid over white by hand: what is transparent is white."""

import struct
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from gmv.imaging.decode import ImageLimits, decode_image
from tests.imaging.test_decode import chunk

LIMITS = ImageLimits(2**20, 10**6)
GREY, COLOUR, PALETTE, GREY_ALPHA, COLOUR_ALPHA = 0, 2, 3, 4, 6
CHANNELS = {GREY: 1, COLOUR: 3, PALETTE: 1, GREY_ALPHA: 2, COLOUR_ALPHA: 4}
WIDTH, HEIGHT = 5, 4
ADAM7 = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]


def written(
    samples: NDArray[np.uint16], depth: int, kind: int, key: bytes = b"", palette: bytes = b"", interlaced: bool = False
) -> bytes:
    """A PNG of samples [height, width, channels]."""
    passes = [samples[y::down, x::right] for x, y, right, down in ADAM7] if interlaced else [samples]
    rows = b"".join(packed(each, depth) for each in passes if each.size)
    header = struct.pack(">2L5B", samples.shape[1], samples.shape[0], depth, kind, 0, 0, interlaced)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + (chunk(b"PLTE", palette) if palette else b"")
        + (chunk(b"tRNS", key) if key else b"")
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


def packed(samples: NDArray[np.uint16], depth: int) -> bytes:
    """Rows, each behind the number of its filter."""
    rows = samples.reshape(len(samples), -1)
    if depth == 16:
        return b"".join(b"\0" + row.astype(">u2").tobytes() for row in rows)
    bits = (np.unpackbits(row.astype(np.uint8)[:, None], axis=1)[:, 8 - depth :].ravel() for row in rows)
    return b"".join(b"\0" + np.packbits(row).tobytes() for row in bits)


def to_8_bits(samples: NDArray[np.uint16], depth: int) -> NDArray[np.uint8]:
    scaled = samples >> 8 if depth == 16 else samples.astype(np.uint32) * 255 // ((1 << depth) - 1)
    return np.broadcast_to(scaled, (*scaled.shape[:2], 3)).astype(np.uint8)


def few_values(depth: int, kind: int, seed: int) -> NDArray[np.uint16]:
    """Samples of which many are equal, and many nearly so."""
    top = (1 << depth) - 1
    values = np.array([0, 1, top // 2, top // 2 ^ 1, top - 1, top, top // 2 ^ 0x100 & top], np.uint16) & top
    return np.random.default_rng(seed).choice(values, (HEIGHT, WIDTH, CHANNELS[kind]))


@given(
    st.sampled_from([(GREY, depth) for depth in (1, 2, 4, 8, 16)] + [(COLOUR, 8), (COLOUR, 16)]),
    st.integers(0, 99),
    st.booleans(),
)
def test_one_value_is_transparent(kind_and_depth: tuple[int, int], seed: int, interlaced: bool) -> None:
    kind, depth = kind_and_depth
    samples = few_values(depth, kind, seed)
    key = samples[seed % HEIGHT, seed % WIDTH]
    expected = to_8_bits(samples, depth)
    expected = np.where((samples == key).all(2, keepdims=True), 255, expected)

    content = written(samples, depth, kind, key.astype(">u2").tobytes(), interlaced=interlaced)

    assert (decode_image(content, LIMITS) == expected).all()


@pytest.mark.parametrize("depth", [1, 4, 8])
def test_bits_above_the_depth_are_no_part_of_the_value(depth: int) -> None:
    """PNG, 11.3.1.1: only the low-order bits are used."""
    samples = few_values(depth, GREY, 1)
    key = struct.pack(">H", int(samples[0, 0, 0]) | 0x8000)
    expected = np.where(samples == samples[0, 0], 255, to_8_bits(samples, depth))

    assert (decode_image(written(samples, depth, GREY, key), LIMITS) == expected).all()


@pytest.mark.parametrize("depth", [1, 2, 4, 8])
def test_entries_of_a_palette_are_transparent_in_part(depth: int) -> None:
    entries = 1 << min(depth, 3)
    colours = np.random.default_rng(depth).integers(0, 256, (entries, 3))
    alpha = np.linspace(0, 255, entries).astype(int)
    samples = np.arange(WIDTH * HEIGHT, dtype=np.uint16).reshape(HEIGHT, WIDTH, 1) % entries
    content = written(samples, depth, PALETTE, bytes(alpha.tolist()), bytes(colours.ravel().tolist()))
    exact = (colours * alpha[:, None] + 255 * (255 - alpha[:, None])) / 255

    assert np.abs(decode_image(content, LIMITS) - exact[samples[..., 0]]).max() <= 1


@pytest.mark.parametrize("depth", [8, 16])
@pytest.mark.parametrize("kind", [GREY_ALPHA, COLOUR_ALPHA])
def test_a_channel_of_transparency_lets_white_through(kind: int, depth: int) -> None:
    samples = np.random.default_rng(3).integers(0, 1 << depth, (HEIGHT, WIDTH, CHANNELS[kind])).astype(np.uint16)
    scaled = (samples >> 8 if depth == 16 else samples).astype(float)
    alpha = scaled[..., -1:]
    exact = np.broadcast_to((scaled[..., :-1] * alpha + 255 * (255 - alpha)) / 255, (HEIGHT, WIDTH, 3))

    assert np.abs(decode_image(written(samples, depth, kind), LIMITS) - exact).max() <= 1


@pytest.mark.parametrize(("kind", "key"), [(GREY_ALPHA, b"\0\0"), (COLOUR, b"")])
def test_a_key_that_says_nothing_makes_nothing_transparent(kind: int, key: bytes) -> None:
    samples = few_values(8, kind, 5)
    if kind == GREY_ALPHA:
        samples[..., 1] = 255

    assert (
        decode_image(written(samples, 8, kind, key), LIMITS) == to_8_bits(samples[..., : 1 + 2 * (kind == COLOUR)], 8)
    ).all()
