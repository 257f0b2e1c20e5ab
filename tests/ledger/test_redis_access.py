"""Who is let in, how, and what a wrong address says."""

import subprocess
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest

from gmv.errors import InvalidSettings, LedgerMissing, LedgerRefused, LedgerUnavailable
from gmv.ledger import redis as redis_ledger
from gmv.ledger import redis_accounts, redis_registry
from gmv.ledger.open import open_accounts, open_ledger, open_registry
from gmv.ledger.port import Committed, OutOfRange
from gmv.settings import LedgerSettings
from tests.ledger.batches import TOPIC, at, batch, entry
from tests.ledger.conftest import RETRY_SECONDS, create
from tests.ledger.servers import client
from tests.services.redis import RedisServer
from tests.services.server import free_port

pytestmark = pytest.mark.servers

StartRedis = Callable[..., RedisServer]


@pytest.fixture
def password_file(tmp_path: Path) -> Path:
    path = tmp_path / "password"
    path.write_text("s3cret words\n")
    return path


def work_as_worker(settings: LedgerSettings) -> None:
    ledger = open_ledger(settings)
    (expected,) = ledger.positions(TOPIC, [0]).values()
    number = expected.next_offset
    assert ledger.commit(batch(expected, credits={"alice": 1}, entries=[entry(number)])) == Committed()
    assert len(ledger.known(0, [entry(number).identity])) == 1


def work_as_reader(settings: LedgerSettings) -> None:
    accounts = open_accounts(settings)
    assert accounts.totals(["alice"]) == {"alice": 1}
    assert [balance.micros for balance in accounts.balances()] == [1]
    assert accounts.sums().micros == 1
    assert accounts.standing()[TOPIC, 0] == at(10)
    assert [book.micros for book in accounts.snapshots(balances=True)] == [1]


def work_as_administrator(settings: LedgerSettings) -> None:
    open_accounts(settings).standing()
    registry = open_registry(settings)
    registry.create(1)
    assert registry.register(TOPIC, {0: at(99)}) == ()
    fresh = open_registry(settings.model_copy(update={"namespace": f"gmv:{uuid.uuid4().hex}"}))
    fresh.create(1)
    assert fresh.register(TOPIC, {0: at(99)}) == (0,)


ROLES = {
    "worker": ("~gmv:*", redis_ledger.COMMANDS, work_as_worker),
    "reader": ("%R~gmv:*", redis_accounts.COMMANDS, work_as_reader),
    "administrator": ("~gmv:*", redis_registry.COMMANDS, work_as_administrator),
}


class TestUsers:
    def allow(self, server: RedisServer, name: str, keys: str, commands: tuple[str, ...]) -> None:
        granted = [f"+{command}" for command in commands]
        client(server).execute_command("ACL", "SETUSER", name, "reset", "on", ">s3cret words", keys, "-@all", *granted)

    @pytest.mark.parametrize("role", ROLES)
    def test_each_role_needs_all_of_its_commands_and_no_more(
        self, server: RedisServer, settings: LedgerSettings, password_file: Path, role: str
    ) -> None:
        keys, commands, work = ROLES[role]
        open_ledger(settings).commit(batch(credits={"alice": 1}, entries=[entry(1)]))
        theirs = settings.model_copy(update={"username": role, "password_file": password_file})
        self.allow(server, role, keys, commands)
        work(theirs)
        for command in commands:
            client(server).script_flush()
            self.allow(server, role, keys, tuple(other for other in commands if other != command))
            with pytest.raises(LedgerRefused, match="let this user run"):
                work(theirs)

    def test_a_reader_cannot_commit(self, server: RedisServer, settings: LedgerSettings, password_file: Path) -> None:
        self.allow(server, "reader", "%R~gmv:*", (*redis_accounts.COMMANDS, "hset"))
        ledger = open_ledger(settings.model_copy(update={"username": "reader", "password_file": password_file}))
        with pytest.raises(LedgerRefused, match=r"NOPERM .*let this user run"):
            ledger.commit(batch(credits={"alice": 1}))

    def test_a_wrong_password_is_refused_at_once(
        self, server: RedisServer, settings: LedgerSettings, tmp_path: Path
    ) -> None:
        wrong = tmp_path / "wrong"
        wrong.write_text("guess")
        patient = settings.model_copy(update={"password_file": wrong, "username": "nobody", "retry_seconds": 600.0})
        with pytest.raises(LedgerRefused, match=r"WRONGPASS .*ledger.password_file") as refusal:
            open_ledger(patient).positions(TOPIC, [0])
        assert "guess" not in str(refusal.value)

    def test_a_password_that_was_not_given(self, start_redis: StartRedis, password_file: Path) -> None:
        server = start_redis()
        client(server).config_set("requirepass", "s3cret words")
        bare = LedgerSettings(url=server.url, retry_seconds=600)
        with pytest.raises(LedgerRefused, match=r"NOAUTH .*ledger.password_file"):
            open_accounts(bare).sums()
        create(bare.model_copy(update={"password_file": password_file}))

    @pytest.mark.parametrize(("text", "complaint"), [(None, "No such file"), ("\n", "first line is empty")])
    def test_a_password_file_without_password(self, tmp_path: Path, text: str | None, complaint: str) -> None:
        path = tmp_path / "password"
        if text is not None:
            path.write_text(text)
        with pytest.raises(InvalidSettings, match=rf"ledger.password_file .*{complaint}"):
            open_ledger(LedgerSettings(url="redis://localhost", password_file=path))


