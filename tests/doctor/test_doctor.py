"""The doctor on real servers: what it finds in good ones and in bad ones, and that it only looks."""

import asyncio
import os
import shutil
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any, NamedTuple

import orjson
import pytest
from aiokafka import AIOKafkaConsumer
from kafka import KafkaProducer, TopicPartition
from pydantic import BaseModel

from gmv.doctor.examination import Area, Examination
from gmv.errors import Poison, Reason, Unfit
from gmv.index.manifest import IMAGES_FILE
from gmv.kafka.admin import describe_topic
from gmv.kafka.dead_letters import dead_letter_message
from gmv.kafka.rights import Right, rights
from gmv.kafka.topics import create_missing, planned
from gmv.ledger.beginning import Begin, FirstPartitions
from gmv.ledger.open import open_registry
from gmv.ledger.position import Position
from gmv.ledger.redis.acl import ROLES, rule_of
from gmv.ledger.redis.leaderboard import RedisLeaderboard
from gmv.settings import KafkaSettings, LedgerSettings, Settings
from gmv.stream.ports import DeadLetter
from gmv.stream.records import Partition, Record
from tests.corpus.corpora import rows, write_parquet
from tests.end_to_end.command import command, gmv
from tests.events.samples import line
from tests.indexing.index_builds import build
from tests.kafka.new_protocol_member import new_protocol_member
from tests.kafka.test_rights import USER
from tests.ledger.servers import client
from tests.services.kafka import KafkaBroker
from tests.services.patience import patience
from tests.services.redis import RedisServer, Sentinel, ValkeyServer
from tests.services.secure_kafka import SecureKafkaBroker
from tests.services.server import free_port, wait_for

pytestmark = pytest.mark.servers

Start = Callable[..., RedisServer]


class World(NamedTuple):
    """Servers in good order, with topics and a ledger of a test's own."""

    settings: Settings

    @property
    def topic(self) -> str:
        return self.settings.kafka.topic

    def found(self, *areas: Area, user: str | None = None, **changed: BaseModel | Path) -> dict[str, str]:
        """State and words of each check, all areas' if none is named; groups of settings may be changed."""
        findings = Examination(self.settings.model_copy(update=changed), user).of(areas or list(Area))
        return {each.check: f"{each.state}: {each.found}" for each in findings}


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("index")
    build(write_parquet(folder / "corpus.parquet", rows(6)), folder / "index", bad_share_max=0.5)
    return folder / "index"


@pytest.fixture
def world(kafka: KafkaBroker, redis_url: str, index: Path) -> World:
    topic = f"test-{uuid.uuid4().hex}"
    settings = Settings(
        index=index,
        kafka=KafkaSettings(
            brokers=kafka.address, topic=topic, group=topic, instance_id="worker-1", retry_seconds=patience(10)
        ),
        ledger=LedgerSettings(url=redis_url, namespace=topic, retry_seconds=patience(10)),
    )
    create_missing(settings, planned(settings, 2, 7.0))
    initialise(settings.kafka, settings.ledger)
    return World(settings)


def initialise(kafka: KafkaSettings, ledger: LedgerSettings) -> None:
    """What `gmv ledger init --topic` does."""
    log = describe_topic(kafka)
    with closing(open_registry(ledger)) as registry:
        registry.create(1)
        registry.register(kafka.topic, log.starts())


def send(kafka: KafkaBroker, topic: str, count: int, ago_seconds: float = 0.0) -> None:
    with closing(KafkaProducer(bootstrap_servers=kafka.address)) as producer:
        for _ in range(count):
            producer.send(topic, b"{}", partition=0, timestamp_ms=int((time.time() - ago_seconds) * 1_000))
        producer.flush()


def everything(kafka: KafkaBroker, server: RedisServer, topic: str) -> Any:
    """All that a check could have changed."""
    partitions = [TopicPartition(topic, number) for number in range(2)]
    with kafka.admin() as admin:
        return (
            sorted(admin.list_topics()),
            sorted(group["group_id"] for group in admin.list_groups()),
            admin.describe_topics([topic]),
            admin.list_partition_offsets(dict.fromkeys(partitions, -1)),
            sorted((key, client(server).dump(key)) for key in client(server).keys(f"{topic}*")),
            client(server).acl_list(),
            client(server).config_get("*"),
        )


