"""Real queries and their recalled candidates, at two sizes of token sets, for the re-rank bench."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gmv.corpus.open import open_corpus
from gmv.corpus.port import image_files
from gmv.demo.remix import recipes, remixes
from gmv.encoders.descriptor import FittedDescriptor
from gmv.encoders.exact.descriptor import ExactDescriptor
from gmv.errors import CorpusRefused
from gmv.imaging.decode import ImageLimits, decode_image
from gmv.index.opened import Index
from gmv.valuation.ranking import Tokens
from gmv.valuation.wasserstein.tokens import TokenStore

FINER_GRID = 14
"""196 tokens, as many as a vision transformer makes of 224 x 224 pixels in patches of 16; the descriptor's own 15 x 15
patches of a 32 x 32 image are just enough."""

_TOKEN_SCALE = np.float32(64)
"""Of int8 tokens. Positions reach 1.75; what is longer is cut off, for POT as well."""

_LIMITS = ImageLimits(20 * 2**20, 50_000_000)

Pixels = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class World:
    """Queries against one token store.

    Attributes:
        store: int8, float16 or float32 [rows, n, d].
        queries: [n, d] each, int8 or float32.
        candidates: int64 [M] each, rows of the store.
    """

    store: TokenStore
    queries: Sequence[Tokens]
    candidates: Sequence[NDArray[np.int64]]

    @property
    def dtype(self) -> str:
        """What the store's tokens are made of."""
        return str(self.store.dtype)

    def in_integers(self) -> "World":
        """Return the same with all tokens as int8."""
        queries = [_in_integers(query) for query in self.queries]
        return World(_in_integers(self.store), queries, self.candidates)


def _in_integers(tokens: TokenStore) -> NDArray[np.int8]:
    scaled: NDArray[np.float32] = np.rint(tokens.astype(np.float32) * _TOKEN_SCALE)
    return np.clip(scaled, -127, 127).astype(np.int8)


class Worlds:
    """Remixes of a corpus' images as queries, and an index' images as candidates."""

    def __init__(self, corpus: Path, index: Index, queries: int, seed: int) -> None:
        """Read the corpus and make the queries.

        Raises:
            CorpusRefused: the corpus cannot be read, or the index was not built from it by an encoder of gmv's.
        """
        if not isinstance(index.encoder, FittedDescriptor | ExactDescriptor):
            raise CorpusRefused(f"{index.path} holds features made elsewhere; the bench needs one built from images")
        self._encoder = index.encoder
        self._index = index
        source = open_corpus([corpus], _LIMITS.bytes_max)
        owners = {image.image_id: image.owner_id for image in source.catalogue().images}
        self._files = {image.image_id: image.content for image in image_files(source)}
        self._ids = [image.image_id for image in index.images.images(range(len(index.images)))]
        if not self._files.keys() >= set(self._ids):
            raise CorpusRefused(f"{index.path} was not built from {corpus}: name the corpus it was built from")
        made_of = recipes(owners, queries, seed)
        sources = {image_id for recipe in made_of for image_id in recipe.sources}
        pictures = {image_id: decode_image(self._files[image_id], _LIMITS) for image_id in sources}
        self._queries = list(remixes(made_of, pictures))

    def as_indexed(self, candidates: int, queries: int) -> World:
        """Return the first queries against the index' own tokens, with as many candidates of each."""
        features = self._encoder.encode(self._queries[:queries])
        recalled = self._index.recall.recall(features.vectors, candidates)
        rows, places = _numbered(recalled)
        store = _as_floats(self._index.tokens[rows]).astype(np.float16)
        return World(store, list(_as_floats(features.tokens)), places)

    def finer(self, candidates: int, queries: int) -> World:
        """Return the first queries on a finer grid, their candidates' tokens made from the corpus."""
        features = self._encoder.encode(self._queries[:queries])
        rows, places = _numbered(self._index.recall.recall(features.vectors, candidates))
        store = np.stack(
            [self._finer_tokens(decode_image(self._files[self._ids[row]], _LIMITS)) for row in rows.tolist()]
        ).astype(np.float16)
        finer_queries = [self._finer_tokens(query) for query in self._queries[:queries]]
        return World(store, finer_queries, places)

    def _finer_tokens(self, image: Pixels) -> NDArray[np.float32]:
        return _as_floats(self._encoder.tokens_on(image, FINER_GRID))


def _numbered(recalled: Sequence[NDArray[np.int64]]) -> tuple[NDArray[np.int64], list[NDArray[np.int64]]]:
    """Return the rows that occur, ascending, and the candidates by their places among these."""
    rows, places = np.unique(np.concatenate(recalled), return_inverse=True)
    ends = np.cumsum([len(each) for each in recalled])[:-1]
    return rows, np.split(places.astype(np.int64), ends)


def _as_floats(tokens: NDArray[Any]) -> NDArray[np.float32]:
    """Return tokens in the unit of W1; integers are exact in float16, too."""
    scale = _TOKEN_SCALE if tokens.dtype == np.int8 else 1
    floats: NDArray[np.float32] = tokens.astype(np.float32) / scale
    return floats
