import asyncio
import os
import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer
from kafka import KafkaProducer
from redis import Redis

from gmv.kafka.admin import describe_topic
from gmv.kafka.inspection import KafkaInspector
from gmv.ledger.open import open_accounts, open_ledger
from gmv.ledger.position import Position
from gmv.settings import KafkaSettings, LedgerSettings
from tests.cli.command import command, create, credit, credit_with_receipts, environment, gmv, gmv_json, refused
from tests.conftest import TopicFactory
from tests.services.kafka import KafkaBroker
from tests.services.patience import patience
from tests.services.server import free_port

QUESTIONS = [
    pytest.param(["ledger", "verify"], id="verify"),
    pytest.param(["credits", "top"], id="top"),
    pytest.param(["credits", "show", "ada"], id="show"),
    pytest.param(["credits", "export"], id="export"),
]


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Three records; a blank line counts as an offset."""
    path = tmp_path / "events.jsonl"
    path.write_text('{"id":"a"}\n{"id":"b"}\n\n{"id":"c"}\n')
    return path


def positions(ledger: LedgerSettings) -> dict[tuple[str, int], Position]:
    with closing(open_accounts(ledger)) as accounts:
        return accounts.positions()


class TestInitForAFile:
    def test_it_stands_at_the_first_line(self, ledger: LedgerSettings, log: Path) -> None:
        made = gmv_json(ledger, "ledger", "init", "--log", log)
        assert made["ledger_url"] == ledger.url
        assert made["topic"] == "events.jsonl"
        assert made["positions"] == {"0": 0}
        assert made["registered"] == [0]
        assert positions(ledger) == {("events.jsonl", 0): Position(made["topic_id"], 0)}

    def test_again_it_says_so_and_changes_nothing(self, ledger: LedgerSettings, log: Path) -> None:
        gmv(ledger, "ledger", "init", "--log", log, "--books", 2)
        before = positions(ledger)
        assert gmv_json(ledger, "ledger", "init", "--log", log, "--from", "end")["registered"] == []
        done = gmv(ledger, "ledger", "init", "--log", log)
        assert done.stdout.startswith(f"{ledger.url} knows events.jsonl already; nothing was changed\n")
        assert done.returncode == 0
        assert positions(ledger) == before

    def test_from_the_end_nothing_of_today_is_credited(self, ledger: LedgerSettings, log: Path) -> None:
        assert gmv_json(ledger, "ledger", "init", "--log", log, "--from", "end")["positions"] == {"0": 4}
        assert [position.next_offset for position in positions(ledger).values()] == [4]

    def test_a_file_that_grew_is_the_same_log(self, ledger: LedgerSettings, log: Path) -> None:
        gmv(ledger, "ledger", "init", "--log", log)
        with log.open("a") as file:
            file.write('{"id":"d"}\n')
        assert gmv_json(ledger, "ledger", "init", "--log", log)["registered"] == []

    def test_another_file_of_the_name_is_refused(self, ledger: LedgerSettings, log: Path) -> None:
        gmv(ledger, "ledger", "init", "--log", log)
        before = positions(ledger)
        log.write_text('{"id":"z"}\n')
        assert "another events.jsonl[0]" in refused(ledger, 31, "ledger", "init", "--log", log)
        assert positions(ledger) == before

    def test_a_second_log_joins_the_ledger(self, ledger: LedgerSettings, log: Path) -> None:
        gmv(ledger, "ledger", "init", "--log", log)
        gmv(ledger, "ledger", "init", "--log", log.rename(log.with_name("more.jsonl")))
        assert {topic for topic, _ in positions(ledger)} == {"events.jsonl", "more.jsonl"}

    def test_the_number_of_books_is_fixed(self, ledger: LedgerSettings, log: Path) -> None:
        gmv(ledger, "ledger", "init", "--log", log, "--books", 2)
        assert "of 2 books already, not 3" in refused(ledger, 2, "ledger", "init", "--log", log, "--books", 3)

    @pytest.mark.parametrize("text", [None, "", "\n\n", '{"id":"a"}'])
    def test_a_log_that_is_none_makes_no_ledger(self, sqlite: LedgerSettings, log: Path, text: str | None) -> None:
        log.unlink() if text is None else log.write_text(text)
        assert str(log) in refused(sqlite, 13, "ledger", "init", "--log", log)
        assert not log.with_name("ledger.db").exists()

    def test_one_log_has_to_be_named(self, sqlite: LedgerSettings, log: Path) -> None:
        for arguments in ([], ["--log", log, "--topic", "images"]):
            assert "--topic NAME" in refused(sqlite, 2, "ledger", "init", *arguments)


class TestInitForATopic:
    def test_partitions_that_are_added_begin_at_their_beginning_and_the_others_keep_their_position(
        self, ledger: LedgerSettings, kafka: KafkaBroker, topic: TopicFactory
    ) -> None:
        """Also from the end, as the chart's hook has it at each upgrade: nothing has credited what is in them."""
        name = topic(2)
        arguments = ("ledger", "init", "--topic", name, "--brokers", kafka.address, "--from", "end")
        with closing(KafkaProducer(bootstrap_servers=kafka.address)) as producer:
            for partition in (0, 1, 1):
                producer.send(name, b"{}", partition=partition)
        made = gmv_json(ledger, *arguments)
        assert (made["positions"], made["added"]) == ({"0": 1, "1": 2}, [])
        with kafka.admin() as admin:
            admin.create_partitions({name: 4})
        with closing(KafkaProducer(bootstrap_servers=kafka.address)) as producer:
            for partition in (0, 2, 2, 3):
                producer.send(name, b"{}", partition=partition)
        again = gmv_json(ledger, *arguments)
        assert (again["registered"], again["added"]) == ([2, 3], [2, 3])
        assert again["positions"] == {"0": 1, "1": 2, "2": 0, "3": 0}
        assert {number: position.next_offset for (_, number), position in positions(ledger).items()} == {
            0: 1,
            1: 2,
            2: 0,
            3: 0,
        }
        assert gmv_json(ledger, *arguments)["registered"] == []
        assert gmv_json(ledger, "ledger", "verify")["conserved"] is True

    def test_from_the_end_it_stands_before_an_open_transaction(
        self, sqlite: LedgerSettings, kafka: KafkaBroker, topic: TopicFactory
    ) -> None:
        """Past it, a worker that reads what is committed would refuse to start until the transaction has ended."""
        name = topic(1)
        arguments = ("ledger", "init", "--topic", name, "--brokers", kafka.address, "--from", "end")
        wanted = KafkaSettings(brokers=kafka.address, topic=name, retry_seconds=patience(10))

        async def run() -> None:
            async with AIOKafkaProducer(bootstrap_servers=kafka.address, transactional_id=name) as producer:
                async with producer.transaction():
                    await producer.send_and_wait(name, b"{}", partition=0)
                await producer.begin_transaction()
                for _ in range(3):
                    await producer.send_and_wait(name, b"{}", partition=0)
                await asyncio.to_thread(look, 2, 5)
                assert (await asyncio.to_thread(gmv_json, sqlite, *arguments))["positions"] == {"0": 2}
                await producer.commit_transaction()
            await asyncio.to_thread(look, 6, 6)

        def look(committed: int, written: int) -> None:
            ends = {}
            for isolation in ("read_committed", "read_uncommitted"):
                settings = wanted.model_copy(update={"isolation": isolation})
                with closing(KafkaInspector(settings)) as inspector:
                    ends[isolation] = [
                        describe_topic(settings).bounds[0].end,
                        inspector.topic(name).partitions[0].end,
                    ]
            assert ends == {"read_committed": [committed] * 2, "read_uncommitted": [written] * 2}

        asyncio.run(run())

    def test_a_topic_that_was_made_anew_is_refused(
        self, sqlite: LedgerSettings, kafka: KafkaBroker, topic: TopicFactory
    ) -> None:
        name = topic(1)
        arguments = ("ledger", "init", "--topic", name, "--brokers", kafka.address)
        first = gmv_json(sqlite, *arguments)
        with kafka.admin() as admin:
            admin.delete_topics([name])
        kafka.create_topic(name, 2)
        assert first["topic_id"] in refused(sqlite, 31, *arguments)
        assert list(positions(sqlite)) == [(name, 0)]

    def test_a_topic_that_is_not_there_makes_no_ledger(
        self, sqlite: LedgerSettings, kafka: KafkaBroker, tmp_path: Path
    ) -> None:
        said = refused(sqlite, 30, "ledger", "init", "--topic", "nowhere", "--brokers", kafka.address)
        assert "'nowhere' does not exist" in said
        assert list(tmp_path.iterdir()) == []