class TestTls:
    @pytest.fixture
    def certificate(self, tmp_path: Path) -> Path:
        subprocess.run(
            [
                *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"),
                *("-keyout", tmp_path / "key.pem", "-out", tmp_path / "certificate.pem", "-days", "2"),
                *("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"),
            ],
            check=True,
            capture_output=True,
        )
        return tmp_path / "certificate.pem"

    @pytest.fixture
    def port(self, start_redis: StartRedis, certificate: Path) -> int:
        port = free_port()
        key = certificate.with_name("key.pem")
        files = (
            "--tls-cert-file",
            str(certificate),
            "--tls-key-file",
            str(key),
            "--tls-ca-cert-file",
            str(certificate),
        )
        start_redis("--tls-port", str(port), "--tls-auth-clients", "no", *files)
        return port

    def test_a_ledger_behind_tls(self, port: int, certificate: Path) -> None:
        settings = LedgerSettings(url=f"rediss://localhost:{port}/0?ssl_ca_certs={certificate}", retry_seconds=5)
        create(settings)
        assert open_ledger(settings).commit(batch(credits={"alice": 1})) == Committed()

    def test_a_certificate_that_nobody_vouches_for(self, port: int) -> None:
        settings = LedgerSettings(url=f"rediss://localhost:{port}/0", retry_seconds=RETRY_SECONDS)
        with pytest.raises(LedgerUnavailable, match="CERTIFICATE_VERIFY_FAILED"):
            open_ledger(settings).positions(TOPIC, [0])


class TestAddress:
    @pytest.mark.parametrize(
        ("url", "complaint"),
        [
            ("redis://:hunter2@localhost:6379/0", "URLs end in logs"),
            ("redis://worker@localhost:6379/0", "ledger.username"),
            ("redis://localhost:6379/zero", "a database is a number"),
            ("redis://localhost:66666/0", "Port out of range"),
            ("redis:///0", "give redis://host:port/database"),
            ("rediss://localhost/0?ssl_cert_reqs=none", "unknown option 'ssl_cert_reqs'"),
            ("redis://localhost/0?password=hunter2", "unknown option 'password'"),
        ],
    )
    def test_an_address_that_names_no_server(self, url: str, complaint: str) -> None:
        with pytest.raises(InvalidSettings, match=complaint) as refusal:
            open_ledger(LedgerSettings(url=url))
        assert "ledger.url" in str(refusal.value)

    def test_a_password_in_an_address_is_not_repeated(self) -> None:
        with pytest.raises(InvalidSettings) as refusal:
            open_ledger(LedgerSettings(url="redis://:hunter2@localhost:6379/0"))
        assert "hunter2" not in str(refusal.value)

    def test_a_database_that_is_not_there(self, server: RedisServer) -> None:
        settings = LedgerSettings(url=f"redis://127.0.0.1:{server.port}/99", retry_seconds=RETRY_SECONDS)
        with pytest.raises(LedgerRefused, match="DB index is out of range"):
            open_accounts(settings).sums()

    def test_another_database_holds_another_ledger(self, server: RedisServer, settings: LedgerSettings) -> None:
        other = settings.model_copy(update={"url": f"redis://127.0.0.1:{server.port}/1"})
        create(other)
        open_ledger(other).commit(batch(credits={"alice": 1}))
        assert open_accounts(settings).totals(["alice"]) == {}


