import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gmv.events.cloudevents import decode
from gmv.events.encoding import binary, binary_of_structured, event_of_image, structured, structured_message
from gmv.events.model import GeneratedImage
from tests.events.samples import EVENTS, JSON, NAMES, envelope, line, plain, png


@given(event=EVENTS)
def test_what_is_written_is_read_back_in_every_mode(event: GeneratedImage) -> None:
    message, whole = binary(event), structured_message(event)

    read = [decode(structured(event)), decode(whole.value, whole.headers), decode(message.value, message.headers)]

    assert [plain(each) for each in read] == [plain(event)] * 3
    assert len({each.payload for each in read}) == 1
    assert message.key == whole.key == event.event_id.encode()


@given(event=EVENTS)
def test_structured_mode_is_one_line(event: GeneratedImage) -> None:
    assert b"\n" not in structured(event)


def test_an_image_becomes_the_event_that_will_be_read() -> None:
    event = event_of_image(png(), "/generator", "one", quality=0.25, model="sd", metadata={"seed": 7})

    assert decode(structured(event)) == event


@given(extensions=st.dictionaries(st.from_regex(r"x[a-z0-9]{1,10}", fullmatch=True), NAMES | st.booleans(), max_size=3))
def test_structured_mode_becomes_binary_mode_without_loss(extensions: dict[str, object]) -> None:
    told = envelope(**extensions, subject="cat", data={"image": {"uri": "a:b"}, "more": [1, 2]})

    message = binary_of_structured(orjson.dumps(told))

    headers = dict(message.headers)
    assert orjson.loads(message.value) == told["data"]
    assert headers["ce_subject"] == b"cat"
    for name, value in extensions.items():
        assert headers[f"ce_{name}"].decode() == (value if isinstance(value, str) else str(value).lower())
    assert decode(message.value, message.headers) == decode(orjson.dumps(told))


def test_the_key_is_the_partition_key_or_the_id() -> None:
    assert binary_of_structured(line()).key == b"event-1"
    assert binary_of_structured(line(partitionkey="p")).key == b"p"


@given(extra=st.dictionaries(NAMES, JSON, max_size=3), metadata=st.dictionaries(NAMES, JSON, max_size=3))
def test_the_payload_is_blind_to_all_but_what_decides_credits(
    extra: dict[str, object], metadata: dict[str, object]
) -> None:
    data = {"image": {"uri": "a:b"}, "quality": 1.0}
    other = {**{f"x{name}": value for name, value in extra.items()}, "metadata": metadata, "model": "m", **data}
    spread = orjson.dumps(
        envelope(id="two", source="/s", data=dict(reversed(other.items()))), option=orjson.OPT_INDENT_2
    )

    assert decode(spread).payload == decode(line(data={"image": {"uri": "a:b"}})).payload


@given(first=EVENTS, second=EVENTS)
def test_different_payloads_for_different_content_or_quality(first: GeneratedImage, second: GeneratedImage) -> None:
    same = all(plain(first)[name] == plain(second)[name] for name in ("content", "quality"))

    assert (decode(structured(first)).payload == decode(structured(second)).payload) == same


@pytest.mark.parametrize("quality", [float("nan"), 1.5, -0.5])
def test_no_quality_is_written_that_would_be_read_as_another(quality: float) -> None:
    with pytest.raises(ValueError, match="quality"):
        structured(event_of_image(png(), "/generator", "one", quality))
