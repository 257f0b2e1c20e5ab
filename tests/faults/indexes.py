"""Another index under running workers, that are killed while they open it; and indexes that cannot be used.

By the second index the same images are of other owners. So a receipt shows by which index its event was credited, also
where it names the other one.
"""

import random
import shutil
import signal
import time
from pathlib import Path

from gmv.index.manifest import read_manifest
from tests.faults.corpus import FIRST, build
from tests.faults.scenario import Outcome, scenario
from tests.faults.world import Servers, World
from tests.services.server import wait_for

SECOND = "second"
CHANGES = 4
TAKEN_SECONDS_MAX = 60.0


@scenario(
    30,
    "another-index",
    "a link is changed to another index and back under load, a worker killed by SIGKILL while it opens one, SIGHUP; "
    "then a damaged one, which is refused",
    runs=3,
)
def another_index(site: Servers, chance: random.Random) -> Outcome:
    times: list[float] = []
    kills = 0
    with site.world(chance) as world:
        indexes = {FIRST: site.index, SECOND: _second(site.folder)}
        link = world.index = site.folder / f"{world.topic}-index"
        world.oracles_name = lambda owner: owner.replace(SECOND, FIRST)
        _publish(link, indexes[FIRST])
        workers = [world.fork(None), world.fork(None)]
        with world.crediting():
            for change in range(CHANGES):
                _publish(link, indexes[(SECOND, FIRST)[change % 2]])
                time.sleep(chance.uniform(0, 4))
                place = chance.randrange(len(workers))
                if change % 2 and chance.random() < 0.3:
                    workers[place].send(signal.SIGHUP)
                    continue
                workers[place].end(signal.SIGKILL)
                kills += 1
                began, done = time.monotonic(), world.done()
                workers[place] = world.fork(None)
                times.append(world.wait_for_credits(done, began))
            _publish(link, indexes[SECOND])
            wait_for(lambda: _all_credit_by(world, indexes[SECOND]), TAKEN_SECONDS_MAX, "credits by the second index")
            _publish(link, _damaged(indexes[FIRST], site.folder / f"{world.topic}-damaged"))
            wait_for(lambda: _refusals(world) >= len(workers), TAKEN_SECONDS_MAX, "refusals of the damaged index")
        world.finish()
        for worker in workers:
            world.expect_running(worker)
        world.violations += _mistaken(world, indexes)
    return Outcome(world.violations, times, kills)


def _second(folder: Path) -> Path:
    path = folder / "index-of-others"
    return path if path.exists() else build(folder, path.name, SECOND)


def _damaged(index: Path, path: Path) -> Path:
    """Copy an index and turn its last bit."""
    tokens = shutil.copytree(index, path) / "tokens.npy"
    content = bytearray(tokens.read_bytes())
    content[-1] ^= 1
    tokens.write_bytes(content)
    return path


def _publish(link: Path, index: Path) -> None:
    following = link.with_name(f"{link.name}-following")
    following.symlink_to(index)
    following.replace(link)


def _all_credit_by(world: World, index: Path) -> bool:
    """Whether the newest receipt of each partition names the index."""
    _, index_id = read_manifest(index)
    newest = {receipt["position"]["partition"]: receipt["index"] for receipt in world.receipts()}
    return len(newest) == world.partitions and set(newest.values()) == {index_id}


def _refusals(world: World) -> int:
    return world.log.read_text(errors="replace").count('"event":"index_refused"')


def _mistaken(world: World, indexes: dict[str, Path]) -> list[str]:
    """Receipts that name another index than the one that they were made by, and batches that name two."""
    names = {read_manifest(path)[1]: owners for owners, path in indexes.items()}
    found, batches = [], dict[str, str]()
    for receipt in world.receipts():
        owners = {share["owner_id"].rpartition("-")[0] for share in receipt["contributors"]}
        if owners != {names[receipt["index"]]}:
            found.append(f"I2: a receipt of {receipt['event']} names {receipt['index']} and pays {owners}")
        if batches.setdefault(receipt["batch"], receipt["index"]) != receipt["index"]:
            found.append(f"I2: batch {receipt['batch']} names two indexes")
    if set(batches.values()) != set(names):
        found.append(f"I7: credits are by {sorted(set(batches.values()))}, of {sorted(names)}")
    return found
