"""Statements and the events behind them, by the commands that people run."""

import csv
import re
from pathlib import Path
from typing import Any

import orjson
import pyarrow.parquet as parquet
import pytest

from gmv.statements.period import When
from gmv.statements.rows import COLUMNS
from tests.cli.command import gmv, gmv_json, refused
from tests.statements.world import Event, World, json_lines, paying

OCTOBER = ("--from", "2026-10-01", "--to", "2026-11-01")


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Ada earns in September, October and November, and of a receipt without a time; some of it with Ben."""
    world = World(tmp_path)
    world.commit([paying(time="2026-09-30T23:59:59Z"), Event({"ada": 250_000, "ben": 750_000}, _at("2026-10-01"))])
    world.commit([paying("ben", **_at("2026-10-05")), paying(micros=999_999, **_at("2026-10-31"))], orphans=1, copies=2)
    world.commit([paying(micros=3, time="2026-11-01T00:00:00Z"), paying(micros=5)])
    return world


def _at(day: str) -> dict[str, Any]:
    evidence = {"reliable": day == "2026-10-01", "p": 0.25}
    return {"time": f"{day}T12:00:00Z", "model": f"m-{day}", "metadata": {"name": f"{day}.png"}, "evidence": evidence}


def receipts(world: World) -> tuple[str, Path]:
    return "--receipts", world.receipts


class TestStatement:
    def test_of_a_month(self, world: World) -> None:
        found = gmv_json(world.settings, "credits", "statement", "--owner", "ada", *OCTOBER, *receipts(world))
        assert (found["owner_id"], found["since"], found["until"]) == (
            *("ada", "2026-10-01T00:00:00Z", "2026-11-01T00:00:00Z"),
        )
        assert found["total"] == {
            "label": None,
            "events": 2,
            "event_micros": 1_249_999,
            "corrections": 0,
            "correction_micros": 0,
            "credit_micros": 1_249_999,
            "judged_events": 2,
            "unreliable_events": 1,
        }
        assert (found["opening_micros"], found["later_micros"]) == (1_000_000, 3)
        assert (found["without_time"]["events"], found["without_time"]["credit_micros"]) == (1, 5)
        assert found["ledger_micros"] == 1_000_000 + 1_249_999 + 3 + 5
        assert found["works"] == [
            {"image_id": "ada-0", "events": 1, "credit_micros": 999_999},
            {"image_id": "ada-1", "events": 1, "credit_micros": 250_000},
        ]
        assert found["lines_passed_over"] == []

    def test_receipts_beside_the_ledger_are_found(self, world: World) -> None:
        named = gmv_json(world.settings, "credits", "statement", "--owner", "ben", *receipts(world))
        assert gmv_json(world.settings, "credits", "statement", "--owner", "ben") == named

    @pytest.mark.parametrize(
        ("by", "labels"),
        [("month", ["2026-09", "2026-10", "2026-11", None]), ("model", ["m-2026-10-01", "m-2026-10-31", None])],
    )
    def test_by_month_and_by_model(self, world: World, by: str, labels: list[str]) -> None:
        found = gmv_json(world.settings, "credits", "statement", "--owner", "ada", "--by", by)
        assert [line["label"] for line in found["lines"]] == labels
        assert sum(line["credit_micros"] for line in found["lines"]) == found["total"]["credit_micros"]

    def test_for_people(self, world: World) -> None:
        done = gmv(world.settings, "credits", "statement", "--owner", "ada", *OCTOBER, "--by", "model")
        rows = [line.split() for line in done.stdout.splitlines()]
        assert done.stdout.startswith(
            "ada, from 2026-10-01 to before 2026-11-01 (UTC): 1.249999 credits for 2 events\n"
        )
        assert ["total", "2", "1.249999", "0", "0.000000", "1.249999", "50.0%"] in rows
        assert ["in", "the", "ledger", "2.250007"] in rows
        assert "1 event and 0 corrections tell no time" in done.stdout

    @pytest.mark.parametrize("ending", ["csv", "json", "parquet"])
    def test_of_all_owners_in_a_file(self, world: World, tmp_path: Path, ending: str) -> None:
        out = tmp_path / f"october.{ending}"
        written = gmv_json(world.settings, "credits", "statement", "--out", out, *OCTOBER)
        assert (written["owners"], written["credit_micros"], written["without_time_micros"]) == (2, 2_999_999, 5)
        match ending:
            case "csv":
                rows = list(csv.DictReader(out.read_text().splitlines()))
            case "json":
                rows = orjson.loads(out.read_bytes())
            case _:
                rows = parquet.read_table(out).to_pylist()
        assert len(rows) == written["rows"] == 5
        sums = {owner: sum(int(r["credit_micros"]) for r in rows if r["owner_id"] == owner) for owner in ("ada", "ben")}
        assert sums == {"ada": 2_250_007, "ben": 1_750_000}

    def test_corrections_are_in_it_by_the_time_of_their_line(self, world: World, tmp_path: Path) -> None:
        line = {"from_owner": "ada", "to_owner": "ben", "micros": 7, "reason": "mistaken"}
        (tmp_path / "fixes.jsonl").write_bytes(
            json_lines({"id": "c1", "time": "2026-10-09T00:00:00Z", **line}, {"id": "c2", **line})
        )
        gmv_json(world.settings, "ledger", "correct", "--file", tmp_path / "fixes.jsonl")
        found = gmv_json(world.settings, "credits", "statement", "--owner", "ada", *OCTOBER)
        assert (found["total"]["corrections"], found["total"]["correction_micros"]) == (1, -7)
        assert (found["without_time"]["corrections"], found["without_time"]["correction_micros"]) == (1, -7)
        assert [(each["id"], each["time"], each["change_micros"]) for each in found["corrections"]] == [
            ("c1", "2026-10-09T00:00:00Z", -7),
            ("c2", None, -7),
        ]
        assert found["ledger_micros"] == 2_250_007 - 14


@pytest.mark.parametrize("command", [("credits", "statement", "--by", "model"), ("explain",)])
def test_a_long_name_of_a_model_is_shortened_for_people_alone(tmp_path: Path, command: tuple[str, ...]) -> None:
    world, name = World(tmp_path), f"{'m' * 998}-x"
    world.commit([paying(model=name)])
    shown = gmv(world.settings, *command, "--owner", "ada").stdout
    assert "mmm" in shown
    assert "m-x" in shown
    assert shown.count("m") < 200
    told = gmv_json(world.settings, *command, "--owner", "ada")
    assert name in {each.get(key) for each in told.get("lines", told.get("events")) for key in ("label", "model")}


def test_help_and_architecture_say_what_a_file_of_all_owners_holds(world: World) -> None:
    documented = (Path(__file__).parents[2] / "ARCHITECTURE.md").read_text().split("## Statements")[1].split("\n## ")[0]
    shown = gmv(world.settings, "credits", "statement", "--help").stdout
    for text in (documented, shown):
        assert {*COLUMNS, *When} <= set(re.findall(r"\w+", text))


class TestRefusals:
    @pytest.mark.parametrize("command", [("credits", "statement"), ("explain",), ("credits", "page", "--out", "pages")])
    @pytest.mark.parametrize(
        ("options", "said"),
        [
            (("--owner", "adda"), "has never been credited in this ledger; did you mean 'ada'?"),
            (("--owner", ""), "has never been credited"),
            (("--owner", "ada", "--from", "2026-11-01", "--to", "2026-10-01"), "is not before --to"),
            (("--owner", "ada", "--from", "1 October"), "--from '1 October' is no date"),
            (("--owner", "ada", "--to", "2026-10-32"), "--to '2026-10-32' is no date"),
            (("--owner", "ada", "--timezone", "Mars"), "--timezone 'Mars' is none"),
        ],
    )
    def test_options(
        self,
        world: World,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        command: tuple[str, ...],
        options: tuple[str, ...],
        said: str,
    ) -> None:
        monkeypatch.chdir(tmp_path)
        assert said in refused(world.settings, 2, *command, *options)
        assert not (tmp_path / "pages").exists()

    @pytest.mark.parametrize("options", [(), ("--owner", "ada", "--out", "x.csv"), ("--out", "x.txt"), ("--out", "x")])
    def test_of_whom_and_where(self, world: World, options: tuple[str, ...]) -> None:
        assert refused(world.settings, 2, "credits", "statement", *options)

    @pytest.mark.parametrize("least", ["much", "", "1,5", "NaN", "-1", "1e999999999", "9" * 40])
    def test_least(self, world: World, least: str) -> None:
        said = refused(world.settings, 2, "explain", "--owner", "ada", "--least", least)
        assert "is no number of credits" in said

    def test_receipts_of_another_ledger(self, world: World, tmp_path: Path) -> None:
        (tmp_path / "other").mkdir()
        other = World(tmp_path / "other")
        other.commit([paying()])
        said = refused(world.settings, 13, "credits", "statement", "--owner", "ada", *receipts(other))
        assert "none of these receipts is of this ledger" in said

    def test_a_torn_line(self, world: World) -> None:
        with world.receipts.open("ab") as file:
            file.write(b'{"batch":"00')
        found = gmv_json(world.settings, "credits", "statement", "--owner", "ada")
        assert found["lines_passed_over"] == [f"{world.receipts}:11"]
        whole = world.receipts.read_bytes()
        world.receipts.write_bytes(whole.replace(b'"id":"e1"', b'"id:"e1"', 1))
        said = refused(world.settings, 40, "credits", "statement", "--owner", "ada")
        assert f"(1 of 2, {world.receipts}:1)" in said
        torn = [f"{world.receipts}:{number}" for number in (2, 11)]
        assert f"{', '.join(torn)} are no whole receipts" in said
        assert gmv_json(world.settings, "explain", "e0")["lines_passed_over"] == torn
        assert f"no whole receipt: {', '.join(torn)}" in gmv(world.settings, "explain", "e0").stdout

    @pytest.mark.parametrize("command", [("credits", "statement", "--owner", "ada"), ("explain", "e0")])
    def test_no_receipts_are_found(self, world: World, command: tuple[str, ...]) -> None:
        world.receipts.unlink()
        said = refused(world.settings, 13, *command)
        assert f"(events.receipts.jsonl) are not in {world.receipts.parent} or this folder; name one by" in said

    def test_receipts_that_are_named_are_not_there(self, world: World) -> None:
        world.receipts.unlink()
        assert refused(world.settings, 13, "explain", "--owner", "ada", "--receipts", world.receipts)


class TestExplainOwner:
    def test_the_newest_come_first_and_those_without_a_time_last(self, world: World) -> None:
        found = gmv_json(world.settings, "explain", "--owner", "ada")
        assert [(each["id"], each["time"], each["credit_micros"]) for each in found["events"]] == [
            ("e4", "2026-11-01T00:00:00Z", 3),
            ("e3", "2026-10-31T12:00:00Z", 999_999),
            ("e1", "2026-10-01T12:00:00Z", 250_000),
            ("e0", "2026-09-30T23:59:59Z", 1_000_000),
            ("e5", None, 5),
        ]
        assert (found["events_found"], found["credit_micros"]) == (5, 2_250_007)

    def test_an_event(self, world: World) -> None:
        (event,) = gmv_json(world.settings, "explain", "--owner", "ada", "--image", "ada-1", *OCTOBER)["events"]
        assert event == {
            "source": "/s",
            "id": "e1",
            "time": "2026-10-01T12:00:00Z",
            "model": "m-2026-10-01",
            "picture": "2026-10-01.png",
            "credit_micros": 250_000,
            "event_micros": 1_000_000,
            "images": [
                {"image_id": "ada-1", "distance": 0.5, "mirrored": False, "share": 0.25, "credit_micros": 250_000}
            ],
            "others": 1,
            "evidence": {"p": 0.25, "flat": False, "reliable": True},
            "topic": "events.jsonl",
            "partition": 0,
            "offset": 1,
            "index": "index-1",
            "settings": "settings-1",
            "temperature": 0.25,
        }

    @pytest.mark.parametrize(
        ("options", "events"),
        [
            (OCTOBER, ["e3", "e1"]),
            (("--to", "2026-10-01"), ["e0"]),
            (("--least", "0.25"), ["e3", "e1", "e0"]),
            (("--least", "0.2500001"), ["e3", "e0"]),
            (("--least", "1"), ["e0"]),
            (("--image", "ada-0"), ["e4", "e3"]),
            (("--limit", "1"), ["e4"]),
        ],
    )
    def test_filters(self, world: World, options: tuple[str, ...], events: list[str]) -> None:
        found = gmv_json(world.settings, "explain", "--owner", "ada", *options)
        assert [each["id"] for each in found["events"]] == events

    def test_for_people(self, world: World) -> None:
        done = gmv(world.settings, "explain", "--owner", "ada", *OCTOBER, "--limit", 1)
        assert done.stdout.startswith("2 events paid ada 1.249999 credits, from 2026-10-01")
        assert "the newest 1 of them below" in done.stdout
        assert "unreliable" in done.stdout

    def test_one_event_is_no_events(self, world: World) -> None:
        asked = ("--owner", "ada", "--from", "2026-11-01")
        assert gmv(world.settings, "explain", *asked).stdout.startswith("1 event paid ada 0.000003 credits,")
        assert "0.000003 credits for 1 event\n" in gmv(world.settings, "credits", "statement", *asked).stdout

    def test_what_was_asked_for_is_named_in_the_answer(self, world: World) -> None:
        asked = ("explain", "--owner", "ada", "--image", "ada-0", "--least", "0.25")
        said = gmv(world.settings, *asked, "--to", "2026-11-01").stdout
        assert said.startswith(
            "1 event paid ada 0.999999 credits, up to before 2026-11-01 (UTC), of events that credit training image "
            "ada-0 and that pay at least 0.250000 credits\n"
        )

    def test_corrections_are_told_of_whenever_they_were(self, world: World, tmp_path: Path) -> None:
        assert "corrections" not in gmv(world.settings, "explain", "--owner", "ada").stdout
        line = {"from_owner": "ada", "to_owner": "ben", "micros": 7, "reason": "mistaken"}
        (tmp_path / "fixes.jsonl").write_bytes(json_lines({"id": "c1", **line}, {"id": "c2", **line}))
        gmv_json(world.settings, "ledger", "correct", "--file", tmp_path / "fixes.jsonl")
        found = gmv_json(world.settings, "explain", "--owner", "ada", *OCTOBER)
        assert (found["credit_micros"], found["corrections"], found["correction_micros"]) == (1_249_999, 2, -14)
        said = gmv(world.settings, "explain", "--owner", "ben", *OCTOBER).stdout
        assert (
            "corrections are not in that: 2 corrections changed what ben has by 0.000014 credits at all times" in said
        )

    @pytest.mark.parametrize(
        "options",
        [
            *[("e1", *option) for option in (("--from", "2030-01-01"), ("--to", "2030-01-01"), ("--timezone", "UTC"))],
            *[("e1", *option) for option in (("--image", "zzz"), ("--least", "5"), ("--limit", "20"))],
            *[("--owner", "ada", *option) for option in (("--source", "/s"), ("--dead-letters", "d.jsonl"))],
        ],
    )
    def test_options_that_would_be_passed_over_are_refused(self, world: World, options: tuple[str, ...]) -> None:
        assert f"{options[-2]} is about " in refused(world.settings, 2, "explain", *options)

    def test_nothing_found(self, world: World) -> None:
        done = gmv(world.settings, "explain", "--owner", "ada", "--image", "of nobody", "--json")
        assert (done.returncode, orjson.loads(done.stdout)["events"]) == (1, [])

    @pytest.mark.parametrize("arguments", [(), ("e1", "--owner", "ada")])
    def test_an_event_or_an_owner_has_to_be_named(self, world: World, arguments: tuple[str, ...]) -> None:
        done = gmv(world.settings, "explain", *arguments)
        assert done.returncode == 2
        assert "--owner" in done.stderr
