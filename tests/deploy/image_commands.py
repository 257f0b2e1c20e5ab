"""Commands of an image, run as the chart runs them; and a worker among them that credits events."""

import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final
from urllib.request import urlopen

from gmv.ledger.open import open_accounts
from gmv.ledger.verify import conservation
from gmv.settings import LedgerSettings
from tests.deploy.rendered_chart import manifests, only
from tests.services.kafka import KafkaBroker
from tests.services.redis import RedisServer
from tests.services.server import HOST, free_port, wait_for

USER: Final = 10001
VOLUME: Final = "/var/lib/gmv"
CREDITED: Final = 200  # events of the demo

START_SECONDS_MAX: Final = 120.0
DRAIN_SECONDS_MAX: Final = 120.0
STOP_SECONDS_MAX: Final = 105.0

IMAGE_VARIABLES: Final = {
    "HOME": "/tmp",
    "PATH": "/opt/gmv/bin:/usr/bin:/bin",
    "NUMBA_CACHE_DIR": "/opt/gmv/compiled",
    "PYTHONDONTWRITEBYTECODE": "1",
}

_SCRIPT: Final = f"""
    set -eu
    root=$1 volume=$2; shift 2
    mount --bind "$root" "$root" && mount -o remount,bind,ro "$root"
    mount -t proc proc "$root/proc" && mount --rbind /dev "$root/dev"
    mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
    mount --bind "$volume" "$root{VOLUME}"
    exec chroot "$root" /usr/bin/setpriv --reuid {USER} --regid {USER} --clear-groups --no-new-privs \\
        --bounding-set=-all --inh-caps=-all /usr/bin/env --ignore-environment "$@"
"""


@dataclass(frozen=True)
class LockedUp:
    """Runs commands of an image as the chart does.

    Attributes:
        root: the image's files; seen read-only.
        volume: a folder of this machine that is seen, and can be written, at `VOLUME`.
        variables: of the environment, besides the image's own.
    """

    root: Path
    volume: Path
    variables: Mapping[str, str]

    def command(self, line: str) -> list[str]:
        """Return what runs a command line of the image; signals reach it."""
        variables = {**IMAGE_VARIABLES, **self.variables}
        named = [f"{name}={value}" for name, value in variables.items()]
        return [
            "unshare",
            "--mount",
            "sh",
            "-c",
            _SCRIPT,
            "sh",
            str(self.root),
            str(self.volume),
            *named,
            *line.split(),
        ]

    def run(self, line: str) -> None:
        """Run a command line of the image."""
        sys.stdout.write(f"$ {line}\n")
        sys.stdout.flush()
        done = subprocess.run(self.command(line))
        if done.returncode:
            sys.exit(f"{line} ended with exit code {done.returncode}")


def credit(container: LockedUp) -> None:
    """Have a worker credit the demo's events, with the settings that the chart makes for a Kafka and a Redis here."""
    with KafkaBroker() as broker, RedisServer() as redis:
        port = free_port()
        own = {"kafka": {"brokers": broker.address}, "ledger": {"url": redis.url}, "worker": {"web_port": port}}
        values = {"index": {"claim": {"name": "index", "path": "demo/index"}}, "settings": own}
        (container.volume / "gmv.toml").write_text(only(manifests(values=values), "ConfigMap")["data"]["gmv.toml"])
        inside = replace(container, variables={"GMV_CONFIG": f"{VOLUME}/gmv.toml", "GMV_KAFKA_INSTANCE_ID": "pod-0"})
        inside.run("gmv topics create --partitions 4 --replication 1")
        inside.run("gmv ledger init --topic generated-images")
        inside.run(f"gmv emit --raw {VOLUME}/demo/events.jsonl")
        begun = time.monotonic()
        worker = subprocess.Popen(inside.command("gmv worker"), stdout=subprocess.DEVNULL)
        try:
            wait_for(lambda: is_ready(port), START_SECONDS_MAX, "a worker that is ready")
            sys.stdout.write(f"ready after {time.monotonic() - begun:.1f} s\n")
            wait_for(lambda: credited(redis) == CREDITED, DRAIN_SECONDS_MAX, "all events credited")
        finally:
            worker.terminate()
            ended = worker.wait(STOP_SECONDS_MAX)
        if ended:
            sys.exit(f"the worker ended with exit code {ended}")
        inside.run("gmv ledger verify --receipts-topic generated-images.attributions")


def is_ready(port: int) -> bool:
    """Tell whether a worker says that it is ready."""
    try:
        with urlopen(f"http://{HOST}:{port}/readyz", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def credited(redis: RedisServer) -> int:
    """Return the number of events that the ledger counts as credited."""
    with closing(open_accounts(LedgerSettings(url=redis.url))) as accounts:
        return conservation(accounts).sums.credited
