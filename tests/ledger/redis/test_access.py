"""Who is let in, how, and what a wrong address says."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from gmv.errors import InvalidSettings, LedgerMissing, LedgerRefused
from gmv.ledger.open import open_accounts, open_ledger, open_registry
from gmv.ledger.port import Committed, OutOfRange
from gmv.ledger.redis.acl import rule_of
from gmv.settings import LedgerSettings
from tests.ledger.batches import TOPIC, batch, entry
from tests.ledger.conftest import RETRY_SECONDS, create
from tests.ledger.servers import client
from tests.services.patience import patience
from tests.services.redis import RedisServer
from tests.services.secure_redis import SecureRedisServer

pytestmark = pytest.mark.servers

StartRedis = Callable[..., RedisServer]


@pytest.fixture
def password_file(tmp_path: Path) -> Path:
    path = tmp_path / "password"
    path.write_text("s3cret words\n")
    return path


class TestPasswords:
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


@pytest.fixture(scope="module")
def secure() -> Iterator[SecureRedisServer]:
    with SecureRedisServer() as server:
        yield server


class TestTls:
    def settings_for(self, server: SecureRedisServer, **changed: Any) -> LedgerSettings:
        mine = server.authority.issue("worker")
        files = {"ca_file": server.authority.file, "cert_file": mine.file, "key_file": mine.key}
        return LedgerSettings(**{"url": server.url, "retry_seconds": patience(20)} | files | changed)

    def refusal(self, settings: LedgerSettings) -> str:
        """What is said, at once and not when the retries are over."""
        began = time.monotonic()
        with pytest.raises(LedgerRefused) as refused:
            open_ledger(settings).positions(TOPIC, [0])
        assert time.monotonic() - began < settings.retry_seconds / 2
        return str(refused.value)

    def test_a_ledger_behind_tls_that_wants_certificates_and_users(
        self, secure: SecureRedisServer, password_file: Path
    ) -> None:
        settings = self.settings_for(secure)
        create(settings)
        rules = rule_of("worker", settings).tokens
        secure.client().execute_command("ACL", "SETUSER", "worker", "reset", "on", ">s3cret words", *rules)
        theirs = settings.model_copy(update={"username": "worker", "password_file": password_file})
        assert open_ledger(theirs).commit(batch(credits={"alice": 1})) == Committed()
        assert "WRONGPASS" in self.refusal(theirs.model_copy(update={"username": "nobody"}))

    def test_a_certificate_that_nobody_signed(self, secure: SecureRedisServer) -> None:
        said = self.refusal(self.settings_for(secure, ca_file=None))
        assert "the server's certificate is refused (self-signed certificate in certificate chain)" in said
        assert "ledger.ca_file" in said

    def test_a_certificate_whose_time_is_over(self) -> None:
        with SecureRedisServer(expired=True) as server:
            assert "(certificate has expired): renew it" in self.refusal(self.settings_for(server))

    def test_a_certificate_of_another_host(self) -> None:
        with SecureRedisServer(host="elsewhere.example") as server:
            assert "Hostname mismatch, certificate is not valid for 'localhost'" in self.refusal(
                self.settings_for(server)
            )

    def test_no_certificate_of_our_own(self, secure: SecureRedisServer) -> None:
        said = self.refusal(self.settings_for(secure, cert_file=None, key_file=None))
        assert "it refuses our certificate" in said
        assert "ledger.cert_file" in said

    def test_a_certificate_of_our_own_whose_time_is_over(self, secure: SecureRedisServer) -> None:
        old = secure.authority.issue("old-worker", expired=True)
        assert "it refuses our certificate" in self.refusal(
            self.settings_for(secure, cert_file=old.file, key_file=old.key)
        )

    def test_files_that_the_address_does_not_use_are_refused(self, secure: SecureRedisServer) -> None:
        with pytest.raises(InvalidSettings, match="make it rediss://"):
            open_ledger(self.settings_for(secure, url="redis://localhost/0"))


class TestAddress:
    @pytest.mark.parametrize(
        ("url", "complaint"),
        [
            ("redis://:hunter2@localhost:6379/0", "URLs end in logs"),
            ("redis://worker@localhost:6379/0", "ledger.username"),
            ("redis://localhost:6379/zero", "a database is a number"),
            ("redis://localhost:66666/0", "Port out of range"),
            ("redis:///0", "give redis://host:port/database"),
            ("rediss://localhost/0?ssl_cert_reqs=none", "unknown option 'ssl_cert_reqs'; .* settings of their own"),
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
    def test_a_book_that_was_lost_is_never_recreated(self, server: RedisServer, books: int | None) -> None:
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
