"""Books on the primaries of a cluster: each goes its own way, and their totals are one."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from redis import Redis

from gmv.errors import InvalidSettings, LedgerRefused, LedgerUnavailable
from gmv.ledger.open import open_accounts, open_janitor, open_ledger, open_registry
from gmv.ledger.port import Batch, Committed, Ledger, Rewound, Sums
from gmv.ledger.redis.acl import ROLES, rule_of
from gmv.ledger.redis.address import address_of
from gmv.ledger.redis.cluster import Cluster
from gmv.ledger.redis.leaderboard import RedisLeaderboard
from gmv.ledger.verify import conservation
from gmv.settings import LedgerSettings
from tests.cli.command import gmv, gmv_json, refused
from tests.ledger.batches import START, TOPIC, at, batch, entry, identity
from tests.ledger.servers import log_of
from tests.services.certificates import Authority
from tests.services.patience import patience
from tests.services.redis import RedisServer
from tests.services.redis_cluster import RedisCluster
from tests.services.server import free_port, wait_for

pytestmark = pytest.mark.servers

BOOKS = 4
PRIMARY_OF_BOOK = (2, 1, 1, 0)
"""What Redis makes of `{0}` to `{3}`: with three books, one of three primaries would have none."""


@pytest.fixture(scope="module")
def cluster() -> Iterator[RedisCluster]:
    """One that is mistreated, and whole again after each test."""
    with RedisCluster(node_timeout_seconds=1.0) as cluster:
        yield cluster


@pytest.fixture
def settings(cluster: RedisCluster, request: pytest.FixtureRequest) -> LedgerSettings:
    """A ledger of four books, with a partition for each, whose position is its start."""
    namespace = f"t{abs(hash(request.node.name))}"
    settings = LedgerSettings(url=cluster.url, namespace=namespace, retry_seconds=patience(20))
    registry = open_registry(settings)
    registry.create(BOOKS)
    registry.register(TOPIC, dict.fromkeys(range(BOOKS), START))
    registry.close()
    return settings


def step(partition: int, number: int) -> Batch:
    """The batch of a partition that begins at offset 10 * number; everybody's owner and one of its own earn."""
    expected = at(10 * number, f"{number}") if number else START
    earned = {"everybody": 1, f"of {partition}": 10**number}
    one = entry(100 * partition + number, offset=10 * number)
    return batch(expected, at(10 * number + 10, f"{number + 1}"), earned, [one], partition=partition)


def go_on(ledger: Ledger, partition: int, number: int) -> int:
    """Commit what follows, going back to where the answer says; return how many batches were committed once more."""
    answer = ledger.commit(step(partition, number))
    again = 0
    if isinstance(answer, Rewound):
        begin = answer.found.next_offset // 10
        again = number - begin
        for each in range(begin, number + 1):
            assert ledger.commit(step(partition, each)) == Committed()
    else:
        assert answer == Committed()
    return again


def test_a_book_is_where_its_key_is(cluster: RedisCluster, settings: LedgerSettings) -> None:
    found = []
    for book in range(BOOKS):
        key = f"{settings.namespace}:{{{book}}}"
        assert cluster.node_of(key).client().exists(key) == 1
        found.append(cluster.nodes.index(cluster.node_of(key)))
    assert tuple(found) == PRIMARY_OF_BOOK


def test_totals_are_summed_over_primaries_and_each_commit_is_one_call(
    cluster: RedisCluster, settings: LedgerSettings
) -> None:
    ledger, accounts = open_ledger(settings), open_accounts(settings)
    for partition in range(BOOKS):
        assert ledger.commit(step(partition, 0)) == Committed()
    before = [calls(node.client()) for node in cluster.nodes]
    for partition in range(BOOKS):
        assert ledger.commit(step(partition, 1)) == Committed()
    assert [calls(node.client()) - each for node, each in zip(cluster.nodes, before, strict=True)] == [1, 2, 1]
    assert accounts.totals(["everybody", "of 2"]) == {"everybody": 2 * BOOKS, "of 2": 11}
    assert accounts.sums() == Sums(BOOKS * 13, 2 * BOOKS, 0, 0)
    assert conservation(accounts).complaints == ()


def calls(client: Redis) -> int:
    """How many scripts a server has run."""
    statistics = client.info("commandstats").get("cmdstat_evalsha", {})
    return int(statistics.get("calls", 0))


