"""The servers that the rest of the suite stands on: they keep their data, and end when they should."""

import shutil
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import psutil
import pytest
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from PIL import Image
from prometheus_client import CollectorRegistry, Counter, start_http_server
from redis import Redis

from tests.services.browser import dump_dom, save_screenshot
from tests.services.kafka import KafkaBroker
from tests.services.patience import patience
from tests.services.prometheus import PrometheusServer
from tests.services.redis import RedisServer
from tests.services.server import HOST, Server, ServerError, free_port, is_listening, wait_for

pytestmark = pytest.mark.servers


def test_redis_keeps_acknowledged_writes_through_a_kill() -> None:
    with RedisServer(appendfsync="always") as server, Redis.from_url(server.url) as client:
        client.hset("book", mapping={"o:alice": 600_000, "o:bob": 400_000})
        port = server.port
        server.kill()
        assert not is_listening(port)
        server.start()
        assert server.port == port
        assert client.hgetall("book") == {b"o:alice": b"600000", b"o:bob": b"400000"}
        server.restart()
        assert client.hlen("book") == 2


def test_redis_takes_options() -> None:
    with RedisServer("everysec", ["--maxmemory", "10mb"]) as server, Redis.from_url(server.url) as client:
        wanted = {"appendonly": "yes", "appendfsync": "everysec", "maxmemory": str(10 * 2**20), "bind": HOST}
        assert client.config_get(*wanted) == wanted


def test_kafka_keeps_acknowledged_records_through_a_kill() -> None:
    sent = [b"%d" % number for number in range(100)]
    with KafkaBroker() as broker:
        broker.create_topic("kept", partitions=2)
        with KafkaProducer(bootstrap_servers=broker.address, acks="all") as producer:
            for number, value in enumerate(sent):
                producer.send("kept", value, partition=number % 2).get(timeout=patience(30))
        broker.kill()
        broker.start()
        assert sorted(_all_values(broker, "kept", len(sent))) == sorted(sent)
        broker.restart()
        assert sorted(_all_values(broker, "kept", len(sent))) == sorted(sent)


def _all_values(broker: KafkaBroker, topic: str, count: int) -> list[bytes]:
    """Read until `count` records are there, and once more, for records that should not be."""
    consumer = KafkaConsumer(bootstrap_servers=broker.address, auto_offset_reset="earliest", enable_auto_commit=False)
    values: list[bytes] = []

    def poll(timeout_ms: int) -> None:
        values.extend(record.value for run in consumer.poll(timeout_ms).values() for record in run)

    def poll_all() -> bool:
        poll(500)
        return len(values) >= count

    try:
        consumer.assign([TopicPartition(topic, partition) for partition in range(2)])
        wait_for(poll_all, 30, f"{count} records of {topic}")
        poll(200)
    finally:
        consumer.close()
    return values


def test_kafka_makes_topics_as_asked_and_none_by_itself() -> None:
    with KafkaBroker({"message.max.bytes": "2000000"}) as broker:
        broker.create_topic("small", partitions=3, max_message_bytes="5000")
        with broker.admin() as admin:
            assert admin.list_topics() == ["small"]
            (description,) = admin.describe_topics(["small"])
        assert len(description["partitions"]) == 3
        with KafkaProducer(bootstrap_servers=broker.address) as producer, pytest.raises(Exception, match=r"[Tt]oo"):
            producer.send("small", b"x" * 6000).get(timeout=patience(30))


def test_prometheus_scrapes_and_answers_queries() -> None:
    registry = CollectorRegistry()
    Counter("gmv_events", "Events.", ["outcome"], registry=registry).labels("credited").inc(41)
    web, thread = start_http_server(0, HOST, registry)
    try:
        with PrometheusServer(f"{HOST}:{web.server_port}") as prometheus:
            (sample,) = wait_for(lambda: prometheus.query("gmv_events_total"), 20, "the counter scraped")
            assert sample["metric"]["outcome"] == "credited"
            assert float(sample["value"][1]) == 41
            assert prometheus.query("gmv_nothing") == []
    finally:
        web.shutdown()
        web.server_close()
        thread.join()


PAGE = """
<!doctype html><title>page</title><body style="margin:0"><img src="red.png" width="64" height="64">
<p id="said"></p><script>document.getElementById("said").textContent = "ran " + (40 + 2)</script>
"""


def test_the_browser_shows_a_file_with_its_picture_and_runs_its_script(tmp_path: Path) -> None:
    Image.new("RGB", (8, 8), (255, 0, 0)).save(tmp_path / "red.png")
    page = tmp_path / "page.html"
    page.write_text(PAGE)
    assert '<p id="said">ran 42</p>' in dump_dom(page)
    save_screenshot(page, tmp_path / "shot.png", width=200, height=300)
    with Image.open(tmp_path / "shot.png") as shot:
        assert shot.size == (200, 300)
        assert shot.convert("RGB").getpixel((32, 32)) == (255, 0, 0)
        assert shot.convert("RGB").getpixel((150, 32)) == (255, 255, 255)


def test_a_server_that_ends_at_once_shows_its_log() -> None:
    with pytest.raises(ServerError, match=r"(?s)RedisServer ended while it started.*no-such-option"):
        RedisServer(options=["--no-such-option", "1"]).__enter__()


def test_a_server_that_is_never_ready_is_given_up() -> None:
    class Deaf(RedisServer):
        ready_seconds = 0.05

        def is_ready(self) -> bool:
            return False

    server = Deaf()
    with pytest.raises(
        ServerError, match=f"Deaf at {server.address} ready: not within {patience(0.05):g} s; its log ends"
    ):
        server.__enter__()
    assert not server.is_running
    assert not server.folder.exists()


def test_a_running_server_is_not_started_twice() -> None:
    with RedisServer() as server, pytest.raises(ServerError, match="runs already"):
        server.start()


def test_a_server_outlives_the_thread_that_started_it() -> None:
    with RedisServer() as server:
        server.kill()
        thread = threading.Thread(target=server.start)
        thread.start()
        thread.join()
        with Redis.from_url(server.url) as client:
            assert client.ping()


def test_servers_end_with_a_test_run_that_is_killed() -> None:
    program = """
        import time
        from tests.services.redis import RedisServer
        server = RedisServer().start()
        print(server._process.pid, server.folder, flush=True)
        time.sleep(600)
    """
    with subprocess.Popen([sys.executable, "-c", textwrap.dedent(program)], stdout=subprocess.PIPE) as run:
        assert run.stdout
        pid, folder = run.stdout.readline().decode().split()
        server = psutil.Process(int(pid))
        run.kill()
    server.wait(timeout=patience(10))
    shutil.rmtree(folder)


def test_ports_are_given_once_and_below_those_of_outgoing_connections() -> None:
    ports = [free_port() for _ in range(50)]
    assert len({*ports}) == 50
    first_outgoing = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    assert max(ports) < first_outgoing


def test_every_server_is_on_loopback_only() -> None:
    with RedisServer() as redis, KafkaBroker() as kafka, PrometheusServer(redis.address) as prometheus:
        for server in (redis, kafka, prometheus):
            assert _listening_hosts(server) <= {HOST, f"::ffff:{HOST}"}


def _listening_hosts(server: Server) -> set[str]:
    assert server._process
    connections = psutil.Process(server._process.pid).net_connections("tcp")
    return {connection.laddr.ip for connection in connections if connection.status == psutil.CONN_LISTEN}
