"""What docs/guarantees.md names is there: tests, exit codes, settings, commands."""

import re
from pathlib import Path

import pytest

from gmv import errors
from gmv.cli import COMMANDS
from gmv.errors import CreditOutOfRange, LedgerMissing, PositionOutsideLog
from gmv.settings import Settings

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "guarantees.md").read_text(encoding="utf-8")
ROWS = [line.strip("| ").split(" | ") for line in PAGE.splitlines() if line.startswith("| ") and "tests/" in line]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_each_place_to_crash_is_tried_by_a_test_that_is_there(row: list[str]) -> None:
    assert len(row) == 4
    assert "def test_" in (ROOT / row[3].strip("`")).read_text(encoding="utf-8")


def test_the_table_is_whole() -> None:
    assert len(ROWS) >= 28


@pytest.mark.parametrize(
    ("refusal", "words"),
    [
        (LedgerMissing, "the ledger is gone"),
        (LedgerMissing, "another ledger answers"),
        (PositionOutsideLog, "the topic is deleted"),
        (PositionOutsideLog, "retention deletes"),
        (PositionOutsideLog, "the log was cut"),
        (CreditOutOfRange, "a total would pass"),
    ],
)
def test_exit_codes_are_those_of_the_refusals(refusal: type[errors.Refusal], words: str) -> None:
    (row,) = [row for row in ROWS if row[0].startswith(words)]
    assert f"stops with {refusal.exit_code}" in row[2]


def test_settings_and_commands_are_those_of_gmv() -> None:
    settings = Settings().model_dump()
    for group, name in re.findall(r"`(ledger|kafka|worker)\.([a-z_]+)`", PAGE):
        assert name in settings[group]
    for command in re.findall(r"`gmv ([a-z]+)", PAGE):
        assert command in COMMANDS
