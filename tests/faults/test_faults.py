"""The fault suite itself, without its servers: it has a scenario for each fault, and an oracle that does not nod."""

import random
from collections import Counter

from typer.testing import CliRunner

from tests.faults.__main__ import app
from tests.faults.corpus import event_of, owed_for
from tests.faults.oracle import Logged, Totals, expect
from tests.faults.scenario import SCENARIOS, Outcome, Row
from tests.faults.table import as_markdown

FAULTS = 30


def logged(*values: bytes | None, partition: int = 0) -> list[Logged]:
    return [Logged(partition, offset, b"key", value, ()) for offset, value in enumerate(values)]


def test_each_fault_has_a_scenario() -> None:
    assert {each.number for each in SCENARIOS} == set(range(1, FAULTS + 1))
    assert len({each.name for each in SCENARIOS}) == len(SCENARIOS)
    listed = CliRunner().invoke(app, ["--list"])
    assert listed.exit_code == 0
    assert all(each.name in listed.output for each in SCENARIOS)


def test_the_oracle_credits_each_event_once_and_knows_poison_from_repeats() -> None:
    first, other = event_of("1/3/1.0"), event_of("2/4/0.5")
    conflict = event_of("1/5/1.0").replace(b'"1/5/1.0"', b'"1/3/1.0"')
    records = logged(first, b"{broken", first, conflict, None, other, first)
    found = expect(records, {0: 6})
    assert found.credited == {"1/3/1.0": [(0, 0), (0, 2)], "2/4/0.5": [(0, 5)]}
    assert (found.dead, found.repeats) == ({(0, 1), (0, 3), (0, 4)}, 1)
    assert found.totals == owed_for("1/3/1.0") + owed_for("2/4/0.5")
    assert found.totals.total() == 1_500_000


def test_totals_at_any_position_are_those_of_one_pass_up_to_it() -> None:
    chance = random.Random(1)
    ids = [f"{chance.randrange(20)}/1/1.0" for _ in range(60)]
    records = logged(*(event_of(each) for each in ids))
    totals = Totals(records)
    for position in range(len(records) + 1):
        assert totals.at({0: position}) == expect(records, {0: position}).totals


def test_a_violation_is_in_the_table_with_what_plays_it_again() -> None:
    row = Row(SCENARIOS[0])
    row.add(7, Outcome([], [1.0, 3.0]))
    row.add(8, Outcome(["I2: one micro-credit"], [2.0], kills=2))
    table = as_markdown([row])
    assert "| 2 | 2 | 1 | 2.0 / 3.0 |" in table
    assert f"--only {row.scenario.name} --runs 1 --seed 8" in table
    assert "I2: one micro-credit" in table
    assert Counter(row.seeds) == Counter([7, 8])
