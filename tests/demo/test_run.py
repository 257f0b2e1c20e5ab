"""The whole demo, run as a newcomer runs it, on a corpus of 313 images."""

import os
import shutil
import signal
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import orjson
import pyarrow.parquet as pq
import pytest

from gmv.demo.folder import DemoFolder
from gmv.errors import LedgerMissing
from gmv.files.receipts import receipts_in
from gmv.ledger.open import open_accounts
from gmv.operations.verifying import committed_receipts
from gmv.settings import LedgerSettings
from tests.services.browser import dump_dom
from tests.services.server import mortal, wait_for

pytestmark = pytest.mark.slow

CORPUS = Path(__file__).parents[2] / "worker" / "gmv" / "demo" / "corpus.parquet"
EVENTS = 60
SHORT_RUNS = {"GMV_KAFKA_RUN_RECORDS_MAX": "4"}


class Demo(NamedTuple):
    corpus: Path
    folder: DemoFolder
    told: dict[str, Any]


def command(corpus: Path, folder: DemoFolder, *flags: str) -> list[str]:
    options = ["--corpus", str(corpus), "--out", str(folder.root), "--events", str(EVENTS), *flags]
    return [sys.executable, "-m", "gmv", "demo", *options]


def run_json(corpus: Path, folder: DemoFolder) -> dict[str, Any]:
    done = subprocess.run(command(corpus, folder, "--json"), capture_output=True, text=True, check=True)
    told: dict[str, Any] = orjson.loads(done.stdout)
    return told


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    place = tmp_path_factory.mktemp("demo")
    table = pq.read_table(CORPUS)
    pq.write_table(table.take(list(range(0, len(table), 16))), place / "small.parquet")
    folder = DemoFolder(place / "made")
    return Demo(place / "small.parquet", folder, run_json(place / "small.parquet", folder))


def totals_in(folder: DemoFolder) -> dict[str, int]:
    with closing(open_accounts(LedgerSettings(url=folder.ledger_url))) as accounts:
        return {balance.owner_id: balance.micros for balance in accounts.balances()}


def lines_done(folder: DemoFolder) -> int:
    try:
        with closing(open_accounts(LedgerSettings(url=folder.ledger_url))) as accounts:
            return sum(position.next_offset for position in accounts.positions().values())
    except LedgerMissing:
        return 0


def told_by_receipts(folder: DemoFolder) -> dict[str, list[Any]]:
    with closing(open_accounts(LedgerSettings(url=folder.ledger_url))) as accounts:
        receipts = list(committed_receipts(accounts, lambda: receipts_in(folder.receipts)))
    return {receipt["event"]["id"]: receipt["contributors"] for receipt in receipts}


def test_every_event_is_credited_refused_or_repeated_and_every_credit_conserved(demo: Demo) -> None:
    told = demo.told
    assert (told["credited"], told["dead_letters"], told["duplicates"]) == (EVENTS, 3, 1)
    assert told["events"] == EVENTS + 4
    assert told["dead_letters_by_reason"] == {"malformed_json": 1, "invalid_event": 1, "image_corrupt": 1}
    assert told["credit_micros"] == EVENTS * 1_000_000 == sum(totals_in(demo.folder).values())
    assert told["conserved"] is True
    assert told["owners"] == len(totals_in(demo.folder))


def test_the_hit_rate_is_what_receipts_and_sources_say_and_far_above_chance(demo: Demo) -> None:
    sources = orjson.loads(demo.folder.sources.read_bytes())
    credited = told_by_receipts(demo.folder)
    remixes = {event_id: image_ids for event_id, image_ids in sources.items() if len(image_ids) > 1}
    hits = [
        image_id in {entry["image_id"] for entry in credited[event_id]}
        for event_id, image_ids in remixes.items()
        for image_id in image_ids
    ]
    assert demo.told["source_hit_rate"] == pytest.approx(sum(hits) / len(hits))
    assert demo.told["source_hit_rate_by_chance"] == pytest.approx(10 / demo.told["training_images"])
    assert demo.told["credit_on_sources"] > 50 * demo.told["credit_on_sources_by_chance"]
    assert demo.told["source_hit_rate"] > 10 * demo.told["source_hit_rate_by_chance"]


