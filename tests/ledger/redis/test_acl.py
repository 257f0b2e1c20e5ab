"""Redis users: each can do its work, cannot do it without one of its commands, and can do nothing else at all."""

import uuid
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from redis import Redis
from redis.exceptions import AuthenticationError, NoPermissionError, ResponseError

from gmv.errors import InvalidSettings, LedgerRefused
from gmv.ledger.open import open_accounts, open_janitor, open_ledger, open_registry
from gmv.ledger.port import Batch, Committed
from gmv.ledger.redis import cluster as redis_cluster
from gmv.ledger.redis import inspection as redis_inspection
from gmv.ledger.redis.acl import ROLES, rule_of
from gmv.ledger.redis.inspection import RedisInspector
from gmv.ledger.redis.leaderboard import RedisLeaderboard
from gmv.ledger.tidy import FIELDS_PER_EVENT
from gmv.ledger.window import SWEEP_FIELDS
from gmv.settings import LedgerSettings
from tests.end_to_end.command import gmv, gmv_json
from tests.ledger.batches import TOPIC, at, batch, entry
from tests.ledger.servers import client
from tests.services.redis import RedisServer

pytestmark = pytest.mark.servers

PASSWORD = "s3cret words"
WINDOW = 5
NO_LOGIN_NEEDED = {"auth", "hello", "quit", "reset"}
"""Commands that Redis lets anybody send; they grant nothing."""