@pytest.mark.parametrize("share_kept", [0.0, 0.7])
def test_a_tail_lost_on_one_primary_is_followed_back_there_and_nowhere_else(
    cluster: RedisCluster, settings: LedgerSettings, share_kept: float
) -> None:
    ledger = open_ledger(settings)
    for number in range(3):
        for partition in range(BOOKS):
            assert ledger.commit(step(partition, number)) == Committed()
    node = cluster.node_of(f"{settings.namespace}:{{1}}")
    whole = log_of(node).stat().st_size
    for number in range(3, 6):
        for partition in range(BOOKS):
            assert ledger.commit(step(partition, number)) == Committed()
    node.kill()
    log = log_of(node).read_bytes()
    log_of(node).write_bytes(log[: whole + round(share_kept * (len(log) - whole))])
    node.start()
    cluster.wait_until_ready()
    again = [go_on(ledger, partition, 6) for partition in range(BOOKS)]
    assert (again[0], again[3]) == (0, 0), "their primaries lost nothing"
    assert min(again[1], again[2]) > 0
    for _ in range(2):  # the second restart after a torn file is the one that may count twice
        accounts = open_accounts(settings)
        expected = {"everybody": 7 * BOOKS} | {f"of {partition}": 1_111_111 for partition in range(BOOKS)}
        assert {each.owner_id: each.micros for each in accounts.balances()} == expected
        assert accounts.sums() == Sums(sum(expected.values()), 7 * BOOKS, 0, 0)
        assert conservation(accounts).complaints == ()
        node.restart()
        cluster.wait_until_ready()


def test_books_on_the_primaries_that_are_there_go_on(cluster: RedisCluster, settings: LedgerSettings) -> None:
    ledger = open_ledger(settings.model_copy(update={"retry_seconds": 1.0}))
    for partition in range(BOOKS):
        assert ledger.commit(step(partition, 0)) == Committed()
    node = cluster.node_of(f"{settings.namespace}:{{0}}")
    node.kill()
    with pytest.raises(LedgerUnavailable, match=r"redis\+cluster://.*nothing is known to be lost"):
        ledger.commit(step(0, 1))
    for partition in range(1, BOOKS):
        assert ledger.commit(step(partition, 1)) == Committed()
    back = threading.Timer(0.3, node.start)
    back.start()
    patient = open_ledger(settings)
    assert go_on(patient, 0, 1) == 0
    back.join()
    cluster.wait_until_ready()
    assert go_on(ledger, 0, 2) == 0


def test_a_cluster_that_wants_to_be_whole_is_waited_for(cluster: RedisCluster, settings: LedgerSettings) -> None:
    node = cluster.node_of(f"{settings.namespace}:{{0}}")
    others = [each for each in cluster.nodes if each is not node]
    for each in others:
        each.client().config_set("cluster-require-full-coverage", "yes")
    try:
        impatient = open_ledger(settings.model_copy(update={"retry_seconds": 0.5}))
        impatient.positions(TOPIC, range(BOOKS))
        node.kill()
        wait_for(lambda: all(state_of(each.client()) == "fail" for each in others), 20, "the others to notice")
        with pytest.raises(LedgerUnavailable, match=r"CLUSTERDOWN .*bring them back"):
            impatient.commit(step(1, 0))
        node.start()
        cluster.wait_until_ready()
        assert impatient.commit(step(1, 0)) == Committed()
    finally:
        for each in others:
            each.client().config_set("cluster-require-full-coverage", "no")


def state_of(client: Redis) -> str:
    return str(client.execute_command("CLUSTER INFO")["cluster_state"])


def test_scripts_are_loaded_where_they_are_wanted(cluster: RedisCluster, settings: LedgerSettings) -> None:
    """Also while another primary, which they are not wanted on, is away."""
    ledger, accounts = open_ledger(settings), open_accounts(settings)
    ledger.positions(TOPIC, range(BOOKS))
    away = cluster.node_of(f"{settings.namespace}:{{0}}")
    for node in cluster.nodes:
        node.client().script_flush()
    assert sum(book.micros for book in accounts.snapshots()) == 0
    for node in cluster.nodes:
        node.client().script_flush()
    away.kill()
    assert ledger.commit(step(3, 0)) == Committed()
    away.start()
    cluster.wait_until_ready()


