"""What is said of the newest events and dead letters, and of the session that a broker allows."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from kafka.consumer.fetcher import ConsumerRecord

from gmv.doctor.finding import State
from gmv.doctor.machine import judge_session
from gmv.doctor.records import judge_dead_letter_reasons, judge_event_images, names_file, reason_of
from gmv.errors import Poison, Reason
from gmv.kafka.access import SessionLimits
from gmv.kafka.dead_letters import dead_letter_message
from gmv.settings import ImageSettings, KafkaSettings, Settings
from gmv.stream.ports import DeadLetter
from gmv.stream.records import Partition, Record
from tests.events.samples import line


def record(value: bytes | None, headers: Sequence[tuple[str, bytes | None]] = ()) -> ConsumerRecord:
    return ConsumerRecord("t", 0, -1, 0, 0, 0, None, value, list(headers), None, -1, -1, -1)


def of_image(uri: str) -> bytes:
    return line(data={"image": {"uri": uri}})


@pytest.mark.parametrize(
    ("value", "is_file"),
    [
        (of_image("file:///images/a.png"), True),
        (of_image("FILE:a.png"), True),
        (of_image("https://host/file:/a.png"), False),
        (of_image("s3://bucket/file.png"), False),
        (of_image("a.png"), False),
        (line(data={"image": {"bytes": "eA=="}}), False),
        (b"no JSON", False),
        (None, False),
    ],
)
def test_an_event_that_names_a_file_is_known(value: bytes | None, is_file: bool) -> None:
    assert names_file(record(value)) == is_file


@pytest.mark.parametrize(
    ("are_files", "root", "state"),
    [
        ([False, True], None, State.WARNING),
        ([True] * 200, None, State.WARNING),
        ([False, True], Path("/images"), State.OK),
        ([False] * 3, None, State.OK),
        ([], None, State.OK),
        (None, None, State.OK),
    ],
)
def test_files_that_no_setting_lets_be_read(are_files: list[bool] | None, root: Path | None, state: State) -> None:
    (finding,) = judge_event_images(are_files, Settings(images=ImageSettings(root=root)))
    assert finding.state is state
    assert ("images.root" in finding.advice) == (state is State.WARNING)


@pytest.mark.parametrize(
    ("reasons", "named"),
    [
        (["image_refused"] * 6 + ["image_corrupt"] * 5, "image_refused"),
        (["image_refused"] * 10, "image_refused"),
        (["image_refused"] * 5 + ["image_corrupt"] * 5, None),
        (["image_refused"] * 9, None),
        (["image_refused"] * 9 + [None] * 50, None),
        (["of another version"] * 20 + [None] * 50, "of another version"),
        ([], None),
        (None, None),
    ],
)
def test_a_reason_that_is_that_of_most(reasons: list[str | None] | None, named: str | None) -> None:
    (finding,) = judge_dead_letter_reasons(reasons)
    assert finding.state is (State.OK if named is None else State.WARNING)
    assert named is None or f"--reason {named}" in finding.advice


def test_the_reason_of_a_dead_letter_is_read_from_its_headers() -> None:
    refused = DeadLetter(Record(3, b"x", b"k", ()), Poison(Reason.IMAGE_REFUSED, "why"))
    message = dead_letter_message(Partition("t", 1), refused, "g")
    assert reason_of(record(message.value, message.headers)) == "image_refused"
    assert reason_of(record(b"x")) is None


@pytest.mark.parametrize(
    ("seconds", "limits", "state"),
    [
        (30.0, SessionLimits(6.0, 1_800.0), State.OK),
        (30.0, SessionLimits(6.0, 30.0), State.OK),
        (30.0, SessionLimits(6.0, 20.0), State.PROBLEM),
        (30.0, SessionLimits(45.0, 1_800.0), State.PROBLEM),
        (30.0, None, State.OK),
    ],
)
def test_a_session_that_no_broker_allows(seconds: float, limits: SessionLimits | None, state: State) -> None:
    (finding,) = judge_session(Settings(kafka=KafkaSettings(session_seconds=seconds)), limits)
    assert finding.state is state
    if state is State.PROBLEM and limits is not None:
        assert f"{limits.min_seconds:g} to {limits.max_seconds:g}" in finding.found