def test_good_order_is_told_and_nothing_is_changed(world: World, kafka: KafkaBroker, redis_server: RedisServer) -> None:
    send(kafka, world.topic, 3)
    before = everything(kafka, redis_server, world.topic)
    found = world.found()
    assert everything(kafka, redis_server, world.topic) == before

    assert not [words for words in found.values() if words.startswith("problem")]
    assert found["brokers"] == f"ok: {kafka.address} answer"
    assert found["index"].endswith("6 images, every file as its manifest says")
    assert found["ledger"].endswith("holds credits of 0 events")
    assert found["Kafka rights"].startswith("ok")
    assert found["position headroom"] == "ok: 3 records wait to be credited, all within retention"
    assert found["clock"] == "ok: it agrees with that of Redis and the newest event"
    assert "one replica" in found[f"topic {world.topic}"]  # there is one broker


def test_one_bad_area_keeps_no_other_from_being_examined(world: World, tmp_path: Path) -> None:
    away, began = f"127.0.0.1:{free_port()}", time.monotonic()
    found = world.found(
        kafka=world.settings.kafka.model_copy(update={"brokers": away, "retry_seconds": 1.0}),
        ledger=LedgerSettings(url=f"redis://{away}", retry_seconds=1.0),
        index=tmp_path / "none",
    )
    assert time.monotonic() - began < patience(30)
    assert "does not answer" in found["kafka"]
    assert "did not answer" in found["ledger"]
    assert found["index"].startswith("problem")
    assert found["threads"].startswith("ok")


class TestCommand:
    """Its exit codes and its two forms; the machine and a file are enough for those."""

    @pytest.fixture
    def environment(self, tmp_path: Path) -> dict[str, str]:
        return {"GMV_LEDGER_URL": f"sqlite:///{tmp_path / 'none.db'}", "GMV_KAFKA_INSTANCE_ID": "worker-1"}

    def test_a_problem_is_an_exit_code_and_the_report_says_which(self, environment: dict[str, str]) -> None:
        done = subprocess.run(
            command("doctor", "--only", "machine", "--only", "ledger", "--json"),
            env=os.environ | environment,
            capture_output=True,
        )
        assert done.returncode == Unfit.exit_code
        assert done.stderr == b"gmv: 1 of 4 checks have to be fixed before a worker runs; see above\n"
        told = orjson.loads(done.stdout)
        assert (told["ok"], told["warnings"], told["problems"]) == (3, 0, 1)
        assert [each["check"] for each in told["findings"] if each["state"] == "problem"] == ["ledger"]

    def test_a_warning_is_one_only_where_it_is_asked_for(self, environment: dict[str, str]) -> None:
        printed = gmv("doctor", "--only", "index", environment=environment)
        assert ["warning", "index", "no", "index", "is", "named"] in [line.split()[:6] for line in printed.splitlines()]
        gmv("doctor", "--only", "index", "--strict", exit_code=Unfit.exit_code, environment=environment)

    def test_an_area_that_is_none(self, environment: dict[str, str]) -> None:
        assert "there is no area 'redis'" in gmv("doctor", "--only", "redis", exit_code=2, environment=environment)


