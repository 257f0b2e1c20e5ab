"""docs/redis.md: its examples are run against a real ledger, and what it says of names is what the code uses."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from gmv.ledger.fields import OWNER_PREFIX, SUM_FIELDS
from gmv.ledger.open import open_ledger
from gmv.ledger.port import Committed
from gmv.ledger.redis import keys
from gmv.ledger.redis.leaderboard import RedisLeaderboard
from gmv.settings import LedgerSettings
from tests.ledger.batches import START, TOPIC, at, batch, entry
from tests.ledger.conftest import create
from tests.services.go_examples import build
from tests.services.patience import patience
from tests.services.redis import RedisServer

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "redis.md").read_text()


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    """The server of the examples: a ledger named gmv, where two events have earned something."""
    with RedisServer() as running:
        settings = LedgerSettings(url=running.url)
        create(settings)
        ledger = open_ledger(settings)
        first = batch(START, at(1), {"alice": 1_000_000}, [entry(1)])
        assert ledger.commit(first) == Committed()
        assert ledger.commit(batch(at(1), at(2), {"alice": 500_000, "bob": 250_000}, [entry(2)])) == Committed()
        RedisLeaderboard(settings).make(limit=10)
        yield running


def block(language: str) -> str:
    (found,) = re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    return str(found)


def output(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=patience(120))
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.servers
def test_redis_cli(server: RedisServer) -> None:
    for example in block("console").split("$ ")[1:]:
        typed, _, expected = example.partition("\n")
        assert output("bash", "-c", typed.replace("redis-cli", f"redis-cli -p {server.port}")) == expected


@pytest.mark.servers
def test_python(server: RedisServer) -> None:
    program = block("python").replace("redis://localhost:6379/0", server.url)
    assert output(sys.executable, "-c", program) == "alice 1500000\nbob 250000\nnobody 0\nalice 1.5\nbob 0.25\n"


@pytest.mark.servers
def test_go(server: RedisServer, tmp_path: Path) -> None:
    program = build("credits", tmp_path)
    assert output(str(program), server.url, "alice", "bob", "nobody") == "alice 1500000\nbob 250000\nnobody 0\n"


def test_the_go_program_on_the_page_is_the_one_in_the_folder() -> None:
    assert block("go") == (ROOT / "examples" / "go" / "credits" / "main.go").read_text()


def test_the_names_are_those_of_the_code() -> None:
    table = PAGE.split("## Keys")[1].split("## Leaderboard")[0]
    names = set(re.findall(r"`([^`]+)`", table))
    assert {keys.book_key("gmv", 0), keys.leaderboard_key("gmv"), keys.leaderboard_about_key("gmv")} <= names
    assert {f"{OWNER_PREFIX}<owner id>", keys.position_field("<topic>", 0).replace("0", "<partition>")} <= names
    assert {*SUM_FIELDS, keys.FORMAT_FIELD, keys.BOOKS_FIELD, keys.LEDGER_ID_FIELD} <= names
    assert TOPIC in PAGE
