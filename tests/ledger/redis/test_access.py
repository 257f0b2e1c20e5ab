"""Who is let in, how, and what a wrong address says."""

import re
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from gmv.errors import InvalidSettings, LedgerMissing, LedgerRefused, LedgerUnavailable
from gmv.ledger.open import open_accounts, open_ledger, open_registry
from gmv.ledger.port import Committed, OutOfRange
from gmv.ledger.redis.acl import rule_of
from gmv.settings import LedgerSettings
from tests.ledger.batches import TOPIC, batch, entry
from tests.ledger.conftest import RETRY_SECONDS, create
from tests.ledger.servers import client
from tests.services.patience import patience
from tests.services.proxy import Proxy
from tests.services.redis import RedisServer, Sentinel
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

    @pytest.mark.parametrize("scheme", ["redis", "redis+cluster"])
    def test_a_port_that_speaks_tls_to_an_address_that_does_not(self, secure: SecureRedisServer, scheme: str) -> None:
        clear = LedgerSettings(url=f"{scheme}://localhost:{secure.port}", retry_seconds=RETRY_SECONDS)
        with pytest.raises(LedgerRefused, match="speaks TLS at this port") as refused:
            open_accounts(clear).sums()
        assert f"make ledger.url {scheme.replace('redis', 'rediss')}://" in str(refused.value)

    @pytest.mark.parametrize("scheme", ["rediss", "rediss+cluster"])
    @pytest.mark.parametrize("password", ["", "s3cret words"])
    def test_a_port_that_speaks_no_tls_to_an_address_that_does(
        self, start_redis: StartRedis, scheme: str, password: str
    ) -> None:
        server = start_redis()
        client(server).config_set("requirepass", password)
        encrypted = LedgerSettings(url=f"{scheme}://{server.address}", retry_seconds=RETRY_SECONDS)
        with pytest.raises(LedgerRefused, match="speaks no TLS at this port") as refused:
            open_accounts(encrypted).sums()
        assert f"make ledger.url {scheme.replace('rediss', 'redis')}://" in str(refused.value)

    @pytest.mark.parametrize("scheme", ["redis", "rediss"])
    def test_a_port_that_says_nothing_may_be_away(self, scheme: str) -> None:
        """Nothing is known of what it speaks."""
        with socket.create_server(("127.0.0.1", 0)) as mute:
            url = f"{scheme}://127.0.0.1:{mute.getsockname()[1]}"
            with pytest.raises(LedgerUnavailable, match="start this again when it is back"):
                open_accounts(LedgerSettings(url=url, retry_seconds=RETRY_SECONDS)).sums()

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

    @pytest.mark.parametrize(
        ("scheme", "meant"),
        [
            ("redis+sentinel", "a proxy that leads to the primary"),
            ("rediss+sentinel", "a proxy that leads to the primary"),
            ("redis-sentinel", "a proxy that leads to the primary"),
            ("sentinel", "a proxy that leads to the primary"),
            ("valkey+sentinel", "a proxy that leads to the primary"),
            ("valkey", "give redis://host:port"),
            ("valkeys", "give rediss://host:port"),
            ("valkeys+cluster", r"give rediss\+cluster://host:port"),
            ("redis-cluster", r"give redis\+cluster://host:port"),
            ("redis+ssl", "give rediss://host:port"),
            ("Redis", "give redis://host:port"),
            ("unix", "by TCP alone"),
            ("redis+socket", "by TCP alone"),
            ("postgres", "is not one of sqlite:///path/to/file.db, redis://"),
        ],
    )
    def test_an_address_of_another_kind_is_answered_by_what_to_give(self, scheme: str, meant: str) -> None:
        """Whether or not it holds a password, which is not repeated."""
        for secret in ("", ":hunter2@", "worker:hunter2@"):
            url = f"{scheme}://{secret}one.example:26379,two.example:26379/mymaster/0"
            with pytest.raises(InvalidSettings, match=meant) as refusal:
                open_ledger(LedgerSettings(url=url))
            assert scheme in str(refusal.value)
            assert "hunter2" not in str(refusal.value)

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


def make_and_commit(settings: LedgerSettings) -> None:
    create(settings)
    open_ledger(settings).commit(batch(credits={"alice": 1}))


class TestCommandsThatAreKeptBack:
    """By `rename-command`, by a proxy, by a Sentinel."""

    def test_a_proxy_that_ends_connections_over_what_the_ledger_does_not_need(
        self, server: RedisServer, settings: LedgerSettings
    ) -> None:
        with Proxy(server.port) as proxy:
            proxy.kept_back = re.compile(rb"\b(HELLO|CLIENT|INFO|CONFIG|ACL|COMMAND|PING|MULTI)\b", re.IGNORECASE)
            through = settings.model_copy(update={"url": proxy.url})
            assert open_ledger(through).commit(batch(credits={"alice": 1})) == Committed()
            assert open_accounts(through).totals(["alice"]) == {"alice": 1}
            assert [balance.micros for balance in open_accounts(through).balances()] == [1]

    @pytest.mark.parametrize("command", ["EVALSHA", "HMGET", "SELECT"])
    def test_a_command_that_the_server_does_not_know_is_named(self, start_redis: StartRedis, command: str) -> None:
        server = start_redis("--rename-command", command, "")
        ledger = LedgerSettings(url=f"redis://{server.address}/1", retry_seconds=RETRY_SECONDS)
        with pytest.raises(LedgerRefused, match=rf"unknown command .{command}.*rename-command"):
            make_and_commit(ledger)

    def test_a_sentinel(self, start_redis: StartRedis) -> None:
        primary = start_redis()
        with Sentinel(primary) as sentinel:
            ledger = LedgerSettings(url=sentinel.url, retry_seconds=RETRY_SECONDS)
            with pytest.raises(LedgerRefused, match="Sentinel, which keeps no data"):
                open_accounts(ledger).sums()


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