class TestKafka:
    def test_records_that_were_deleted_before_they_were_credited(self, world: World, kafka: KafkaBroker) -> None:
        send(kafka, world.topic, 10)
        with kafka.admin() as admin:
            admin.delete_records({TopicPartition(world.topic, 0): 4})
        found = world.found(Area.KAFKA)["position headroom"]
        assert found == f"problem: {world.topic}[0]: records 0 to 3 were deleted before they were credited"

    def test_events_in_files_that_may_not_be_read(self, world: World, kafka: KafkaBroker, tmp_path: Path) -> None:
        event = line(data={"image": {"uri": "file:///images/a.png"}})
        with closing(KafkaProducer(bootstrap_servers=kafka.address)) as producer:
            for number in range(150):
                producer.send(world.topic, event if number < 3 else b"{}", partition=number % 2)
            producer.flush()
        found = world.found(Area.KAFKA)["images of events"]
        assert found.startswith("warning: 3 of the newest 150 events name a file by its URI, and images.root names no")
        root = world.settings.images.model_copy(update={"root": tmp_path})
        assert world.found(Area.KAFKA, images=root)["images of events"].startswith("ok: 3 of the newest 150")

    def test_dead_letters_of_one_reason(self, world: World, kafka: KafkaBroker) -> None:
        with closing(KafkaProducer(bootstrap_servers=kafka.address)) as producer:
            for number in range(12):
                why = Reason.IMAGE_REFUSED if number < 7 else Reason.IMAGE_CORRUPT
                refused = DeadLetter(Record(number, b"x", None, ()), Poison(why, "why"))
                message = dead_letter_message(Partition(world.topic, 0), refused, "g")
                producer.send(world.settings.kafka.dead_letters_topic, **message._asdict())
            producer.flush()
        found = world.found(Area.KAFKA)["reasons of dead letters"]
        assert found.startswith("warning: 7 of the newest 12 dead letters are image_refused")

    def test_records_that_soon_will_be(self, world: World, kafka: KafkaBroker) -> None:
        send(kafka, world.topic, 2, ago_seconds=6.8 * 86_400)
        assert "6.8 days old, and they are deleted after 7.0 days" in world.found(Area.KAFKA)["position headroom"]

    def test_a_topic_that_was_made_anew(self, world: World, kafka: KafkaBroker) -> None:
        with kafka.admin() as admin:
            admin.delete_topics([world.topic])
        kafka.create_topic(world.topic, 2)
        assert "another topic of this name" in world.found(Area.KAFKA)["position headroom"]

    def test_partitions_that_were_added_and_have_no_position(self, world: World, kafka: KafkaBroker) -> None:
        with kafka.admin() as admin:
            admin.create_partitions({world.topic: 3})
        said = world.found(Area.KAFKA)["kafka"]
        assert f"no position for {world.topic}[2]" in said
        assert "gmv ledger init" in said

    def test_a_partition_that_was_added_and_began_late(self, world: World, kafka: KafkaBroker) -> None:
        """As `gmv ledger init --from end` registered it until 0.1."""
        with kafka.admin() as admin:
            admin.create_partitions({world.topic: 3})
        first = {number: Begin(0, 0) for number in (0, 1)}
        topic_id = describe_topic(KafkaSettings(brokers=kafka.address, topic=world.topic)).topic_id
        with closing(open_registry(world.settings.ledger)) as registry:
            registry.first_partitions(world.topic, FirstPartitions(topic_id, first))
            registry.register(world.topic, {2: Position(topic_id, 5)}, {2: 0})
        assert "records 0 to 4 were never credited" in world.found(Area.KAFKA)["positions' beginnings"]

    def test_an_event_of_the_future(self, world: World, kafka: KafkaBroker) -> None:
        send(kafka, world.topic, 1, ago_seconds=-600)
        assert "s ahead of this machine's clock" in world.found(Area.KAFKA)["clock"]

    def test_a_member_by_another_group_protocol(self, world: World, kafka: KafkaBroker) -> None:
        check = f"group {world.topic}"
        assert world.found(Area.KAFKA)[check] == "ok: nobody has been in it that we can see"
        send(kafka, world.topic, 12)
        with new_protocol_member(kafka, world.topic, world.topic):
            assert world.found(Area.KAFKA)[check].startswith("problem: it is of the group protocol 'consumer' (")
        assert world.found(Area.KAFKA)[check] == "ok: 0 workers are in it (empty)"

    @pytest.mark.parametrize(
        ("client", "instance", "is_stranger"),
        [("gmv", None, False), ("worker-1", "worker-1", False), ("console-consumer", None, True), ("x", "x-1", True)],
    )
    async def test_a_member_that_is_no_worker(
        self, world: World, kafka: KafkaBroker, client: str, instance: str | None, is_stranger: bool
    ) -> None:
        consumer = AIOKafkaConsumer(
            world.topic,
            bootstrap_servers=kafka.address,
            group_id=world.topic,
            client_id=client,
            group_instance_id=instance,
        )
        await consumer.start()
        try:
            found = (await asyncio.to_thread(world.found, Area.KAFKA))[f"group {world.topic}"]
        finally:
            await consumer.stop()
        stranger = f"problem: 1 of its 1 members are no workers of gmv ({client} at /127.0.0.1)"
        assert found.startswith(stranger if is_stranger else "ok: 1 workers are in it (stable)")

    def test_rights_that_a_worker_lacks(self, world: World, secure_kafka: SecureKafkaBroker) -> None:
        kafka = secure_kafka.by_password(USER, topic=world.topic, group=world.topic, retry_seconds=patience(10))
        for name in (kafka.topic, kafka.receipts_topic, kafka.dead_letters_topic):
            secure_kafka.create_topic(name, 2)
        given = rights("worker", kafka)
        secure_kafka.allow(USER, *given[:3])
        found = world.found(Area.KAFKA, kafka=kafka)
        assert found[f"topic {kafka.dead_letters_topic}"] == "problem: this user may not even see it"
        secure_kafka.allow(USER, *given[1:], Right("Describe", "Topic", kafka.topic))
        found = world.found(Area.KAFKA, kafka=kafka)
        assert found["Kafka rights"] == f"problem: this user may not do what a worker does: Read on topic {kafka.topic}"
        findings = list(Examination(world.settings.model_copy(update={"kafka": kafka})).of([Area.KAFKA]))
        assert "this user may not read its settings" in [each.found for each in findings]