class TestVerify:
    def test_what_is_conserved(self, ledger: LedgerSettings) -> None:
        create(ledger, books=2, partitions=2)
        credit(ledger, {"ada": 700_000, "bob": 300_000})
        credit(ledger, {"ada": 250_000}, partition=1)
        assert gmv_json(ledger, "ledger", "verify") == {
            "ledger_url": ledger.url,
            "conserved": True,
            "credit_micros": 1_250_000,
            "credited": 2,
            "dead_letters": 0,
            "duplicates": 0,
            "corrections": 0,
            "positions": 2,
            "offsets_uncounted": 0,
            "begins_unrecorded": [],
            "receipts": None,
        }
        assert "accounted for" in gmv(ledger, "ledger", "verify").stdout

    def test_a_micro_credit_too_many(self, ledger: LedgerSettings) -> None:
        create(ledger)
        credit(ledger, {"ada": 700_000, "bob": 300_000})
        alter(ledger, ada=700_001)
        said = refused(ledger, 40, "ledger", "verify")
        assert "2 owners add up to 1000001 micro-credits, but 1000000 were committed" in said

    def test_receipts_explain_every_total(self, ledger: LedgerSettings, tmp_path: Path) -> None:
        create(ledger)
        first = credit_with_receipts(ledger, ["ada", "ada", "bob"])
        orphans = [line.replace(b'"/s"', b'"/orphan"') for line in first]
        (tmp_path / "one").write_bytes(b"\n".join(first) + b"\n")
        (tmp_path / "two").write_bytes(b"\n".join(orphans + credit_with_receipts(ledger, ["cy"])) + b"\n{torn")
        arguments = ["--receipts", tmp_path / "one", "--receipts", tmp_path / "two"]
        assert gmv_json(ledger, "ledger", "verify", *arguments)["receipts"] == {
            "committed": 4,
            "batches": 2,
            "orphan_batches": 0,
            "owners": 3,
        }
        assert "is in the ledger, but its receipts" in refused(ledger, 40, "ledger", "verify", *arguments[:2])

    def test_what_was_moved_between_owners_is_seen_by_receipts_alone(
        self, ledger: LedgerSettings, tmp_path: Path
    ) -> None:
        create(ledger)
        path = tmp_path / "receipts"
        path.write_bytes(b"\n".join(credit_with_receipts(ledger, ["ada", "bob", "cy"])))
        alter(ledger, ada=999_999, bob=1_000_001)
        assert gmv_json(ledger, "ledger", "verify")["conserved"] is True
        said = refused(ledger, 40, "ledger", "verify", "--receipts", path)
        assert "'ada' has 999999 micro-credits in the ledger, 1000000 by receipts" in said
        assert "'bob' has 1000001" in said
        assert "cy" not in said

    @pytest.mark.parametrize("by_micros", [1, -1])
    def test_receipts_tell_whose_total_was_tampered_with(
        self, ledger: LedgerSettings, tmp_path: Path, by_micros: int
    ) -> None:
        create(ledger)
        path = tmp_path / "receipts"
        path.write_bytes(b"\n".join(credit_with_receipts(ledger, ["ada", "bob", "cy"])))
        alter(ledger, bob=1_000_000 + by_micros)
        said = refused(ledger, 40, "ledger", "verify", "--receipts", path)
        assert f"'bob' has {1_000_000 + by_micros} micro-credits in the ledger, 1000000 by receipts" in said
        assert "3 owners add up to" in said
        assert "ada" not in said
        alter(ledger, bob=1_000_000)
        assert gmv_json(ledger, "ledger", "verify", "--receipts", path)["conserved"] is True

    def test_an_event_without_receipt_is_seen_even_if_it_earned_nothing(
        self, ledger: LedgerSettings, tmp_path: Path
    ) -> None:
        create(ledger)
        credit(ledger, {"ada": 0})
        path = tmp_path / "receipts"
        path.write_bytes(b"")
        assert "1 events are credited, and 0 have" in refused(ledger, 40, "ledger", "verify", "--receipts", path)

    def test_receipts_of_a_topic(self, sqlite: LedgerSettings, kafka: KafkaBroker, topic: TopicFactory) -> None:
        create(sqlite)
        name = topic(2)
        with closing(KafkaProducer(bootstrap_servers=kafka.address)) as producer:
            for owners in (["ada"] * 3, ["bob"], ["ada", "bob"]):
                for number, line in enumerate(credit_with_receipts(sqlite, owners)):
                    producer.send(name, line, partition=number % 2)
        arguments = ("--receipts-topic", name, "--brokers", kafka.address)
        found = gmv_json(sqlite, "ledger", "verify", *arguments)["receipts"]
        assert found == {"committed": 6, "batches": 3, "orphan_batches": 0, "owners": 2}
        (last,) = credit_with_receipts(sqlite, ["ada"])
        assert "its receipts are missing" in refused(sqlite, 40, "ledger", "verify", *arguments)
        with closing(KafkaProducer(bootstrap_servers=kafka.address)) as producer:
            producer.send(name, last.replace(b'"ada"', b'"eve"'), partition=1)
        assert f"its receipts are altered (1, {name}/1/2)" in refused(sqlite, 40, "ledger", "verify", *arguments)

    def test_a_ledger_at_work_is_not_called_broken(self, ledger: LedgerSettings, tmp_path: Path) -> None:
        """A pipe holds the command in its first pass, between its look at the positions and that at the owners."""
        create(ledger)
        first = credit_with_receipts(ledger, ["ada"])
        pipe = tmp_path / "receipts"
        os.mkfifo(pipe)
        arguments = command("ledger", "verify", "--receipts", pipe)
        with subprocess.Popen(arguments, env=environment(ledger), stderr=subprocess.PIPE, text=True) as process:
            with pipe.open("wb") as receipts:
                second = credit_with_receipts(ledger, ["bob"])
                receipts.write(b"\n".join(first + second))
                (tmp_path / "file").write_bytes(b"\n".join(first + second))
                (tmp_path / "file").replace(pipe)  # for its second pass
            _, said = process.communicate(timeout=patience(60))
        assert said == "gmv: the ledger moved on while it was read: stop its workers and verify again\n"
        assert process.returncode == 1

    def test_receipts_that_are_not_there(self, sqlite: LedgerSettings, tmp_path: Path) -> None:
        create(sqlite)
        assert "No such file" in refused(sqlite, 13, "ledger", "verify", "--receipts", tmp_path / "nothing")


