"""`gmv bench rerank` over the index that a build makes now: every way finds the same, of floats and of integers."""

from pathlib import Path

from gmv.bench.rerank import bench_rerank
from gmv.bench.rerank_worlds import Worlds
from gmv.index.opened import open_index
from tests.corpus.corpora import rows, write_parquet
from tests.indexing.index_builds import build

QUERIES = 3


def test_every_way_finds_the_same(tmp_path: Path) -> None:
    corpus = write_parquet(tmp_path / "c.parquet", rows(24))
    build(corpus, tmp_path / "index")
    worlds = Worlds(corpus, open_index(tmp_path / "index", verify=True), QUERIES, seed=1)
    found = bench_rerank(worlds, candidates=12, contributors=4, queries=QUERIES, finer_queries=2)

    assert [(case.tokens, case.dtype) for case in found.cases] == [
        (64, "float16"),
        (196, "float16"),
        (64, "int8"),
        (196, "int8"),
    ]
    assert all(case.mismatches == 0 for case in found.cases)
    assert all(case.max_abs_diff < 1e-9 for case in found.cases)
    assert found.ratio_many_candidates > 0