class TestRedis:
    @pytest.fixture
    def start(self) -> Iterator[Start]:
        with ExitStack() as started:
            yield lambda *options, kind=RedisServer: started.enter_context(kind("everysec", options))

    def test_a_server_that_forgets(self, world: World, start: Start) -> None:
        server = start("--appendonly", "no", "--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru")
        ledger = LedgerSettings(url=server.url)
        initialise(world.settings.kafka, ledger)
        found = world.found(Area.LEDGER, ledger=ledger)
        assert found["Redis persistence"].startswith("problem: it keeps no append-only file")
        assert found["Redis memory"].startswith("problem: when it is full it drops keys (allkeys-lru)")

    @pytest.mark.parametrize(
        ("renamed", "check", "said"),
        [
            ("FLUSHALL", "Redis rights", "warning: user default may run del, config|set, keys, which gmv never does"),
            ("KEYS", "Redis rights", "warning: user default may run flushall, del, config|set, which gmv never does"),
            ("CONFIG", "Redis persistence", "warning: it keeps an append-only file; when that reaches the disk cannot"),
            ("ACL", "Redis rights", "warning: this user may not ask what it may do (ACL WHOAMI, ACL DRYRUN)"),
            ("INFO", "Redis", "warning: this user may not ask it how it is (INFO)"),
            ("TIME", "clock", "ok: not compared"),
            ("EVALSHA", "Redis rights", "problem: user default may not run evalsha on the ledger, which a worker does"),
        ],
    )
    @pytest.mark.parametrize("kind", [RedisServer, ValkeyServer])
    def test_a_command_that_is_taken_away_hides_no_other_check(
        self, world: World, start: Start, kind: type[RedisServer], renamed: str, check: str, said: str
    ) -> None:
        """As Bitnami's charts and managed servers do, by `rename-command`."""
        found = world.found(
            Area.LEDGER, ledger=LedgerSettings(url=start("--rename-command", renamed, "", kind=kind).url)
        )
        assert found[check].startswith(said)
        told_by_info = {"Redis version", "Redis role"} if renamed != "INFO" else set()
        assert {"Redis rights", "Redis persistence", "Redis memory", "ledger", *told_by_info} <= found.keys()

    def test_users_see_what_they_may_and_their_rights_are_judged(
        self, world: World, start: Start, tmp_path: Path
    ) -> None:
        server = start()
        ledger = LedgerSettings(url=server.url)
        initialise(world.settings.kafka, ledger)
        (tmp_path / "password").write_text("s3cret words")
        for role in ROLES:
            tokens = rule_of(role, ledger).tokens
            client(server).execute_command("ACL", "SETUSER", role, "on", ">s3cret words", *tokens)

        def found_as(role: str, user: str | None = None) -> dict[str, str]:
            theirs = ledger.model_copy(update={"username": role, "password_file": tmp_path / "password"})
            return world.found(Area.LEDGER, user=user, ledger=theirs)

        found = found_as("doctor", "worker")
        assert found["Redis rights"].startswith("ok: user worker may do what a worker does")
        assert "commits back" in found["Redis persistence"]  # appendfsync everysec was read
        assert found["clock"].startswith("ok: it agrees with that of Redis")
        assert "user reader may not run evalsha, hset" in found_as("doctor", "reader")["Redis rights"]
        found = found_as("worker")
        assert found["Redis"].startswith("warning: this user may not ask")
        assert found["ledger"].startswith("ok")
        found = found_as("doctor")
        assert found["Redis rights"].startswith("warning: user doctor may look at the ledger and write nothing")
        assert not [words for words in found.values() if words.startswith("problem")]
        assert found_as("doctor", "doctor")["Redis rights"].startswith("problem: user doctor may not run evalsha")
        assert found_as("doctor", "ghost")["Redis rights"] == "problem: there is no user ghost"

    def test_valkey_is_known_by_its_own_version(self, world: World, start: Start) -> None:
        ledger = LedgerSettings(url=start(kind=ValkeyServer).url)
        initialise(world.settings.kafka, ledger)
        found = world.found(Area.LEDGER, ledger=ledger)
        assert found["Redis version"].startswith("ok: it is Valkey ")
        assert not [words for words in found.values() if words.startswith("problem")]

    def test_a_sentinel_is_no_place_for_a_ledger(self, world: World, start: Start) -> None:
        with Sentinel(start()) as sentinel:
            found = world.found(Area.LEDGER, ledger=LedgerSettings(url=sentinel.url))
        assert found["Redis"] == "problem: it is a Sentinel, which keeps no data"

    def test_the_servers_of_a_cluster_are_judged_by_their_addresses(self, world: World, start: Start) -> None:
        server = start("--cluster-enabled", "yes", "--cluster-port", str(free_port()))
        client(server).execute_command("CLUSTER", "ADDSLOTSRANGE", "0", "16383")
        wait_for(lambda: client(server).cluster("info")["cluster_state"] == "ok", 20, "the cluster")
        ledger = LedgerSettings(url=f"redis+cluster://{server.address}")
        initialise(world.settings.kafka, ledger)
        found = world.found(Area.LEDGER, ledger=ledger)
        assert found[f"Redis {server.address} role"] == "ok: it is a primary"
        assert found["Redis rights"].startswith("warning: user default may run flushall")
        assert found["ledger"].startswith("ok")
        assert RedisLeaderboard(ledger).make(limit=5).owners == 0

    def test_a_ledger_in_a_file(self, world: World, tmp_path: Path) -> None:
        ledger = LedgerSettings(url=f"sqlite:///{tmp_path / 'ledger.db'}")
        assert "there is no such file" in world.found(Area.LEDGER, ledger=ledger)["ledger"]
        initialise(world.settings.kafka, ledger)
        assert world.found(Area.LEDGER, ledger=ledger).keys() == {"ledger", "clock"}


def test_an_altered_index(world: World, index: Path, tmp_path: Path) -> None:
    copied = Path(shutil.copytree(index, tmp_path / "copied"))
    content = bytearray((copied / IMAGES_FILE).read_bytes())
    content[-1] ^= 1
    (copied / IMAGES_FILE).write_bytes(content)
    found = world.found(Area.INDEX, index=copied)["index"]
    assert found.startswith("problem")
    assert IMAGES_FILE in found