class TestBadLedgers:
    @pytest.mark.parametrize("arguments", QUESTIONS)
    def test_none_was_made(self, ledger: LedgerSettings, arguments: list[str]) -> None:
        assert f"gmv ledger init --ledger {ledger.url}" in refused(ledger, 21, *arguments)

    def test_a_server_that_is_down(self, log: Path) -> None:
        nobody = LedgerSettings(url=f"redis://127.0.0.1:{free_port()}/0", retry_seconds=0.3)
        for arguments in (["ledger", "init", "--log", log], ["ledger", "verify"], ["credits", "top"]):
            assert f"{nobody.url} did not answer within 0.3 s" in refused(nobody, 20, *arguments)

    @pytest.mark.parametrize("url", ["postgres://localhost/db", "redis://localhost:x/0", "sqlite://ledger.db", "7"])
    def test_an_address_that_is_none(self, url: str, log: Path) -> None:
        for arguments in (["ledger", "init", "--log", log], ["credits", "top"]):
            assert "ledger.url" in refused(LedgerSettings(url=url), 2, *arguments)

    @pytest.mark.parametrize("damage", ["another program's", "no SQLite file", "torn"])
    def test_a_file_that_is_no_ledger(self, sqlite: LedgerSettings, log: Path, damage: str) -> None:
        DAMAGED[damage](sqlite, log.with_name("ledger.db"))
        before = log.with_name("ledger.db").read_bytes()
        for arguments in (["ledger", "init", "--log", log], ["ledger", "verify"], ["credits", "export"]):
            assert "ledger.db" in refused(sqlite, 23, *arguments)
        assert log.with_name("ledger.db").read_bytes() == before

    def test_a_key_that_is_no_ledger(self, redis_url: str, log: Path) -> None:
        other = LedgerSettings(url=redis_url, namespace="foreign-text")
        with closing(Redis.from_url(redis_url)) as client:
            client.set("foreign-text:{0}", "x")
            for arguments in (["ledger", "init", "--log", log], ["ledger", "verify"], ["credits", "top"]):
                assert "WRONGTYPE" in refused(other, 23, *arguments)
            assert client.get("foreign-text:{0}") == b"x"


def alter(ledger: LedgerSettings, **micros: int) -> None:
    """Set totals behind the ledger's back."""
    if ledger.url.startswith("redis"):
        with closing(Redis.from_url(ledger.url)) as client:
            client.hset(f"{ledger.namespace}:{{0}}", mapping={f"o:{owner}": total for owner, total in micros.items()})
    else:
        with closing(sqlite3.connect(ledger.url.removeprefix("sqlite:///"))) as connection, connection:
            for owner, total in micros.items():
                connection.execute("UPDATE balances SET micros = ? WHERE owner_id = ?", (total, owner))


def _of_another_program(_: LedgerSettings, path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE recipes (name TEXT)")


def _torn(ledger: LedgerSettings, path: Path) -> None:
    create(ledger)
    credit(ledger, {f"owner {number}": 1 for number in range(3_000)})
    open_ledger(ledger).close()
    with path.open("r+b") as file:
        file.seek(4_096)
        file.write(b"\xff" * 40_960)


DAMAGED: dict[str, Callable[[LedgerSettings, Path], object]] = {
    "another program's": _of_another_program,
    "no SQLite file": lambda _, path: path.write_text("owner,credits\n" * 100),
    "torn": _torn,
}
