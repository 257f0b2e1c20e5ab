import os
import re
import string
import subprocess
import sys
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from gmv.errors import InvalidSettings
from gmv.settings import IN_WORDS, Settings, load, redact

TOML = "gmv.toml"
NAMES = st.text(string.ascii_lowercase, min_size=1, max_size=8)
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "index": NAMES.map(Path),
    "images.schemes": st.lists(NAMES, min_size=1, max_size=3).map(tuple),
    "valuation.temperature": st.floats(1e-3, 1e3),
    "ledger.url": NAMES.map("sqlite:///{}".format),
    "kafka.run_records_max": st.integers(1, 1_500),
    "worker.log_format": st.sampled_from(["json", "console"]),
}
SOURCES = ("file", "environment", "flags")  # from the weakest to the strongest


def leaves(settings: Settings) -> dict[str, Any]:
    found = {}
    for name, value in settings:
        if name == "index":
            found[name] = value
        else:
            found |= {f"{name}.{inner}": leaf for inner, leaf in value}
    return found


def as_text(value: Any) -> str:
    return ",".join(value) if isinstance(value, tuple) else str(value)


def as_toml(values: dict[str, Any]) -> str:
    lines = sorted(values, key=lambda name: name.count("."))  # top level first, or it would belong to a table
    plain = {name: str(value) if isinstance(value, Path) else value for name, value in values.items()}
    return "".join(f"{name} = {orjson.dumps(plain[name]).decode()}\n" for name in lines)


def variable(name: str) -> str:
    return "GMV_" + name.upper().replace(".", "_")


