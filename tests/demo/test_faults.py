import base64

import orjson
import pytest

from gmv.demo.faults import BAD_RECORDS, with_faults
from gmv.errors import Poison, Reason
from gmv.events.cloudevents import decode
from gmv.events.model import ImageBytes
from gmv.imaging.decode import ImageLimits, decode_image
from tests.demo.world import image_file


def lines_of(count: int) -> list[bytes]:
    envelope = {"specversion": "1.0", "type": "gmv.image.generated.v1", "source": "/tests"}
    files = (base64.b64encode(image_file(number)).decode() for number in range(count))
    return [
        orjson.dumps({**envelope, "id": f"event-{number}", "data": {"image": {"bytes": file}}})
        for number, file in enumerate(files)
    ]


def reason_of(line: bytes) -> Reason | None:
    try:
        content = decode(line).content
        assert isinstance(content, ImageBytes)
        decode_image(content.content, ImageLimits(2**20, 10**6))
    except Poison as poison:
        return poison.reason
    return None


@pytest.mark.parametrize("count", [8, 9, 200])
def test_three_bad_records_and_a_repeated_one_stand_among_all_good_ones(count: int) -> None:
    good = lines_of(count)
    written = list(with_faults(good, count))
    assert len(written) == count + BAD_RECORDS + 1
    assert written[-1] == good[0]
    assert [line for line in written if reason_of(line) is None] == [*good, good[0]]
    bad = [reason for line in written if (reason := reason_of(line))]
    assert bad == [Reason.MALFORMED_JSON, Reason.INVALID_EVENT, Reason.IMAGE_CORRUPT]


def test_the_cut_off_image_is_not_refused_for_another_ones_id() -> None:
    written = list(with_faults(lines_of(12), 12))
    ids = [decode(line).event_id for line in written if reason_of(line) in (None, Reason.IMAGE_CORRUPT)]
    assert len(ids) - len(set(ids)) == 1


def test_no_events_have_no_bad_records() -> None:
    assert list(with_faults([], 0)) == []