def test_credit_on_true_owners_and_sources_is_what_receipts_and_corpus_say(demo: Demo) -> None:
    table = pq.read_table(demo.corpus, columns=["image_id", "owner_id"]).to_pydict()
    owner_of = dict(zip(table["image_id"], table["owner_id"], strict=True))
    sources = orjson.loads(demo.folder.sources.read_bytes())
    credited = told_by_receipts(demo.folder)
    for told, of_kind in [
        (demo.told, lambda count: count > 1),
        (demo.told["altered_copies"], lambda count: count == 1),
    ]:
        known = {event_id: image_ids for event_id, image_ids in sources.items() if of_kind(len(image_ids))}
        on_sources = on_owners = chance = 0.0
        for event_id, image_ids in known.items():
            owners = {owner_of[image_id] for image_id in image_ids}
            on_sources += sum(each["micros"] for each in credited[event_id] if each["image_id"] in image_ids)
            on_owners += sum(each["micros"] for each in credited[event_id] if each["owner_id"] in owners)
            chance += sum(owner in owners for owner in owner_of.values()) / len(owner_of)
        assert told["credit_on_true_sources"] == pytest.approx(on_sources / 1e6 / len(known))
        assert told["credit_on_true_owners"] == pytest.approx(on_owners / 1e6 / len(known))
        assert told["chance"]["owners"] == pytest.approx(chance / len(known))
        assert told["credit_on_true_owners"] > 2 * told["chance"]["owners"]
        assert 1 <= told["effective_contributors"] <= 10
    assert demo.told["credit_on_true_sources"] == demo.told["credit_on_sources"] >= 0.5
    assert demo.told["altered_copies"]["credit_on_true_sources"] >= 0.9
    assert demo.told["altered_copies"]["events"] == EVENTS // 5
    manifest = orjson.loads((demo.folder.index / "manifest.json").read_bytes())
    assert demo.told["temperature"] == manifest["defaults"]["temperature"]


def test_everything_is_where_it_is_said_to_be(demo: Demo) -> None:
    paths = [value for name, value in demo.told.items() if name.endswith("_path")]
    assert len(paths) == 6
    assert all(Path(path).exists() for path in paths)


def test_a_second_run_changes_nothing(demo: Demo) -> None:
    kept = {path: path.read_bytes() for path in (demo.folder.events, demo.folder.receipts, demo.folder.dead_letters)}
    totals = totals_in(demo.folder)
    again = run_json(demo.corpus, demo.folder)
    assert again["credited_now"] == 0
    assert {**again, "seconds": 0, "credited_now": 0} == {**demo.told, "seconds": 0, "credited_now": 0}
    assert totals_in(demo.folder) == totals
    assert {path: path.read_bytes() for path in kept} == kept


@pytest.mark.exhaustive  # in short: processes that crash over real ledgers
def test_killed_in_the_middle_it_goes_on_to_the_same_totals_and_tells_people_so(demo: Demo, tmp_path: Path) -> None:
    folder = DemoFolder(tmp_path / "killed")
    shutil.copytree(demo.folder.root, folder.root)
    for made in (folder.ledger, folder.receipts, folder.dead_letters, folder.report):
        made.unlink()
    started = mortal(command(demo.corpus, folder))
    process = subprocess.Popen(started, env=os.environ | SHORT_RUNS, stdout=subprocess.DEVNULL)
    wait_for(lambda: lines_done(folder) or process.poll() is not None, 120, "the first commit")
    process.kill()
    assert process.wait() == -signal.SIGKILL
    assert 0 < lines_done(folder) < EVENTS + 4

    done = subprocess.run(
        command(demo.corpus, folder), env=os.environ | SHORT_RUNS, capture_output=True, text=True, check=True
    )

    totals = totals_in(folder)
    assert totals == totals_in(demo.folder)
    assert told_by_receipts(folder) == told_by_receipts(demo.folder)
    assert done.stderr == ""
    richest = max(totals, key=lambda owner: totals[owner])
    for wanted in ("Index", "Events", "Credits", "Check", "Report", richest, "conserved", str(folder.report)):
        assert wanted in done.stdout


@pytest.mark.servers
def test_the_report_opens_in_a_browser(demo: Demo) -> None:
    page = dump_dom(demo.folder.report)
    richest = max(totals_in(demo.folder).items(), key=lambda pair: pair[1])[0]
    assert f'<th scope="row">{richest}</th>' in page
    assert page.count('<article class="event">') == 12
    assert f"{EVENTS * 1_000_000:,} micro-credits in {EVENTS} receipts" in page


@pytest.mark.exhaustive  # in short: two workers credit what the oracle says
@pytest.mark.servers
def test_over_kafka_and_redis_the_same_events_give_the_same_totals(demo: Demo) -> None:
    root = Path(__file__).parents[2]
    story = [sys.executable, "-m", "examples.demo_kafka", str(demo.folder.root)]
    done = subprocess.run(mortal(story), cwd=root, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"All {demo.told['owners']} owners have in Redis, to the micro-credit" in done.stdout
    assert "exit codes: 0, 0" in done.stdout
    assert 'gmv_events_total{outcome="credited"}' in done.stdout