class TestForeign:
    def test_a_key_that_is_no_hash(self, server: RedisServer) -> None:
        settings = LedgerSettings(url=server.url, namespace="other", retry_seconds=RETRY_SECONDS)
        client(server).set("other:{0}", "text")
        for question in (lambda: open_registry(settings).create(1), lambda: open_accounts(settings).sums()):
            with pytest.raises(LedgerRefused, match="WRONGTYPE"):
                question()

    def test_a_hash_that_is_no_book(self, server: RedisServer) -> None:
        settings = LedgerSettings(url=server.url, namespace="other", retry_seconds=RETRY_SECONDS)
        client(server).hset("other:{1}", "o:alice", "7")
        with pytest.raises(LedgerRefused, match=r"key other:\{1\} holds fields but no ledger"):
            open_registry(settings).create(2)
        assert client(server).keys() == [b"other:{1}"]

    def test_a_book_of_another_ledger(self, server: RedisServer) -> None:
        settings = LedgerSettings(url=server.url, namespace="two", retry_seconds=RETRY_SECONDS)
        create(settings, books=2)
        client(server).delete("two:{0}")
        with pytest.raises(LedgerRefused, match=r"two:\{1\} belongs to another ledger"):
            open_registry(settings).create(2)

    @pytest.mark.parametrize("books", [None, 2])
    def test_a_book_that_was_lost_is_never_made_anew(self, server: RedisServer, books: int | None) -> None:
        settings = LedgerSettings(url=server.url, namespace="two", retry_seconds=RETRY_SECONDS)
        create(settings, books=2)
        client(server).delete("two:{1}")
        with pytest.raises(LedgerMissing, match="book 1 is gone"):
            open_registry(settings).create(books)
        assert client(server).keys() == [b"two:{0}"]

    def test_a_creation_that_was_interrupted_is_completed(self, server: RedisServer) -> None:
        settings = LedgerSettings(url=server.url, namespace="two", retry_seconds=RETRY_SECONDS)
        client(server).hset("two:{0}", mapping={"#m:books": 2, "#m:ledger": "0123"})
        create(settings, books=2)
        assert client(server).hget("two:{1}", "#m:ledger") == b"0123"
        assert open_accounts(settings).sums().micros == 0

    def test_a_format_of_the_future(self, server: RedisServer, settings: LedgerSettings) -> None:
        client(server).hset("gmv:{0}", "#m:format", "2")
        with pytest.raises(LedgerRefused, match="of format 2, and this gmv reads and writes format 1"):
            open_ledger(settings).positions(TOPIC, [0])

    @pytest.mark.parametrize("text", ["", "abc", "1.5", "-3"])
    def test_a_total_that_is_none_is_never_added_to(
        self, server: RedisServer, settings: LedgerSettings, text: str
    ) -> None:
        client(server).hset("gmv:{0}", "#s:micros", text)
        before = client(server).hgetall("gmv:{0}")
        with pytest.raises(LedgerRefused, match="#s:micros"):
            open_accounts(settings).sums()
        assert open_ledger(settings).commit(batch(credits={"alice": 1})) == OutOfRange("#s:micros")
        assert client(server).hgetall("gmv:{0}") == before

    @pytest.mark.parametrize("text", ["", "abc", "1.5", "-3"])
    def test_an_owners_total_that_is_none_is_named(
        self, server: RedisServer, settings: LedgerSettings, text: str
    ) -> None:
        client(server).hset("gmv:{0}", "o:alice", text)
        accounts = open_accounts(settings)
        for question in (
            lambda: list(accounts.snapshots()),
            lambda: list(accounts.balances()),
            lambda: accounts.totals(["bob", "alice"]),
        ):
            with pytest.raises(LedgerRefused, match="o:alice"):
                question()
        assert open_ledger(settings).commit(batch(credits={"bob": 1, "alice": 1})) == OutOfRange("o:alice")

    @pytest.mark.parametrize("text", ["", "7", "0:1:xx", "a:1:00"])
    def test_an_event_that_names_no_place(self, server: RedisServer, settings: LedgerSettings, text: str) -> None:
        client(server).hset("gmv:{0}", b"#e:" + entry(1).identity, text)
        with pytest.raises(LedgerRefused, match=entry(1).identity.hex()):
            open_ledger(settings).known(0, [entry(1).identity])
