"""The producers of examples/, which know nothing of gmv: their events are credited."""

import hashlib
import signal
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from gmv.corpus.port import image_files
from gmv.index.opened import Index
from gmv.ledger.open import open_accounts
from gmv.settings import LedgerSettings
from tests.conftest import TopicFactory
from tests.corpus.corpora import opened
from tests.end_to_end.command import command, gmv
from tests.kafka.world import reading
from tests.services.go_examples import build
from tests.services.kafka import KafkaBroker
from tests.services.patience import patience
from tests.services.server import free_port, mortal, wait_for

EXAMPLES = Path(__file__).parents[2] / "examples"


def test_images_sent_by_python_and_by_go_are_credited_once(
    small_index: Index,
    kafka: KafkaBroker,
    topic: TopicFactory,
    redis_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    name = topic(2)
    kafka.create_topic(f"{name}.attributions", 2)
    kafka.create_topic(f"{name}.dlq", 1)
    for key, value in {
        "INDEX": str(small_index.path),
        "KAFKA_BROKERS": kafka.address,
        "KAFKA_TOPIC": name,
        "KAFKA_GROUP": name,
        "KAFKA_SESSION_SECONDS": "6",
        "LEDGER_URL": redis_url,
        "LEDGER_NAMESPACE": name,
    }.items():
        monkeypatch.setenv(f"GMV_{key}", value)
    gmv("ledger", "init", "--topic", name)
    producers = {
        "python": [sys.executable, str(EXAMPLES / "producer.py")],
        "go": [str(build("producer", tmp_path))],
    }
    images = iter(image_files(opened(small_index.path.parent / "corpus.parquet")))
    sent = []
    for language, producer in producers.items():
        picture = tmp_path / f"{language}.png"
        picture.write_bytes(next(images).content)
        for _ in range(2):  # the second time it is a duplicate
            done = subprocess.run(
                [*producer, kafka.address, name, picture], capture_output=True, text=True, timeout=patience(60)
            )
            assert done.returncode == 0, done.stderr
        sent.append(done.stdout.strip())
        assert sent[-1] == hashlib.sha256(picture.read_bytes()).hexdigest()

    ledger = LedgerSettings(url=redis_url, namespace=name)
    log = tmp_path / "worker.log"
    with log.open("wb") as file:
        worker = subprocess.Popen(mortal(command("worker", "--web-port", free_port())), stdout=file, stderr=file)
    try:
        with closing(open_accounts(ledger)) as accounts:
            wait_for(lambda: accounts.sums().credited + accounts.sums().duplicates >= 4, 90, "four records done")
            sums = accounts.sums()
    finally:
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(patience(30)) == 0, log.read_text()
    assert (sums.credited, sums.duplicates, sums.dead_letters) == (2, 2, 0)
    with reading(kafka.address, f"{name}.attributions") as receipts:
        assert sorted(receipt.key.decode() for receipt in receipts) == sorted(sent)
