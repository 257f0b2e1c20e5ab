"""Indexes by the encoder that gmv learnt before, in floats: they open, and events are credited by them as they were."""

from pathlib import Path

import orjson
import pytest
from prometheus_client import CollectorRegistry

from gmv.assembly.parts import assemble_attributor
from gmv.encoders import descriptor
from gmv.encoders.storage import open_descriptor
from gmv.events.model import GeneratedImage, ImageBytes
from gmv.index.manifest import MANIFEST, Manifest
from gmv.index.opened import Index, open_index
from gmv.indexing import feature_source
from gmv.monitoring.catalogue import Metrics
from gmv.monitoring.telemetry import StageClock
from gmv.settings import Settings
from gmv.valuation.owners import Ownership
from gmv.valuation.types import Attribution
from tests.corpus.corpora import FILES, rows, write_parquet
from tests.encoders.former import former_bytes
from tests.indexing.index_builds import build

IMAGES = 12


@pytest.fixture
def former(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Index:
    """As an earlier gmv wrote it: its encoder, recall by faiss, and a manifest that says less."""
    monkeypatch.setattr(feature_source, "fit_exact", lambda _images, _settings: former_bytes())
    monkeypatch.setattr(feature_source, "to_bytes", lambda fitted: fitted)
    monkeypatch.setattr(feature_source, "open_exact", open_descriptor)
    build(write_parquet(tmp_path / "c.parquet", rows(IMAGES)), tmp_path / "index")
    said = orjson.loads((tmp_path / "index" / MANIFEST).read_bytes())
    said["encoder"]["kind"] = descriptor.KIND
    del said["candidates"], said["neighbours"], said["encoder"]["exact"], said["encoder"]["network"]
    (tmp_path / "index" / MANIFEST).write_bytes(orjson.dumps(said))
    return open_index(tmp_path / "index", verify=True)


def test_an_index_of_the_former_encoder_credits_the_image_itself(former: Index) -> None:
    attributor = assemble_attributor(former, Settings(), Ownership(), StageClock(), Metrics(CollectorRegistry()))
    events = [GeneratedImage("/s", f"e{at}", ImageBytes(FILES[at])) for at in range(IMAGES)]
    valued = attributor.attribute(events)
    images = former.images.images(range(IMAGES))

    assert (former.encoder.encoder_id.partition("@")[0], former.mirror) == ("fitted-descriptor/1", None)
    for outcome in valued:
        assert isinstance(outcome, Attribution)
        assert outcome.contributors[0].distance == 0.0
        assert not any(each.mirrored for each in outcome.contributors)
    assert {outcome.contributors[0].image_id for outcome in valued if isinstance(outcome, Attribution)} == {
        image.image_id for image in images
    }
    assert isinstance(former.manifest, Manifest)