def work_as_worker(settings: LedgerSettings, old_events: int = SWEEP_FIELDS // FIELDS_PER_EVENT) -> None:
    """Enough of it for a janitor to be due, which finds something."""
    ledger = open_ledger(settings)
    (expected,) = ledger.positions(TOPIC, [0]).values()
    number = expected.next_offset
    following = replace(expected, next_offset=number + WINDOW + 2)
    old = [entry(1_000 * number + each, number) for each in range(old_events)]
    new = entry(number, number + WINDOW + 1)
    assert ledger.commit(batch(expected, following, {"alice": 1}, [new, *old])) == Committed()
    assert len(ledger.known(0, [new.identity])) == 1
    assert ledger.known(0, [old[0].identity]) == {}


def work_as_reader(settings: LedgerSettings) -> None:
    accounts = open_accounts(settings)
    assert accounts.totals(["alice"]) == {"alice": 1}
    assert [balance.micros for balance in accounts.balances()] == [1]
    assert accounts.sums().micros == 1
    assert accounts.positions()[TOPIC, 0] == at(10)
    assert [book.micros for book in accounts.snapshots(balances=True)] == [1]


def work_as_leaderboard(settings: LedgerSettings) -> None:
    assert RedisLeaderboard(settings).make(limit=10).owners == 1


def work_as_doctor(settings: LedgerSettings) -> None:
    work_as_reader(settings)
    inspector = RedisInspector(settings)
    (server,), user = inspector.servers().values(), inspector.user(["hmget"])
    seen = (server.info, server.configs, server.clock_ahead_seconds is not None, user.name)
    if not all(seen):  # it says what it may not look at by leaving it out
        raise LedgerRefused("let this user run all of it")


def work_as_administrator(settings: LedgerSettings) -> None:
    open_accounts(settings).positions()
    registry = open_registry(settings)
    registry.create(1)
    assert registry.register(TOPIC, {0: at(99)}) == ()
    fresh = open_registry(settings.model_copy(update={"namespace": f"gmv:{uuid.uuid4().hex}"}))
    fresh.create(1)
    assert fresh.register(TOPIC, {0: at(99)}) == (0,)
    fresh.state_window(WINDOW)
    work_as_worker(settings.model_copy(update={"username": None, "password_file": None}), old_events=3)
    assert open_janitor(settings).sweep(0).expired > 0


WORK = {
    "worker": work_as_worker,
    "reader": work_as_reader,
    "leaderboard": work_as_leaderboard,
    "doctor": work_as_doctor,
    "administrator": work_as_administrator,
}


@pytest.fixture
def login(settings: LedgerSettings, tmp_path: Path) -> Callable[[str], LedgerSettings]:
    """Say how a role reaches the ledger that `settings` made."""
    (tmp_path / "password").write_text(PASSWORD)
    return lambda role: settings.model_copy(update={"username": role, "password_file": tmp_path / "password"})


def allow(server: RedisServer, role: str, tokens: tuple[str, ...]) -> None:
    client(server).execute_command("ACL", "SETUSER", role, "reset", "on", f">{PASSWORD}", *tokens)


@pytest.mark.parametrize("role", ROLES)
def test_each_role_needs_all_of_its_commands(
    server: RedisServer, settings: LedgerSettings, login: Callable[[str], LedgerSettings], role: str
) -> None:
    open_registry(settings).state_window(WINDOW)
    open_ledger(settings).commit(batch(credits={"alice": 1}, entries=[entry(1)]))
    rule, theirs = rule_of(role, settings), login(role)
    allow(server, role, rule.tokens)
    WORK[role](theirs)
    for command in rule.commands:
        client(server).script_flush()
        allow(server, role, tuple(token for token in rule.tokens if token != f"+{command}"))
        with pytest.raises(LedgerRefused, match="let this user run"):
            WORK[role](theirs)


@pytest.mark.parametrize("role", ROLES)
def test_no_role_may_run_any_other_command_that_the_server_knows(
    server: RedisServer, settings: LedgerSettings, role: str
) -> None:
    rule, admin = rule_of(role, settings), client(server)
    allow(server, role, rule.tokens)
    may_run = {
        command for command in command_names(admin) if "has no permissions to run" not in tried(admin, role, command)
    }

    assert may_run - NO_LOGIN_NEEDED == set(rule.commands)


@pytest.mark.parametrize("role", ROLES)
def test_no_role_reaches_any_other_key(server: RedisServer, settings: LedgerSettings, role: str) -> None:
    rule, admin = rule_of(role, settings), client(server)
    allow(server, role, rule.tokens)
    keyless = {"script|load", *redis_inspection.COMMANDS}
    keyed = [command for command in rule.commands if command not in {"copy", *keyless}]  # copy: two keys, below
    theirs = "gmv:{leaderboard}" if role == "leaderboard" else "gmv:{0}"

    for key in ("gmvx:{0}", "other:{0}", "gmv"):
        assert all(f"no permissions to access the '{key}' key" in tried(admin, role, each, key) for each in keyed)
    assert all(tried(admin, role, each, theirs) == "OK" for each in keyed)


def test_the_leaderboards_user_reads_the_books_and_cannot_write_them(
    server: RedisServer, settings: LedgerSettings
) -> None:
    rule, admin = rule_of("leaderboard", settings), client(server)
    allow(server, "leaderboard", rule.tokens)

    may = {command for command in rule.commands if tried(admin, "leaderboard", command, "gmv:{0}") == "OK"}
    assert may == {"hmget", "hscan"}
    onto_the_book = ("ACL", "DRYRUN", "leaderboard", "COPY", "gmv:{leaderboard}", "gmv:{0}")
    assert "no permissions to access the 'gmv:{0}' key" in str(admin.execute_command(*onto_the_book))


def test_a_reader_may_not_write_even_if_it_may_run_a_command_that_does(
    server: RedisServer, settings: LedgerSettings, login: Callable[[str], LedgerSettings]
) -> None:
    allow(server, "reader", (*rule_of("reader", settings).tokens, "+hset", "+evalsha"))
    with pytest.raises(LedgerRefused, match=r"NOPERM .*let this user run"):
        open_ledger(login("reader")).commit(batch(credits={"alice": 1}))


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize(
    "command",
    [
        ("FLUSHALL",),
        ("DEL", "gmv:{0}"),
        ("EVAL", "return redis.call('GET', 'x')", "0"),
        ("CONFIG", "SET", "maxmemory", "1"),
        ("ACL", "SETUSER", "worker", "+@all"),
        ("KEYS", "*"),
        ("SCRIPT", "FLUSH"),
        ("SHUTDOWN", "NOSAVE"),
        ("HGETALL", "other:{0}"),
    ],
    ids=lambda command: command[0],
)
def test_what_would_harm_is_refused_in_earnest(
    server: RedisServer, settings: LedgerSettings, role: str, command: tuple[str, ...]
) -> None:
    allow(server, role, rule_of(role, settings).tokens)
    with client(server, username=role, password=PASSWORD) as theirs, pytest.raises(NoPermissionError):
        theirs.execute_command(*command)


def test_every_command_of_a_worker_can_be_asked_about(server: RedisServer, settings: LedgerSettings) -> None:
    everything = {*rule_of("worker", settings).commands, "select", *redis_cluster.COMMANDS}
    allow(server, "worker", (*rule_of("worker", settings).tokens, *(f"+{command}" for command in everything)))

    facts = RedisInspector(settings).user(sorted(everything), "worker")
    assert (len(facts.allowed), facts.refused) == (len(everything), ())


def test_select_goes_with_a_database_but_the_first() -> None:
    assert "select" not in rule_of("worker", LedgerSettings(url="redis://host/0")).commands
    assert "select" not in rule_of("worker", LedgerSettings(url="sqlite:///3")).commands
    assert "select" in rule_of("worker", LedgerSettings(url="redis://host/3")).commands


class TestCommand:
    """`gmv ledger acl`, and gmv's own commands as the users it prints."""

    @pytest.fixture
    def passwords(self, tmp_path: Path) -> Path:
        folder = tmp_path / "passwords"
        folder.mkdir()
        for role in ROLES:
            (folder / role).write_text(f"{PASSWORD} of {role}\n")
        return folder

    def test_a_server_with_the_printed_users_serves_each_command_to_its_user_alone(
        self, start_redis: Callable[..., RedisServer], passwords: Path, tmp_path: Path
    ) -> None:
        users = tmp_path / "users.acl"
        users.write_text(gmv("ledger", "acl", "--passwords", passwords))
        server = start_redis("--aclfile", str(users))
        client(server).execute_command("ACL", "SETUSER", "default", "off")
        url = server.url
        events = tmp_path / "events.jsonl"
        events.write_text("{}\n")

        def as_user(role: str) -> dict[str, str]:
            return {
                "GMV_LEDGER_URL": url,
                "GMV_LEDGER_USERNAME": role,
                "GMV_LEDGER_PASSWORD_FILE": str(passwords / role),
                "GMV_LEDGER_RETRY_SECONDS": "10",
            }

        refused = LedgerRefused.exit_code
        initialise = ("ledger", "init", "--log", events)
        said = gmv(*initialise, exit_code=refused, environment=as_user("reader"))
        assert "NOPERM" in said
        topic = gmv_json(*initialise, environment=as_user("administrator"))["topic"]
        earn(LedgerSettings(url=url, username="worker", password_file=passwords / "worker"), topic)
        for question in (("credits", "top"), ("credits", "show", "alice"), ("ledger", "verify")):
            gmv(*question, environment=as_user("reader"))
        gmv("credits", "leaderboard", environment=as_user("leaderboard"))
        assert gmv("credits", "export", environment=as_user("reader")).splitlines()[1:] == ["alice,7"]
        corrections = events.with_name("corrections.jsonl")
        corrections.write_text('{"id": "c", "from_owner": "alice", "to_owner": "bob", "micros": 2, "reason": "r"}')
        correct = ("ledger", "correct", "--file", corrections, "--new-owner", "bob")
        assert "NOPERM" in gmv(*correct, exit_code=refused, environment=as_user("reader"))
        gmv(*correct, environment=as_user("administrator"))
        assert gmv("credits", "export", environment=as_user("reader")).splitlines()[1:] == ["alice,5", "bob,2"]
        assert "NOAUTH" in gmv("credits", "top", exit_code=refused, environment={"GMV_LEDGER_URL": url})

    def test_without_passwords_nobody_can_be_these_users_yet(self, server: RedisServer) -> None:
        for line in gmv("ledger", "acl").splitlines():
            _, role, *tokens = line.split()
            client(server).execute_command("ACL", "SETUSER", role, *tokens)
            for password in ("", "guess"):
                theirs = client(server, username=role, password=password)
                with pytest.raises(AuthenticationError):
                    theirs.ping()

    def test_a_namespace_is_guarded_by_its_own_keys_and_json_says_the_same(self) -> None:
        users = gmv_json("ledger", "acl", environment={"GMV_LEDGER_NAMESPACE": "shop"})["users"]
        assert {user["role"]: user["keys"] for user in users} == {
            "worker": ["~shop:*"],
            "reader": ["%R~shop:*"],
            "leaderboard": ["%R~shop:*", "~shop:{leaderboard}*"],
            "doctor": ["%R~shop:*"],
            "administrator": ["~shop:*"],
        }

    def test_a_role_without_a_password_file_is_named(self, passwords: Path) -> None:
        (passwords / "reader").unlink()
        said = gmv("ledger", "acl", "--passwords", passwords, exit_code=InvalidSettings.exit_code)
        assert f"--passwords {passwords / 'reader'}: No such file" in said

    def test_no_password_is_printed(self, passwords: Path) -> None:
        assert PASSWORD not in gmv("ledger", "acl", "--passwords", passwords)


def earn(settings: LedgerSettings, topic: str) -> None:
    """Commit a batch from the ledger's position."""
    ledger = open_ledger(settings)
    position = ledger.positions(topic, [0])[0]
    following = replace(position, next_offset=position.next_offset + 1)
    assert ledger.commit(Batch(topic, 0, position, following, {"alice": 7}, [entry(1)])) == Committed()


def command_names(admin: Redis) -> list[str]:
    """All commands and subcommands that this server knows."""
    names = [name.decode() for name in unparsed(admin, "LIST")]
    containers = {name.split("|")[0] for name in names if "|" in name}
    return [name for name in names if name not in containers]


def unparsed(admin: Redis, *arguments: str) -> list[Any]:
    """Ask about commands, past redis-py's parser, which knows one form of the answer alone."""
    admin.set_response_callback("COMMAND", lambda answer, **_: answer)
    answer: list[Any] = admin.execute_command("COMMAND", *arguments)
    return answer


def tried(admin: Redis, role: str, command: str, key: str = "gmv:{0}") -> str:
    """What the server would say to a role's command on that key."""
    name = command.split("|")
    ((_, arity, *_),) = unparsed(admin, "INFO", command)
    arguments = ["0", "1", key] if command.startswith("evalsha") else [key]
    arguments += ["x"] * (abs(arity) - len(name) - len(arguments))
    if arity > 0:
        arguments = arguments[: arity - len(name)]
    try:
        said = admin.execute_command("ACL", "DRYRUN", role, *name, *arguments)
    except ResponseError as error:
        return str(error)
    return said.decode() if isinstance(said, bytes) else str(said)
