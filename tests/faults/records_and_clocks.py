"""Faults of what workers are given: records of every wrong kind, and a clock that cannot be trusted."""

import random
import signal
import time
from pathlib import Path

import orjson

from tests.faults.corpus import event_of
from tests.faults.scenario import NotHere, Outcome, scenario
from tests.faults.world import PARTITIONS, Servers

FAKETIME = "faketime/libfaketimeMT.so.1"
LIBRARY_FOLDERS = ("/usr/lib", "/usr/local/lib")
CLOCKS = ("+1d", "-1d", "+0", "-400d", "+10y", "+0")


def poison() -> list[bytes | None]:
    """One record of each wrong kind; the id of each begins with a letter, by which the oracle knows it."""
    sound = orjson.loads(event_of("1/1/1.0"))
    features = sound["data"]["features"]

    def event(name: str, **changed: object) -> bytes:
        return orjson.dumps({**sound, "id": f"poison-{name}", **changed})

    def with_features(name: str, **changed: object) -> bytes:
        return event(name, data={"features": {**features, **changed}})

    not_a_number = "AADAfw=="  # one float32
    return [
        *(None, b"", b"[]", b"{broken", b"\xff\xfe", b"null", b"0", b'"text"', b"[" * 5_000, b"{}" + bytes(2**19)),
        event("no-data", data={}),
        event("data-of-another-type", data=[1, 2]),
        event("type", type="com.example.other"),
        event("version", specversion="0.3"),
        event("source", source=7),
        event("quality", data={"features": features, "quality": 1.5}),
        event("quality-text", data={"features": features, "quality": "much"}),
        event("two-contents", data={"features": features, "image": {"bytes": ""}}),
        event("image-of-nothing", data={"image": {"bytes": ""}}),
        event("image-not-base64", data={"image": {"bytes": "?"}}),
        event("forbidden-file", data={"image": {"uri": "file:///etc/passwd"}}),
        event("forbidden-host", data={"image": {"uri": "http://169.254.169.254/latest"}}),
        with_features("encoder", encoder="another"),
        with_features("vector", vector=""),
        with_features("not-a-number", vector=not_a_number),
        with_features("shape", shape=[0, 0]),
        with_features("huge-shape", shape=[2**31, 2**31]),
        with_features("negative-shape", shape=[-4, -4]),
        with_features("dtype", dtype="float64"),
        with_features("zeros", vector="AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="),
    ]


@scenario(17, "poison", "thirty kinds of wrong records among good ones, and a SIGKILL in the middle of them", runs=3)
def poisoned(site: Servers, chance: random.Random) -> Outcome:
    with site.world(chance) as world:
        worker = world.fork()
        with world.crediting() as load:
            wrong = poison()
            chance.shuffle(wrong)
            killed_after = chance.randrange(len(wrong))
            for place, value in enumerate(wrong):
                load.send_one(chance.randrange(PARTITIONS), value)
                time.sleep(0.05)
                if place == killed_after:
                    worker.end(signal.SIGKILL)
                    worker = world.fork()
        world.finish()
        world.expect_running(worker)
    return Outcome(world.violations, kills=1)


@scenario(
    16,
    "clock-skew",
    "the worker's wall clock jumps by a day, a year, ten years, forth and back; by libfaketime",
    runs=2,
)
def clock_skew(site: Servers, chance: random.Random) -> Outcome:
    library = _library()
    clock = site.folder / "clock"
    clock.write_text("+0\n")
    variables = {
        "LD_PRELOAD": str(library),
        "FAKETIME_TIMESTAMP_FILE": str(clock),
        "FAKETIME_CACHE_DURATION": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",  # a machine's clock that is set jumps; its monotonic one does not
    }
    with site.world(chance) as world:
        worker = world.start(variables, kafka_instance_id="one")
        with world.crediting(first_seconds_max=120):
            times: list[float] = []
            for skew in chance.sample(CLOCKS, len(CLOCKS)):
                clock.write_text(f"{skew}\n")
                time.sleep(2)
                times.append(world.wait_for_credits(world.done(), time.monotonic()))
        world.finish()
        world.expect_running(worker)
    return Outcome(world.violations, times)


def _library() -> Path:
    for folder in LIBRARY_FOLDERS:
        if found := next(Path(folder).glob(f"**/{FAKETIME}"), None):
            return found
    raise NotHere("libfaketime is not installed (Debian: apt-get install libfaketime)")
