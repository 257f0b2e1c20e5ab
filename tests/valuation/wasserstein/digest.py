"""Digests of rankings of int8 tokens, to be compared between processors: `python -m` prints them."""

import hashlib
import json
import sys
from typing import Any

from numba.core.registry import cpu_target

from gmv.valuation.ranking import MirroredLook, Ranking
from gmv.valuation.wasserstein.rerank import ExactReranker
from tests.valuation.wasserstein.ranked import rows_of
from tests.valuation.wasserstein.sets import Kind, integer_sets

SHAPES = ((64, 64), (33, 256), (49, 15), (7, 3))


def of_rankings() -> dict[str, Any]:
    """For which processor this process compiles, and a digest per kind and shape of token sets."""
    digests = {f"{kind.name} {shape}": _digest(kind, shape) for kind in Kind for shape in SHAPES}
    _, processor, _ = cpu_target.target_context.codegen().magic_tuple()
    return {"processor": processor, "digests": digests}


def _digest(kind: Kind, shape: tuple[int, int]) -> str:
    sets = integer_sets(kind, 68, *shape, seed=1)
    store, queries, mirrored = sets[:60], list(sets[60:64]), list(sets[64:])
    rows = rows_of(store)
    looks = [MirroredLook(tokens, rows[place::3]) for place, tokens in enumerate(mirrored)]
    rankings = ExactReranker(store, scale=64.0).nearest(queries, [rows] * len(queries), 10, looks)
    return hashlib.sha256(b"".join(map(_bytes, rankings))).hexdigest()


def _bytes(ranking: Ranking) -> bytes:
    ended = json.dumps([int(count) for count in (ranking.ended or {}).values()]).encode()
    return ranking.rows.tobytes() + ranking.distances.tobytes() + ranking.mirrored.tobytes() + ended


if __name__ == "__main__":
    json.dump(of_rankings(), sys.stdout)
