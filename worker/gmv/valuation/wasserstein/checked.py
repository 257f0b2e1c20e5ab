"""Queries, their mirrored looks and candidates, checked before anything of a call is computed."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gmv.valuation.ranking import MirroredLook, Tokens

Rows = NDArray[np.int64]

_NO_ROWS = np.empty(0, np.int64)


class Checked(NamedTuple):
    """One query.

    Attributes:
        looks: [n, d] each, the query, and its mirrored look if it has one.
        rows: int64 [M], ascending candidates of the query, then ascending ones of the mirrored look.
        plain: how many are the query's.
    """

    looks: list[Tokens]
    rows: Rows
    plain: int


class QueryCheck:
    """Checks what is ranked over a store of tokens."""

    def __init__(self, rows: int, token_size: int, dtype: np.dtype[np.generic]) -> None:
        """Say what queries are to be.

        Args:
            rows: of the store.
            token_size: d.
            dtype: of queries.
        """
        self._rows = rows
        self._token_size = token_size
        self._dtype = dtype

    def checked(
        self, queries: Sequence[Tokens], candidates: Sequence[Rows], mirrored: Sequence[MirroredLook | None] | None
    ) -> list[Checked]:
        """Return the queries of a call of `Reranker.nearest`.

        Raises:
            ValueError: as `ExactReranker.nearest`.
        """
        looks = [None] * len(queries) if mirrored is None else mirrored
        return [
            self._checked(f"query {place}", *each)
            for place, each in enumerate(zip(queries, candidates, looks, strict=True))
        ]

    def _checked(self, name: str, query: Tokens, candidates: Rows, mirrored: MirroredLook | None) -> Checked:
        self._check_tokens(name, query)
        plain = self._ascending(name, candidates)
        if mirrored is None:
            looks, turned = [query], _NO_ROWS
        else:
            self._check_tokens(f"the mirrored look of {name}", mirrored.tokens)
            if mirrored.tokens.shape != query.shape:
                raise ValueError(f"{name} is {query.shape}, and its mirrored look {mirrored.tokens.shape}")
            looks = [query, mirrored.tokens]
            turned = self._ascending(f"the mirrored look of {name}", mirrored.candidates)
        if not len(plain) + len(turned):
            raise ValueError(f"{name} has no candidates; M has to be above 0")
        return Checked(looks, np.concatenate((plain, turned)) if len(turned) else plain, len(plain))

    def _check_tokens(self, name: str, tokens: Tokens) -> None:
        size, dtype = self._token_size, self._dtype
        if tokens.dtype != dtype or tokens.ndim != 2 or tokens.shape[0] == 0 or tokens.shape[1] != size:
            raise ValueError(f"{name} is {tokens.dtype} {tokens.shape}, not {dtype} [n, {size}], n at least 1")
        if tokens.dtype != np.int8 and not np.isfinite(tokens).all():
            raise ValueError(f"{name} holds NaN or infinity")

    def _ascending(self, name: str, rows: Rows) -> Rows:
        if rows.dtype != np.int64 or rows.ndim != 1:
            raise ValueError(f"the candidates of {name} are {rows.dtype} {rows.shape}, not int64 [M]")
        ascending = rows.copy()
        ascending.sort()
        if len(rows) and (ascending[0] < 0 or ascending[-1] >= self._rows):
            raise ValueError(f"{name} has candidates outside the store's {self._rows:,} rows")
        if (ascending[1:] == ascending[:-1]).any():
            raise ValueError(f"{name} has a candidate twice")
        return ascending
