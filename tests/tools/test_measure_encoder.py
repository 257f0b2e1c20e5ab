"""The tool of docs/encoders.md, on pictures whose classes are plain."""

from pathlib import Path

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import typer
from typer.testing import CliRunner

from tests.corpus.corpora import IMAGE
from tests.encoders.networks import write_onnx
from tests.encoders.pictures import png
from tools import measure_encoder

COLOURS = [(230, 30, 30), (30, 220, 40), (40, 40, 230)]


@pytest.fixture
def labelled(tmp_path: Path) -> Path:
    draw = np.random.default_rng(0)
    labels = [number % 3 for number in range(60)]
    pictures = [(np.array(COLOURS[label]) + draw.integers(-20, 20, (16, 16, 3))).clip(0, 255) for label in labels]
    table = {
        "image_id": [f"{number:03}" for number in draw.permutation(60)],
        "owner_id": ["somebody"] * 60,
        "label": labels,
        "image": pa.array([{"bytes": png(each.astype(np.uint8)), "path": None} for each in pictures], IMAGE),
    }
    pq.write_table(pa.table(table), tmp_path / "labelled.parquet")
    return tmp_path / "labelled.parquet"


@pytest.mark.parametrize("by_class", [True, False])
def test_a_class_that_can_be_seen_is_found_and_another_by_chance(labelled: Path, by_class: bool) -> None:
    if not by_class:
        table = pq.read_table(labelled)
        other = pa.array(np.random.default_rng(1).integers(0, 3, 60))
        pq.write_table(table.set_column(table.schema.get_field_index("label"), "label", other), labelled)
    network = write_onnx(labelled.parent / "n.onnx")
    app = typer.Typer()
    app.command()(measure_encoder.main)
    options = ["--encoder", str(network), "--images", "45", "--queries", "15", "--grid", "2"]
    done = CliRunner().invoke(app, [str(labelled), *options])
    figures = orjson.loads(done.stdout)

    assert (figures["images"], figures["queries"], figures["exact"]) == (45, 15, False)
    if by_class:
        assert figures["c1_by_vector"] == figures["c1_by_w1"] == 1.0
    else:
        assert 0.1 < figures["c1_by_vector"] < 0.6
    assert 100 < figures["bytes_per_image"] < 1_000  # 4 tokens of up to 14 numbers in float16, a vector of up to 12
    assert figures["encode_ms"] > 0


def test_the_encoder_that_is_learnt_is_asked_both_ways(labelled: Path) -> None:
    """Mirrored queries are ranked, too, as a worker ranks them: as many are found as without."""
    app = typer.Typer()
    app.command()(measure_encoder.main)
    figures = orjson.loads(CliRunner().invoke(app, [str(labelled), "--images", "45", "--queries", "15"]).stdout)

    assert figures["exact"] is True
    assert figures["encoder_id"].startswith("exact-descriptor/1@")
    assert figures["c1_by_w1"] > 0.6
