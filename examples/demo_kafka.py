"""The story of `gmv demo` on a real Kafka and a real Redis, started on this machine and removed afterwards.

    python -m examples.demo_kafka [FOLDER]

FOLDER is where `gmv demo` made its index and events (default: gmv-demo); that is run first if it was not yet. Run this
from the root of the checkout, after `make services`. Every command is printed before it runs, to be copied.
"""

import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.request import urlopen

from gmv.kafka.admin import describe_topic
from gmv.ledger.open import open_accounts
from gmv.settings import LedgerSettings, Settings, load
from tests.services.kafka import KafkaBroker
from tests.services.redis import RedisServer
from tests.services.server import HOST, ServerError, free_port, mortal, wait_for

GMV = Path(sys.executable).with_name("gmv")
TOPIC = "generated-images"
PARTITIONS = 4
WORKERS = 2
DRAIN_SECONDS_MAX = 300.0
STOP_SECONDS_MAX = 60.0
SERIES_SHOWN = ("gmv_events_total", "gmv_credits_micros_total", "gmv_lag_records", "gmv_stage_seconds_sum")


def main(folder: Path) -> None:
    """Tell the story from first to last; whatever was started is stopped, however it ends."""
    if not (folder / "report.html").is_file():
        gmv("demo", "--out", str(folder))
    say("A Kafka broker and a Redis server start, on loopback")
    with KafkaBroker() as broker, RedisServer() as redis:
        export(
            GMV_KAFKA_BROKERS=broker.address,
            GMV_KAFKA_TOPIC=TOPIC,
            GMV_LEDGER_URL=redis.url,
            GMV_INDEX=str(folder / "index"),
        )
        say(f"Topic {TOPIC} with {PARTITIONS} partitions, and those of its receipts and dead letters")
        for name, partitions in ((TOPIC, PARTITIONS), (f"{TOPIC}.attributions", PARTITIONS), (f"{TOPIC}.dlq", 1)):
            broker.create_topic(name, partitions)
        say("A ledger that knows where each partition begins, then the demo's events with their bad records")
        gmv("ledger", "init", "--topic", TOPIC)
        gmv("emit", "--raw", str(folder / "events.jsonl"))
        credit(folder)


def credit(folder: Path) -> None:
    """Let the workers credit the topic, and look at what they did."""
    settings = load()
    say(f"{WORKERS} workers share the partitions until all of the topic is credited")
    with workers(folder) as ports:
        wait_for(lambda: records_left(settings) == 0, DRAIN_SECONDS_MAX, "the ledger at the end of the topic")
        gmv("credits", "top", "--limit", "5")
        gmv("ledger", "verify", "--receipts-topic", settings.kafka.receipts_topic)
        say("What Prometheus sees of the workers")
        for port in ports:
            scrape(f"http://{HOST}:{port}/metrics")
        say("SIGTERM: each worker finishes its run and leaves")
    here, there = totals(settings.ledger), totals(LedgerSettings(url=f"sqlite:///{folder / 'ledger.db'}"))
    if here != there:
        raise SystemExit("The totals differ from those of `gmv demo`: this is a fault of gmv, please report it.")
    say(f"All {len(here)} owners have in Redis, to the micro-credit, what `gmv demo` credited them in SQLite")


def say(text: str) -> None:
    """Print a headline."""
    print(f"\n# {text}", flush=True)


def gmv(*arguments: str) -> None:
    """Print a command and run it; its failure ends the story."""
    print(f"$ {shlex.join(['gmv', *arguments])}", flush=True)
    done = subprocess.run([GMV, *arguments])  # noqa: S603 - our own command
    if done.returncode:
        raise SystemExit(done.returncode)


def export(**variables: str) -> None:
    """Print environment variables and set them: gmv takes any setting from there."""
    for name, value in variables.items():
        print(f"$ export {name}={shlex.quote(value)}", flush=True)
    os.environ.update(variables)


@contextmanager
def workers(folder: Path) -> Iterator[list[int]]:
    """Run the workers, give their web ports, and stop them in good order."""
    ports = [free_port() for _ in range(WORKERS)]
    running = []
    try:
        for number, port in enumerate(ports, start=1):
            log = folder / f"worker-{number}.log"
            arguments = ["worker", "--instance-id", f"worker-{number}", "--web-port", str(port)]
            print(f"$ {shlex.join(['gmv', *arguments])} > {shlex.quote(str(log))} &", flush=True)
            with log.open("wb") as file:
                command = mortal([str(GMV), *arguments])
                running.append(subprocess.Popen(command, stdout=file, stderr=file))  # noqa: S603 - ditto
        yield ports
    finally:
        for process in running:
            process.terminate()
        codes = [process.wait(STOP_SECONDS_MAX) for process in running]
        print(f"exit codes: {', '.join(map(str, codes))}", flush=True)
    if any(codes):
        raise SystemExit(f"A worker did not end well; its log is in {folder}")


def records_left(settings: Settings) -> int:
    """Return how many records of the topic the ledger has not got past."""
    ends = {number: bounds.end for number, bounds in describe_topic(settings.kafka).bounds.items()}
    with closing(open_accounts(settings.ledger)) as accounts:
        standing = accounts.positions()
    return sum(end - standing[settings.kafka.topic, number].next_offset for number, end in ends.items())


def totals(ledger: LedgerSettings) -> dict[str, int]:
    """Return every owner's micro-credits."""
    with closing(open_accounts(ledger)) as accounts:
        return {balance.owner_id: balance.micros for balance in accounts.balances()}


def scrape(url: str) -> None:
    """Print a handful of the series at a metrics page."""
    print(f"$ curl {url}")
    with urlopen(url, timeout=10) as answer:  # noqa: S310 - loopback
        lines = answer.read().decode().splitlines()
    for line in lines:
        if line.startswith(SERIES_SHOWN):
            print(line)
    print(f"… {len(lines):,} lines in all", flush=True)


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1] if len(sys.argv) > 1 else "gmv-demo"))
    except ServerError as error:
        raise SystemExit(f"demo_kafka: {error}") from None
