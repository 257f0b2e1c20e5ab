"""Killed, frozen, stopped, doubled and rebalanced workers."""

from collections.abc import Callable

from tests.simulator.worker import Worker
from tests.simulator.world import World

COMMIT_FAULTS = ("request lost", "request late", "reply lost", "killed before the commit", "killed after the commit")


def living(world: World) -> list[Worker]:
    """Return the workers that could suffer something."""
    return [each for each in world.workers if not each.is_over and not each.process.is_frozen]


def at_a_commit(kind: str) -> Callable[[World], bool]:
    """Make a fault of the next commit calls of some worker."""

    def strike(world: World) -> bool:
        workers = living(world)
        if not workers:
            return False
        name = world.chance.choice(workers).process.name
        world.site.faults[name] += [kind] * world.chance.choice([1, 1, 2])
        return False  # counted when it strikes

    return strike


def kill_at_an_await(world: World) -> bool:
    """Kill a process where it waits in gmv's code."""
    workers = living(world)
    if workers:
        is_spared = world.chance.random() < 0.8
        world.chance.choice(workers).process.kill_after(world.chance.randint(1, 12), is_spared)
    return False  # counted when it dies


def freeze(world: World) -> bool:
    """Stop a process for less or more than a session, and let it go on as a zombie."""
    workers = living(world)
    if not workers:
        return False
    process = world.chance.choice(workers).process
    seconds = world.chance.choice([0.5, 3.0, 9.0, 15.0]) * world.chance.uniform(0.5, 1.5)
    process.freeze()
    world.log(f"{process.name} freezes for {seconds:.1f} s")
    world.loop.outside(seconds, process.resume)
    return True


def stop_in_order(world: World) -> bool:
    """Stop a worker by SIGTERM; its supervisor starts it again: a rolling restart."""
    workers = living(world)
    if workers:
        world.chance.choice(workers).stop()
    return bool(workers)


def come_and_go(world: World) -> bool:
    """Start a worker more, and stop it later."""
    guest = world.start_worker(10 + len(world.workers))
    world.loop.outside(world.chance.uniform(1, 10), guest.stop)
    return True


def double_a_static_member(world: World) -> bool:
    """Start a second process under one instance id, by mistake."""
    if not world.plan.is_static:
        return False
    slot = world.chance.choice(world.slots)
    twin = world.start_worker(slot.number, f"static-{slot.number}")
    world.loop.outside(world.chance.uniform(1, 10), twin.process.kill)
    return True


def rebalance(world: World) -> bool:
    """Have everybody join again."""
    world.group.rebalance()
    return bool(world.group.members)


def publish_index(world: World) -> bool:
    """Publish another index, or the one before it again; each worker takes it in its own time."""
    world.index = world.chance.choice([max(world.indexes) + 1, max(0, world.index - 1)])
    world.indexes.add(world.index)
    world.log(f"index {world.index} is published")
    return True