@given(said=st.fixed_dictionaries({s: st.fixed_dictionaries({}, optional=VALUES) for s in SOURCES}))
def test_the_strongest_source_that_says_anything_wins(
    said: dict[str, dict[str, Any]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    config = tmp_path_factory.getbasetemp() / TOML
    config.write_text(as_toml(said["file"]))
    expected = leaves(Settings())
    for source in SOURCES:
        expected |= said[source]

    environment = {variable(name): as_text(value) for name, value in said["environment"].items()}
    settings = load(config, said["flags"], environment)

    assert leaves(settings) == expected


@pytest.mark.parametrize("name", leaves(Settings()))
def test_every_setting_has_its_variable(name: str) -> None:
    default = leaves(Settings())[name]
    unset = {"valuation.temperature": "0.5", "valuation.candidates": "7", "valuation.evidence": "0.05"}.get(name, "x1")
    given_value = unset if default is None else as_text(default)

    assert as_text(leaves(load(environment={variable(name): given_value}))[name]) == given_value


def test_flags_that_were_not_given_and_empty_variables_set_nothing() -> None:
    assert load(flags={"index": None, "ledger.url": None}, environment={"GMV_INDEX": "", "PATH": "/bin"}) == Settings()


def test_a_variable_may_name_the_file_and_a_flag_overrules_it(tmp_path: Path) -> None:
    named, given_file = tmp_path / "named.toml", tmp_path / "given.toml"
    named.write_text("kafka.topic = 'named'")
    given_file.write_text("kafka.topic = 'given'")

    assert load(environment={"GMV_CONFIG": str(named)}).kafka.topic == "named"
    assert load(given_file, environment={"GMV_CONFIG": str(named)}).kafka.topic == "given"


def test_the_process_environment_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GMV_KAFKA_TOPIC", "from-the-process")

    assert load().kafka.topic == "from-the-process"


def test_settings_are_frozen() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        load(environment={}).kafka.topic = "other"  # type: ignore[misc]


@pytest.mark.parametrize(
    ("toml", "environment", "flags", "sentence"),
    [
        (
            "[ledger]\nretry_seconds = 0",
            {},
            {},
            "the file {file} sets ledger.retry_seconds to 0: it should be greater than 0",
        ),
        (
            "",
            {"GMV_WORKER_THREADS": "many"},
            {},
            (
                "the environment variable GMV_WORKER_THREADS sets worker.threads to 'many': "
                "it should be a valid integer, unable to parse string as an integer"
            ),
        ),
        (
            "kafka.topic = 'fine'",
            {"GMV_KAFKA_TOPIC": "fine-too"},
            {"kafka.topic": "not fine"},
            (
                "the command line sets kafka.topic to 'not fine': "
                "it should be letters from a to z, digits, dots, underscores and dashes, at least one and no other sign"
            ),
        ),
        (
            "",
            {"GMV_LEDGER_NAMESPACE": "Ours"},
            {},
            (
                "the environment variable GMV_LEDGER_NAMESPACE sets ledger.namespace to 'Ours': "
                "it should be lower-case letters from a to z, digits and dashes, at least one and no other sign"
            ),
        ),
        (
            "[worker]\nlog_format = 'xml'",
            {"GMV_WORKER_LOG_FORMAT": ""},
            {},
            "the file {file} sets worker.log_format to 'xml': it should be 'json' or 'console'",
        ),
        ("ledger = 'x'", {}, {}, "the file {file} sets ledger to 'x': it should be a table"),
        (
            "[ledger]\npasswrd_file = 'x'",
            {},
            {},
            "the file {file} sets ledger.passwrd_file, which is no setting of gmv (did you mean ledger.password_file?)",
        ),
        ("[zzz]\nqqq = 1", {}, {}, "the file {file} sets zzz, which is no setting of gmv"),
        (
            "",
            {},
            {"ledger.ulr": "x"},
            "the command line sets ledger.ulr, which is no setting of gmv (did you mean ledger.url?)",
        ),
        (
            "",
            {"GMV_LEDGER_ULR": "x"},
            {},
            "the environment variable GMV_LEDGER_ULR sets nothing (did you mean GMV_LEDGER_URL?)",
        ),
        ("", {"GMV_QQQ": "x"}, {}, "the environment variable GMV_QQQ sets nothing"),
        (
            "",
            {"GMV_LEDGER": "{}"},
            {},
            "the environment variable GMV_LEDGER sets nothing (did you mean GMV_LEDGER_URL?)",
        ),
        (
            "[images]\nattempts = 11\npixels_max = 0",
            {},
            {},
            (
                "the file {file} sets images.pixels_max to 0: it should be greater than 0; "
                "the file {file} sets images.attempts to 11: it should be less than or equal to 10"
            ),
        ),
        ("]", {}, {}, "the configuration file {file} is not TOML: Invalid statement (at line 1, column 1)"),
        (None, {}, {}, "the configuration file {file} cannot be read: No such file or directory"),
        ("", {}, {"zzz.qqq": 1}, "the command line sets zzz.qqq, which is no setting of gmv"),
        (
            "",
            {"GMV_QQQ": "x"},
            {"ledger.ulr": "x"},
            (
                "the command line sets ledger.ulr, which is no setting of gmv (did you mean ledger.url?); "
                "the environment variable GMV_QQQ sets nothing"
            ),
        ),
    ],
)
def test_a_wrong_setting_is_named_with_its_value_and_where_it_came_from(
    toml: str | None, environment: dict[str, str], flags: dict[str, Any], sentence: str, tmp_path: Path
) -> None:
    file = tmp_path / TOML
    if toml is not None:
        file.write_text(toml)

    with pytest.raises(InvalidSettings) as refusal:
        load(file, flags, environment)

    assert str(refusal.value) == sentence.format(file=file)


def test_every_pattern_is_told_in_words() -> None:
    schema = orjson.dumps(Settings.model_json_schema()).decode()

    assert set(re.findall(r'"pattern":"(.*?)"', schema)) == IN_WORDS.keys()


def test_a_file_that_is_not_text_is_refused(tmp_path: Path) -> None:
    file = tmp_path / TOML
    file.write_bytes(b"\xff\xfe")

    with pytest.raises(InvalidSettings, match="is not TOML"):
        load(file, environment={})


def test_a_folder_is_no_configuration_and_not_passed_over(tmp_path: Path) -> None:
    with pytest.raises(InvalidSettings, match=f"the configuration file {tmp_path} is no regular file"):
        load(tmp_path, environment={})


@pytest.mark.parametrize(
    ("toml", "environment"),
    [
        ("[ledger]\npassword = 'hunter2'", {}),  # a key that does not exist, but looks as if it should
        ("ledger = 'redis://gmv:hunter2@host'", {}),
        ("", {"GMV_LEDGER_PASSWORD": "hunter2"}),
        ("ledger.url = ['redis://host?password=hunter2']", {}),
    ],
)
def test_a_complaint_never_tells_a_secret(toml: str, environment: dict[str, str], tmp_path: Path) -> None:
    file = tmp_path / TOML
    file.write_text(toml)

    with pytest.raises(InvalidSettings) as refusal:
        load(file, environment=environment)

    assert "hunter2" not in str(refusal.value)


@given(password=st.text(st.characters(exclude_categories=["Z", "C"]), min_size=1))
def test_passwords_in_urls_are_blotted_out_whatever_is_in_them(password: str) -> None:
    assert redact(f"redis://gmv:{password}@host:6379/0") == "redis://gmv:***@host:6379/0"


def test_a_url_without_a_password_is_left_as_it_is() -> None:
    for url in ("sqlite:///gmv-ledger.db", "redis://host:6379/0", "redis://gmv@host:6379/0"):
        assert redact(url) == url


def test_redacted_settings_are_json_and_hold_no_password() -> None:
    settings = load(environment={"GMV_LEDGER_URL": "redis://gmv:hunter2@host", "GMV_INDEX": "folder"})
    told = orjson.loads(orjson.dumps(settings.redacted()))

    assert told["ledger"]["url"] == "redis://gmv:***@host"
    assert told["index"] == "folder"
    assert told["kafka"]["run_records_max"] == Settings().kafka.run_records_max
    assert settings.ledger.url == "redis://gmv:hunter2@host"


def test_settings_are_defined_without_loading_the_library_that_merges_them() -> None:
    code = "import gmv.settings, sys; sys.exit('pydantic_settings' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], env=os.environ, check=False).returncode == 0
