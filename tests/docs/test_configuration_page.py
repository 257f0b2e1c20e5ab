"""docs/configuration.md is what the settings are, and says of each what it does."""

import re
from pathlib import Path
from typing import Any

import click
import pytest

from gmv import cli
from gmv.cli.options import SETTINGS_BY_FLAG, load_settings
from gmv.settings import Settings, load
from gmv.settings.all import fields_by_name
from gmv.settings.section import Unit
from tools.write_configuration import PAGE, page

FIELDS = fields_by_name()
REFERENCES = re.compile(
    r"\b(ditto|same as|see|likewise|above-mentioned|as (above|before|there)|the former)\b", re.IGNORECASE
)
NUMBERS_WITHOUT_UNIT = {"worker.web_port"}
OTHERS = {
    "valuation.temperature": 0.5,
    "valuation.candidates": 7,
    "valuation.evidence": 0.05,
    "valuation.copies": "off",
}


def leaves(settings: Settings) -> dict[str, Any]:
    """Every setting as the model itself writes it out."""
    values: dict[str, Any] = {}
    for name, value in settings.model_dump().items():
        values |= (
            {f"{name}.{inner}": leaf for inner, leaf in value.items()} if isinstance(value, dict) else {name: value}
        )
    return values


def options_of(command: click.Command) -> set[str]:
    inner = command.commands.values() if isinstance(command, click.Group) else ()
    return {option for each in command.params for option in each.opts}.union(*map(options_of, inner))


def test_the_page_is_what_the_settings_are() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run `make reference`"


def test_every_setting_has_one_row() -> None:
    rows = re.findall(r"^\| `([a-z._]+)`.*?\| `(GMV_[A-Z_]+)` \|", page(), re.MULTILINE)

    assert sorted(rows) == sorted((name, "GMV_" + name.upper().replace(".", "_")) for name in leaves(Settings()))


def test_the_example_is_a_configuration(tmp_path: Path) -> None:
    (example,) = re.findall(r"```toml\n(.*?)```", page(), re.DOTALL)
    file = tmp_path / "gmv.toml"
    file.write_text(example)

    assert load(file, environment={}).images.schemes == ("https", "s3")


@pytest.mark.parametrize("name", FIELDS)
def test_every_setting_is_described_by_sentences_of_its_own(name: str) -> None:
    description = FIELDS[name].description or ""
    others = [each.description for other, each in FIELDS.items() if other.partition(".")[0] == name.partition(".")[0]]

    assert re.fullmatch(r"[A-Z].{20,}\.", description)
    assert not REFERENCES.search(description)
    assert not any(f"`{other}`" in description for other in FIELDS)
    assert others.count(description) == 1


def test_every_number_has_a_unit_that_its_name_does_not_contradict() -> None:
    numbers = {name for name, value in leaves(Settings()).items() if type(value) in (int, float)}
    units = {name: each.name for name, field in FIELDS.items() for each in field.metadata if isinstance(each, Unit)}

    assert numbers - units.keys() == NUMBERS_WITHOUT_UNIT
    assert {name for name in units if name.endswith("_seconds")} == {name for name in units if units[name] == "seconds"}


@pytest.mark.parametrize("flag", SETTINGS_BY_FLAG)
def test_a_flag_sets_what_the_page_says(flag: str) -> None:
    name = SETTINGS_BY_FLAG[flag]
    default = leaves(Settings())[name]
    other = OTHERS.get(name, default + 1 if isinstance(default, int | float) else "other")
    options: dict[str, Any] = {flag.removeprefix("--").replace("-", "_"): other}

    assert f"`{name}`, flag `{flag}`" in page()
    assert str(leaves(load_settings(None, **options))[name]) == str(other)


def test_every_flag_is_one_of_a_command() -> None:
    assert options_of(click.Group(commands=[cli.load(name) for name in cli.COMMANDS])) >= SETTINGS_BY_FLAG.keys()
