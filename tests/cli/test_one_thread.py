"""Every command that encodes lets torch and faiss take one thread before it does, whatever they were set to."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import faiss
import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from gmv.assembly import worker
from gmv.encoders.descriptor import FittedDescriptor
from gmv.encoders.exact.descriptor import ExactDescriptor
from gmv.encoders.port import Encoder, Features
from gmv.encoders.pretrained.encoder import PretrainedEncoder
from gmv.events.encoding import structured
from gmv.events.model import GeneratedImage, ImageBytes
from gmv.settings import LedgerSettings
from gmv.threads import one_thread
from tests.cli.command import gmv, gmv_json
from tests.corpus.corpora import rows, write_parquet
from tests.encoders.networks import write_onnx
from tests.encoders.pictures import picture, png

Threads = list[tuple[int, int]]
"""Of torch and of faiss, each time something was encoded or a worker began."""


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> Iterator[Threads]:
    """What encoding finds, in a process that was set to more threads before its command began."""
    found: Threads = []

    def look() -> None:
        found.append((torch.get_num_threads(), faiss.omp_get_max_threads()))

    def watch(encoder: type[Encoder]) -> None:
        encode = encoder.encode

        def look_and_encode(self: Encoder, images: Sequence[NDArray[np.uint8]]) -> Features:
            look()
            return encode(self, images)

        monkeypatch.setattr(encoder, "encode", look_and_encode)

    watch(ExactDescriptor)
    watch(FittedDescriptor)
    watch(PretrainedEncoder)
    monkeypatch.setattr(worker, "run_worker", lambda *_: look())
    with one_thread():
        set_more_threads()
        yield found


def set_more_threads() -> None:
    torch.set_num_threads(2)
    faiss.omp_set_num_threads(2)


def test_commands_that_encode_take_one_thread(sqlite: LedgerSettings, tmp_path: Path, seen: Threads) -> None:
    corpus, index, events = (tmp_path / name for name in ("c.parquet", "index", "events.jsonl"))
    (tmp_path / "picture.png").write_bytes(png(picture(9)))
    write_parquet(corpus, rows(4))
    line = structured(GeneratedImage("/test", "event-1", ImageBytes(png(picture(9)))))
    events.write_bytes(line + b"\n")
    gmv_json(sqlite, "ledger", "init", "--log", events)

    for arguments in (
        ("index", "build", corpus, "--out", index, "--working-size", 16),
        ("attribute", "--index", index, tmp_path / "picture.png"),
        ("replay", events, "--index", index),
        ("worker", "--index", index),
        ("index", "build", corpus, "--out", tmp_path / "other", "--encoder", write_onnx(tmp_path / "n.onnx")),
        ("attribute", "--index", tmp_path / "other", tmp_path / "picture.png"),
    ):
        set_more_threads()
        done = gmv(sqlite, *arguments)
        assert done.returncode == 0, done.stderr
        assert {*seen} == {(1, 1)}, arguments
        seen.clear()