def test_a_book_that_moves_to_another_primary_is_followed(cluster: RedisCluster, settings: LedgerSettings) -> None:
    """In the middle of the move its slot has two servers; the key is on the second, the first sends on."""
    key = f"{settings.namespace}:{{3}}"
    ledger = open_ledger(settings)
    assert ledger.commit(step(3, 0)) == Committed()
    first, third = cluster.nodes[0], cluster.nodes[2]
    for source, target in ((first, third), (third, first)):  # and back, since other tests use the cluster
        before = open_accounts(settings).totals(["everybody"])["everybody"]
        slot = source.client().execute_command("CLUSTER KEYSLOT", key)
        names = {node: node.client().execute_command("CLUSTER MYID").decode() for node in (source, target)}
        target.client().execute_command("CLUSTER SETSLOT", slot, "IMPORTING", names[source])
        source.client().execute_command("CLUSTER SETSLOT", slot, "MIGRATING", names[target])
        assert ledger.commit(step(3, before)) == Committed()
        for each in source.client().execute_command("CLUSTER GETKEYSINSLOT", slot, 100):
            source.client().execute_command("MIGRATE", "127.0.0.1", target.port, each, 0, 5_000)
        assert ledger.commit(step(3, before + 1)) == Committed()
        for node in cluster.nodes:
            node.client().execute_command("CLUSTER SETSLOT", slot, "NODE", names[target])
        assert ledger.commit(step(3, before + 2)) == Committed()
    assert conservation(open_accounts(settings)).complaints == ()
    assert open_accounts(settings).totals(["everybody"]) == {"everybody": 7}


def test_identities_expire_book_by_book(settings: LedgerSettings) -> None:
    open_registry(settings).state_window(15)
    ledger, janitor = open_ledger(settings), open_janitor(settings)
    for number in range(4):
        ledger.commit(step(0, number))
        if number < 2:
            ledger.commit(step(1, number))
    assert [janitor.sweep(book).expired for book in range(BOOKS)] == [3, 1, 0, 0]
    assert ledger.known(1, [identity(101)]).keys() == {identity(101)}


class TestAddress:
    def test_one_server_that_answers_is_enough(self, cluster: RedisCluster, settings: LedgerSettings) -> None:
        url = f"redis+cluster://127.0.0.1:{free_port()},{cluster.nodes[1].address}/0"
        assert set(open_ledger(settings.model_copy(update={"url": url})).positions(TOPIC, [0, 1, 2, 3])) == {0, 1, 2, 3}

    def test_nobody_there(self) -> None:
        url = f"redis+cluster://127.0.0.1:{free_port()}"
        with pytest.raises(LedgerUnavailable, match=r"did not answer within 0.4 s .*refused"):
            open_accounts(LedgerSettings(url=url, retry_seconds=0.4)).sums()

    def test_a_server_of_a_cluster_alone_is_not_the_ledgers_server(self, cluster: RedisCluster) -> None:
        for node in cluster.nodes[:2]:  # `{0}` is on the third
            with pytest.raises(LedgerRefused, match=r"MOVED .*redis\+cluster://"):
                open_accounts(LedgerSettings(url=node.url, retry_seconds=600)).sums()

    def test_a_server_that_is_no_cluster(self, redis_server: RedisServer) -> None:
        url = f"redis+cluster://{redis_server.address}"
        with pytest.raises(LedgerRefused, match=r"cluster support disabled.*nothing but a cluster"):
            open_accounts(LedgerSettings(url=url, retry_seconds=600)).sums()

    @pytest.mark.parametrize(
        ("url", "complaint"),
        [
            ("redis+cluster://localhost:7000/1", "a cluster has no database but 0"),
            ("redis+cluster://localhost:7000,", r"give redis\+cluster://host:port,host:port"),
            ("redis+cluster://", r"give redis\+cluster://"),
            ("redis+cluster://localhost:7000,localhost:70000", "Port out of range"),
            ("redis+cluster://worker:hunter2@localhost:7000", "URLs end in logs"),
            ("redis+cluster://localhost:7000?db=1", "unknown option 'db'"),
            ("redis://localhost:7000,localhost:7001/0", "give redis://host:port/database"),
            ("redis+sentinel://localhost:7000", "gmv asks no Sentinel"),
        ],
    )
    def test_what_is_no_address_is_refused_before_anything_is_sent(self, url: str, complaint: str) -> None:
        with pytest.raises(InvalidSettings, match=complaint) as refusal:
            open_ledger(LedgerSettings(url=url)).positions(TOPIC, [0])
        assert "hunter2" not in str(refusal.value)


