"""A corpus of features instead of images, in Parquet: what another program's encoder saw in the training images."""

import hashlib
import struct
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from typing_extensions import override

from gmv.corpus.catalogue import checked_catalogue
from gmv.corpus.fingerprint import fingerprint
from gmv.corpus.parquet_files import COLUMNS, Columns, ParquetFiles
from gmv.corpus.port import Catalogue, Corpus, ImageFeatures
from gmv.corpus.tables import Table, Tables
from gmv.errors import CorpusRefused, Poison, Reason


class FeaturesShape(NamedTuple):
    """D, n and d: a vector of D numbers, n tokens of d."""

    vector_size: int
    tokens: int
    token_size: int


class FeaturesCorpus(Corpus):
    """A `Corpus` of float32 vectors and tokens.

    Columns: `vector`, a list of D numbers, and `tokens`, a list of n lists of d numbers, the same D, n and d in all
    rows.
    """

    def __init__(self, tables: Tables, encoder_id: str, columns: Columns = COLUMNS) -> None:
        self.encoder_id = encoder_id
        self._parquet = ParquetFiles(tables, columns)

    @property
    @override
    def name(self) -> str:
        return self._parquet.tables.name

    @property
    def shape(self) -> FeaturesShape:
        """That of the first row, which all others have to share.

        Raises:
            CorpusRefused: the first row has no features.
        """
        for image in self.images():
            shape = shape_of(image)
            if min(shape) > 0:
                return shape
            break
        columns = self._parquet.columns
        raise CorpusRefused(
            f"{self.name}, row 0: {columns.vector!r} should be a list of numbers, {columns.tokens!r} a list of lists "
            "of equal length"
        )

    @override
    def catalogue(self) -> Catalogue:
        for table in self._parquet.tables.files:
            self._check_features(table)
        return checked_catalogue(self._parquet.rows(), self._parquet.tables)

    @override
    def fingerprint(self) -> str:
        files = [table.path for table in self._parquet.tables.files]
        return fingerprint(files, f"features {self.encoder_id} {self._parquet.columns}")

    @override
    def images(self) -> Iterator[ImageFeatures]:
        names = [self._parquet.columns.vector, self._parquet.columns.tokens]
        for table in self._parquet.tables.files:
            for image_ids, batch in self._parquet.batches(table, names):
                for image_id, vector, tokens in zip(image_ids, *map(batch.column, names), strict=True):
                    yield _features(image_id, vector.as_py(), tokens.as_py())

    def _check_features(self, table: Table) -> None:
        columns, file = self._parquet.columns, table.path
        vector = self._parquet.column_type(table, columns.vector)
        tokens = self._parquet.column_type(table, columns.tokens)
        if not (_is_list(vector) and _is_number(vector.value_type)):
            raise CorpusRefused(f"{file}: column {columns.vector!r} is {vector}; it should be a list of numbers")
        if not (_is_list(tokens) and _is_list(tokens.value_type) and _is_number(tokens.value_type.value_type)):
            raise CorpusRefused(
                f"{file}: column {columns.tokens!r} is {tokens}; it should be a list of lists of numbers"
            )


def shape_of(image: ImageFeatures) -> FeaturesShape:
    """Return how large its vector and tokens are, with a 0 where there are none."""
    return FeaturesShape(len(image.vector), *image.tokens.shape)


def check_features(image: ImageFeatures, shape: FeaturesShape) -> None:
    """See that features are as all others of their corpus.

    Raises:
        Poison: they are of another shape, or not all of their numbers are finite (tokens: in float16).
    """
    if (found := shape_of(image)) != shape:
        raise Poison(
            Reason.INVALID_FEATURES,
            f"a vector of {found.vector_size} and {found.tokens} tokens of {found.token_size}; the corpus began with "
            f"{shape.vector_size}, {shape.tokens} and {shape.token_size}",
        )
    if not (np.isfinite(image.vector).all() and (np.abs(image.tokens) <= np.finfo(np.float16).max).all()):
        raise Poison(Reason.INVALID_FEATURES, "a number is missing, infinite, or beyond float16 in the tokens")


def features_digest(image: ImageFeatures) -> bytes:
    """Return the SHA-256 of shape and numbers, little-endian: in an index, in place of an image file's."""
    digest = hashlib.sha256(struct.pack("<III", *shape_of(image)))
    for numbers in (image.vector, image.tokens):
        digest.update(numbers.astype("<f4").tobytes())
    return digest.digest()


def _features(image_id: str, vector: list[Any] | None, tokens: list[Any] | None) -> ImageFeatures:
    """What has no shape (null, ragged) becomes empty, which `check_features` refuses."""
    vector, tokens = vector or [], tokens or []
    sizes = {len(token or []) for token in tokens}
    if not vector or len(sizes) != 1:
        return ImageFeatures(image_id, np.empty(0, np.float32), np.empty((0, 0), np.float32))
    return ImageFeatures(image_id, np.array(vector, np.float32), np.array(tokens, np.float32))


def _is_list(found: pa.DataType) -> bool:
    kinds = (
        pa.types.is_list,
        pa.types.is_large_list,
        pa.types.is_fixed_size_list,
        pa.types.is_list_view,
        pa.types.is_large_list_view,
    )
    return any(kind(found) for kind in kinds)


def _is_number(found: pa.DataType) -> bool:
    return any((pa.types.is_floating(found), pa.types.is_integer(found)))
