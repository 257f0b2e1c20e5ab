"""The leaderboard: what is in it, what a reader sees when its making is cut off anywhere, and that it is made again."""

import random
import signal
import subprocess
import uuid
from collections import Counter
from contextlib import suppress
from functools import partial
from typing import Any

import pytest

from gmv.ledger.redis import leaderboard as module
from gmv.ledger.redis.keys import leaderboard_about_key, leaderboard_draft_key, leaderboard_key
from gmv.ledger.redis.leaderboard import RedisLeaderboard
from gmv.ledger.redis.server import RedisServer as Connection
from gmv.settings import LedgerSettings
from tests.cli.command import command, create, credit, environment, gmv, gmv_json, refused
from tests.ledger.servers import client
from tests.services.patience import patience
from tests.services.redis import RedisServer
from tests.services.server import mortal, wait_for

pytestmark = pytest.mark.servers


@pytest.fixture
def ledger(redis_url: str) -> LedgerSettings:
    """A ledger of three books, so that owners' totals are spread."""
    settings = LedgerSettings(url=redis_url, namespace=f"t{uuid.uuid4().hex}", retry_seconds=patience(5))
    create(settings, books=3, partitions=3)
    return settings


def shown(server: RedisServer, ledger: LedgerSettings) -> list[tuple[str, int]]:
    """What any program reads: the highest first."""
    found: Any = client(server).zrange(leaderboard_key(ledger.namespace), 0, -1, desc=True, withscores=True)
    return [(owner_id.decode(), int(score)) for owner_id, score in found]


def is_shown(server: RedisServer, ledger: LedgerSettings, totals: list[tuple[str, int]]) -> bool:
    return shown(server, ledger) == totals


def earned(totals: dict[str, int], limit: int = 1_000) -> list[tuple[str, int]]:
    return sorted(totals.items(), key=lambda each: (-each[1], each[0]))[:limit]


def test_it_holds_the_highest_totals_summed_over_the_books(redis_server: RedisServer, ledger: LedgerSettings) -> None:
    credit(ledger, {"ada": 5, "ben": 2**53 - 5_000, "画家": 7}, partition=0)
    credit(ledger, {"ada": 6, "cy": 1, "two\nlines": 3}, partition=1)
    assert gmv_json(ledger, "credits", "leaderboard", "--limit", 3) == {
        "owners": 3,
        "credit_micros": 2**53 - 5_000 + 22,
        "events_credited": 2,
    }
    assert shown(redis_server, ledger) == [("ben", 2**53 - 5_000), ("ada", 11), ("画家", 7)]


def test_random_totals_agree_with_sorting(redis_server: RedisServer, ledger: LedgerSettings, seed: int) -> None:
    chance = random.Random(seed)
    totals: Counter[str] = Counter()
    for partition in range(3):
        amounts = {f"owner-{number}": chance.randrange(10**6) for number in chance.sample(range(3_000), 1_500)}
        credit(ledger, amounts, partition)
        totals.update(amounts)
    RedisLeaderboard(ledger).make(limit=2_500)
    expected = earned(totals, 2_500)
    assert Counter(score for _, score in shown(redis_server, ledger)) == Counter(score for _, score in expected)
    assert {owner_id for owner_id, score in expected if score > expected[-1][1]} <= dict(
        shown(redis_server, ledger)
    ).keys()


def test_one_that_nobody_is_in_any_more_goes(redis_server: RedisServer, ledger: LedgerSettings) -> None:
    client(redis_server).zadd(leaderboard_key(ledger.namespace), {"stale": 1})
    RedisLeaderboard(ledger).make(limit=10)
    assert shown(redis_server, ledger) == []


class CutOff(Exception):  # noqa: N818
    """The process dies here."""