def test_a_leaderboard_is_made_over_all_books(settings: LedgerSettings) -> None:
    ledger = open_ledger(settings)
    for partition in range(BOOKS):
        assert ledger.commit(step(partition, 0)) == Committed()
    leaderboard = RedisLeaderboard(settings)
    assert leaderboard.make(limit=3).owners == 3
    with Cluster(address_of(settings).hosts) as client:
        held = client.zrange(f"{settings.namespace}:{{leaderboard}}", 0, 0, desc=True, withscores=True)
    assert [(name, score) for name, score in map(tuple, held)] == [(b"everybody", float(BOOKS))]


def test_a_cluster_behind_tls(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    mine = authority.issue("worker")
    with RedisCluster(primaries=2, authority=authority) as secure:
        files = {"ca_file": authority.file, "cert_file": mine.file, "key_file": mine.key}
        settings = LedgerSettings(url=secure.url, retry_seconds=patience(20), **files)
        registry = open_registry(settings)
        registry.create(2)
        registry.register(TOPIC, {0: START, 1: START})
        ledger = open_ledger(settings)
        assert [ledger.commit(step(0, 0)), ledger.commit(step(1, 0))] == [Committed(), Committed()]
        with pytest.raises(LedgerRefused, match=r"certificate is refused .*ledger.ca_file"):
            open_ledger(settings.model_copy(update={"ca_file": None})).positions(TOPIC, [0])


@pytest.fixture
def as_user(cluster: RedisCluster, settings: LedgerSettings, tmp_path: Path) -> Callable[[str], LedgerSettings]:
    """Make a role's user on every primary, and say how it reaches the ledger."""
    (tmp_path / "password").write_text("s3cret words")

    def make(role: str) -> LedgerSettings:
        for node in cluster.nodes:
            rules = rule_of(role, settings).tokens
            node.client().execute_command("ACL", "SETUSER", role, "reset", "on", ">s3cret words", *rules)
        return settings.model_copy(
            update={"username": role, "password_file": tmp_path / "password", "retry_seconds": 600.0}
        )

    return make


def test_users_find_their_way(as_user: Callable[[str], LedgerSettings], settings: LedgerSettings) -> None:
    worker = open_ledger(as_user("worker"))
    for partition in range(BOOKS):
        assert worker.commit(step(partition, 0)) == Committed()
    reader = open_accounts(as_user("reader"))
    assert [book.micros for book in reader.snapshots(balances=True)] == [2] * BOOKS
    assert len(list(reader.balances())) == 1 + BOOKS
    open_registry(as_user("administrator")).state_window(5)
    with pytest.raises(LedgerRefused, match=r"NOPERM.*let this user run"):
        open_ledger(as_user("reader")).commit(step(0, 1))


def test_the_printed_users_serve_gmvs_own_commands(cluster: RedisCluster, tmp_path: Path) -> None:
    (passwords := tmp_path / "passwords").mkdir()
    for role in ROLES:
        (passwords / role).write_text(f"s3cret words of {role}")
    ledger = LedgerSettings(url=cluster.url, namespace="printed", retry_seconds=patience(20))
    for line in gmv(ledger, "ledger", "acl", "--passwords", passwords).stdout.splitlines():
        _, role, *rules = line.split()
        for node in cluster.nodes:
            node.client().execute_command("ACL", "SETUSER", role, "reset", *rules)

    def login(role: str) -> LedgerSettings:
        return ledger.model_copy(update={"username": role, "password_file": passwords / role})

    (events := tmp_path / "events.jsonl").write_text("{}\n")
    (receipts := tmp_path / "receipts.jsonl").write_text("")
    initialise = ("ledger", "init", "--log", events, "--books", BOOKS)
    assert "NOPERM" in refused(login("reader"), LedgerRefused.exit_code, *initialise)
    assert gmv_json(login("administrator"), *initialise)["registered"] == [0]
    assert gmv_json(login("reader"), "ledger", "verify")["conserved"] is True
    nothing = gmv(login("reader"), "explain", "nobody", "--source", "/s", "--receipts", receipts)
    assert (nothing.returncode, nothing.stderr) == (1, "")
    assert gmv_json(login("leaderboard"), "credits", "leaderboard")["owners"] == 0


def test_a_wrong_password_is_refused_at_once(
    as_user: Callable[[str], LedgerSettings], settings: LedgerSettings, tmp_path: Path
) -> None:
    theirs = as_user("worker")
    (tmp_path / "password").write_text("guess")
    with pytest.raises(LedgerRefused, match=r"WRONGPASS .*ledger.password_file"):
        open_ledger(theirs).positions(TOPIC, [0])
