import logging
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from gmv.monitoring.logging import blot_out_secrets, configure, say_held_back

LIBRARIES = ("faust.app", "mode.worker", "aiokafka.consumer")


@pytest.fixture(autouse=True)
def logging_as_it_was() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level, raising = root.handlers[:], root.level, logging.raiseExceptions
    for name in ("kafka.net.connection", "aiokafka.conn"):  # a checker of imports, run before, silences all that exist
        logging.getLogger(name).disabled = False
    yield
    root.handlers, logging.raiseExceptions = handlers, raising
    root.setLevel(level)
    structlog.reset_defaults()


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    return [orjson.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_a_line_is_json_with_its_facts_as_fields(capsys: pytest.CaptureFixture[str]) -> None:
    configure("json", "info")
    before = datetime.now(UTC)

    structlog.get_logger("gmv.worker").info("run_finished", records=3, stage_seconds={"decode": 0.5})

    (line,) = lines(capsys)
    time = datetime.fromisoformat(str(line.pop("time")))
    assert time.tzinfo is not None
    assert before - timedelta(seconds=1) <= time <= datetime.now(UTC)
    assert line == {
        "event": "run_finished",
        "logger": "gmv.worker",
        "level": "info",
        "records": 3,
        "stage_seconds": {"decode": 0.5},
    }


@pytest.mark.parametrize("name", LIBRARIES)
def test_a_librarys_line_looks_like_ours(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    configure("json", "info")

    logging.getLogger(name).warning("joined %s", "the group", extra={"generation": 7})
    logging.getLogger(name).info("connected")

    (line,) = lines(capsys)
    assert line.pop("time")
    assert line == {"event": "joined the group", "logger": name, "level": "warning", "generation": 7}


@pytest.mark.parametrize(("log_level", "heard"), [("debug", ["away"]), ("info", []), ("error", [])])
def test_kafka_python_is_heard_only_by_those_who_debug(
    log_level: str, heard: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    configure("json", log_level)

    logging.getLogger("kafka.net.connection").error("away")
    logging.getLogger("kafka.net.connection").info("connected")

    assert [line["event"] for line in lines(capsys)] == heard


@pytest.mark.parametrize("log_level", ["debug", "info"])
def test_a_library_that_repeats_itself_is_limited_and_counted_unless_somebody_debugs(
    log_level: str, capsys: pytest.CaptureFixture[str]
) -> None:
    configure("json", log_level)
    for number in range(100):
        logging.getLogger("redis.connection").error("try %d failed", number)
        structlog.get_logger("gmv.worker").warning("commit_refused", partition=number)
    say_held_back()

    written = lines(capsys)
    told = [(line["event"], line.get("more_like_this")) for line in written if line["logger"] == "redis.connection"]
    if log_level == "debug":
        assert told == [(f"try {number} failed", None) for number in range(100)]
    else:
        assert told == [("try 0 failed", None), ("try 99 failed", 98)]
    assert len([line for line in written if line["event"] == "commit_refused"]) == 100


def test_libraries_are_never_louder_than_ourselves(capsys: pytest.CaptureFixture[str]) -> None:
    configure("json", "error")

    logging.getLogger("aiokafka.conn").warning("connected")
    structlog.get_logger("gmv.worker").warning("commit_refused")

    assert lines(capsys) == []


@pytest.mark.parametrize("log_level", ["debug", "info", "warning", "error"])
def test_levels_below_the_chosen_one_are_silent(log_level: str, capsys: pytest.CaptureFixture[str]) -> None:
    configure("json", log_level)
    levels = ["debug", "info", "warning", "error"]

    for level in levels:
        getattr(structlog.get_logger("gmv.worker"), level)("told")

    assert [line["level"] for line in lines(capsys)] == levels[levels.index(log_level) :]


def test_an_exception_stays_on_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    configure("json", "info")
    try:
        int("redis://gmv:hunter2@host")
    except ValueError:
        structlog.get_logger("gmv.worker").exception("worker_failed")
        logging.getLogger("faust.app").exception("crashed")

    for line in lines(capsys):
        assert "ValueError: invalid literal for int() with base 10: 'redis://gmv:***@host" in str(line["exception"])


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_secrets_are_blotted_out_in_either_format(log_format: str, capsys: pytest.CaptureFixture[str]) -> None:
    configure(log_format, "info")  # type: ignore[arg-type]
    ledger = {"url": "redis://gmv:hunter2@host", "password": "hunter2", "password_file": "/run/secrets/redis"}

    structlog.get_logger("gmv.worker").info("worker_started", settings={"ledger": ledger}, urls=[ledger["url"]])
    logging.getLogger("aiokafka").warning("cannot reach %s", ledger["url"])

    told = capsys.readouterr().out
    assert "hunter2" not in told
    assert "/run/secrets/redis" in told
    assert told.count("redis://gmv:***@host") == 3


@given(
    secret=st.text(min_size=1).map("hunter2".__add__),
    name=st.sampled_from(["password", "PASSWORD", "redis_password", "client_secret", "sasl_credentials"]),
)
def test_a_field_with_a_secret_name_is_blotted_out_at_any_depth(secret: str, name: str) -> None:
    line = {"event": "e", "deep": [{"deeper": {name: secret}}], name: secret}

    blotted = blot_out_secrets(None, "info", line)

    assert blotted == {"event": "e", "deep": [{"deeper": {name: "***"}}], name: "***"}


def test_console_lines_have_no_colours_in_a_file(capsys: pytest.CaptureFixture[str]) -> None:
    configure("console", "info")

    structlog.get_logger("gmv.worker").info("run_finished", records=3)

    told = capsys.readouterr().out
    assert "run_finished" in told
    assert "records=3" in told
    assert "\x1b" not in told


def test_lines_may_go_to_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    configure("json", "info", stream="stderr")

    structlog.get_logger("gmv.worker").info("run_finished")

    told = capsys.readouterr()
    assert told.out == ""
    assert orjson.loads(told.err)["event"] == "run_finished"


def test_a_line_that_cannot_be_written_is_not_told_elsewhere(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Broken:
        def isatty(self) -> bool:
            return False

        def write(self, _: str) -> None:
            raise BrokenPipeError

        def flush(self) -> None:
            raise BrokenPipeError

    monkeypatch.setattr(sys, "stdout", Broken())
    configure("json", "info")
    structlog.get_logger("gmv.worker").info("worker_started", password="hunter2")

    assert capsys.readouterr().err == ""


HOSTILE = "caf\udce9 \x1b[2J\x9b \u202egnp"


def test_a_line_of_text_that_is_not_utf8_is_written_all_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    configure("json", "info")
    structlog.get_logger("gmv").info("opened", file=HOSTILE, path=Path(HOSTILE), parts=[HOSTILE, {"deep": HOSTILE}])
    logging.getLogger("library").warning("lost %s", HOSTILE)
    printed = capsys.readouterr().out
    assert not set(printed) & set("\x1b\x9b\u202e")
    opened, lost = map(orjson.loads, printed.splitlines())
    shown = HOSTILE.replace("\udce9", "\\xe9")
    assert (opened["file"], opened["path"], opened["parts"]) == (shown, shown, [shown, {"deep": shown}])
    assert lost["event"] == f"lost {shown}"


def test_a_person_sees_it_escaped_and_a_traceback_in_its_lines(capsys: pytest.CaptureFixture[str]) -> None:
    configure("console", "info")
    try:
        int(HOSTILE)
    except ValueError:
        structlog.get_logger("gmv").exception("failed", file=f"{HOSTILE}\nforged")
    printed = capsys.readouterr().out
    assert not set(printed) & set("\x1b\x9b\u202e\udce9")
    assert "caf\\xe9 \\x1b[2J\\x9b \\u202egnp\\nforged" in printed.replace("\\\\", "\\")  # what is not a word it quotes
    assert printed.count("\n") >= 4