@pytest.mark.parametrize("lost", ["before", "after"])
def test_cut_off_at_any_write_readers_see_the_old_or_the_new_one_whole_and_the_next_making_is_right(
    redis_server: RedisServer, ledger: LedgerSettings, monkeypatch: pytest.MonkeyPatch, lost: str
) -> None:
    monkeypatch.setattr(module, "_OWNERS_PER_COMMAND", 2)
    old = {"ada": 1, "ben": 2, "cy": 3}
    credit(ledger, old)
    RedisLeaderboard(ledger).make(limit=10)
    totals = Counter(old)
    call, survived = Connection.call, 0

    def dying_at(step: int) -> Any:
        left = [step]

        def dying(self: Connection, *words: Any) -> Any:
            is_write = words[0] not in ("HMGET", "HSCAN")
            if is_write and left[0] == 0 and lost == "before":
                raise CutOff
            answer = call(self, *words)
            if is_write and left[0] == 0:
                raise CutOff
            left[0] -= is_write
            return answer

        return dying

    step = 0
    while not survived:
        before = earned(totals)
        credit(ledger, {"ada": 10, f"new-{step}": 5})
        totals.update({"ada": 10, f"new-{step}": 5})
        monkeypatch.setattr(Connection, "call", dying_at(step))
        with suppress(CutOff):
            RedisLeaderboard(ledger).make(limit=1_000)
            survived = step
        monkeypatch.setattr(Connection, "call", call)
        assert sorted(shown(redis_server, ledger)) in (sorted(before), sorted(earned(totals)))
        RedisLeaderboard(ledger).make(limit=1_000)
        assert sorted(shown(redis_server, ledger)) == sorted(totals.items())
        step += 1
    assert survived >= 5
    assert not client(redis_server).exists(leaderboard_draft_key(ledger.namespace))


def test_it_can_be_deleted_by_anybody_and_is_made_again(redis_server: RedisServer, ledger: LedgerSettings) -> None:
    credit(ledger, {"ada": 4})
    RedisLeaderboard(ledger).make(limit=10)
    client(redis_server).delete(leaderboard_key(ledger.namespace), leaderboard_about_key(ledger.namespace))
    gmv_json(ledger, "credits", "leaderboard")
    assert shown(redis_server, ledger) == [("ada", 4)]


def test_the_ledger_itself_is_not_touched(redis_server: RedisServer, ledger: LedgerSettings) -> None:
    credit(ledger, {"ada": 4})
    books = [f"{ledger.namespace}:{{{book}}}" for book in range(3)]
    before = [client(redis_server).dump(book) for book in books]
    RedisLeaderboard(ledger).make(limit=10)
    assert [client(redis_server).dump(book) for book in books] == before


def test_followed_it_keeps_up_is_killed_and_goes_on(redis_server: RedisServer, ledger: LedgerSettings) -> None:
    credit(ledger, {"ada": 1})
    follow = mortal(command("credits", "leaderboard", "--follow", "--every", "0.1", "--json"))
    for amount, end in ((10, signal.SIGKILL), (100, signal.SIGTERM)):
        with subprocess.Popen(follow, env=environment(ledger), stdout=subprocess.PIPE) as process:
            credit(ledger, {"ada": amount})
            total = [("ada", sum(10**power for power in range(len(str(amount)))))]
            wait_for(partial(is_shown, redis_server, ledger, total), 30, "the new total")
            process.send_signal(end)
        assert process.returncode == (0 if end is signal.SIGTERM else -signal.SIGKILL)
    about = client(redis_server).hgetall(leaderboard_about_key(ledger.namespace))
    assert about == {b"micros": b"111", b"credited": b"3"}


def test_what_a_person_reads(ledger: LedgerSettings) -> None:
    credit(ledger, {"ada": 1_500_000})
    assert gmv(ledger, "credits", "leaderboard").stdout == "1 owners hold places, as of 1.500000 credits for 1 events\n"


def test_a_ledger_in_a_file_has_none(tmp_path: Any) -> None:
    file = LedgerSettings(url=f"sqlite:///{tmp_path / 'ledger.db'}")
    assert "kept in Redis" in refused(file, 2, "credits", "leaderboard")
