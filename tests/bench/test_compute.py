"""Computing alone, over records of which not all are events, as those of the demo are not."""

from pathlib import Path

from gmv.bench.compute import compute_only
from gmv.events.encoding import structured
from gmv.events.model import GeneratedImage, ImageBytes
from gmv.index.opened import open_index
from gmv.monitoring.catalogue import Stage
from gmv.settings import Settings
from gmv.stream.records import Record
from tests.corpus.corpora import rows, write_parquet
from tests.encoders.pictures import picture, png
from tests.indexing.index_builds import build


def test_what_holds_no_event_is_passed_over(tmp_path: Path) -> None:
    build(write_parquet(tmp_path / "corpus.parquet", rows(6)), tmp_path / "index", bad_share_max=0.5)
    index = open_index(tmp_path / "index", verify=False)
    line = structured(GeneratedImage("/test", "event-1", ImageBytes(png(picture(9)))))
    records = [Record(0, b"{torn"), Record(1, line), Record(2, None), Record(3, line)]
    rate = compute_only(records, index, Settings())
    assert rate.events_per_second > 0
    assert rate.stage_seconds[Stage.RERANK] > 0
