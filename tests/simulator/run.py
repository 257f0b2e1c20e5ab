"""Plays one world from its start to its judgement."""

from collections.abc import Callable, Collection

from gmv.errors import LedgerMissing

from .faults.catalogue import ALWAYS, AT_THE_START, ONCE, SPARING, Fault
from .invariants import check_books, check_end
from .world import World

FAULTS_MAX = 14
READINGS = 4
QUIET_SECONDS_MAX = 400.0
STOPPING_SECONDS = 15.0


def play(seed: int, is_traced: bool = False, faults: Collection[str] = ()) -> World:
    """Play the world of a seed; what is wrong with it is in `violations`.

    Args:
        seed: decides all of it.
        is_traced: whether what happens is written down.
        faults: names of those that may occur; of those that occur once in a run, the first does. None named: all.
    """
    world = World(seed, is_traced)
    with world.patched():
        world.make_ledger()
        _schedule(world, faults)
        world.supervise()
        world.loop.run(world.plan.seconds, lambda: bool(world.violations))
        _quiet(world)
        _finish(world)
        if not world.violations:
            _judge(world)
        for worker in world.workers:
            worker.process.close()
    return world


def _schedule(world: World, faults: Collection[str]) -> None:
    chance, plan = world.chance, world.plan
    at: Callable[..., object] = world.loop.outside
    for _ in range(plan.records):
        at(chance.uniform(0, plan.seconds), world.produce, chance.randrange(plan.partitions))
    for _ in range(READINGS):
        at(chance.uniform(0, plan.seconds), _read, world)
    once = chance.choice([*ONCE, *AT_THE_START]) if chance.random() < 0.2 and not faults else ""
    once = next((name for name in faults if name not in ALWAYS), once)
    if once in AT_THE_START:
        _strike(world, once, AT_THE_START[once])
    elif once:
        at(chance.uniform(2, plan.seconds), _strike, world, once, ONCE[once])
    possible = SPARING if once == "deadly records" else ALWAYS
    enabled = [name for name in ALWAYS if name in possible and (name in faults or chance.random() < 0.4)]
    if faults:
        enabled = [name for name in enabled if name in faults]
    for _ in range(chance.randint(0, FAULTS_MAX) if enabled else 0):
        name = chance.choice(enabled)
        at(chance.uniform(0.5, plan.seconds), _strike, world, name, ALWAYS[name])


def _strike(world: World, name: str, fault: Fault) -> None:
    if fault(world):
        world.note(f"fault: {name}")


def _read(world: World) -> None:
    try:
        check_books(world)
    except LedgerMissing:
        world.note("reading: the ledger is missing")
    else:
        world.note("reading: books agree with the oracle")


def _quiet(world: World) -> None:
    """End all faults."""
    world.log("faults end")
    world.quiet_since = world.loop.time()
    world.dead_letters_in_a_row_max = 10**6
    for faults in world.site.faults.values():
        faults.clear()
    for primary in world.site.primaries:
        primary.is_up, primary.refusal = True, ""
        primary.left_behind.clear()
    world.brokers.is_up = world.brokers.is_storing_offsets = True
    for shelf in world.shelves.values():
        shelf.is_available, shelf.acknowledgements_to_lose = True, 0
    for number in range(world.plan.partitions):
        world.finish_transaction(number, is_committed=True)
    for worker in world.workers:
        worker.process.spare()
        if worker.process.is_frozen:
            worker.process.resume()


def _finish(world: World) -> None:
    """Let the log be read to its end (I7), or the workers refuse to (I8); then stop them."""
    deadline = world.loop.time() + QUIET_SECONDS_MAX
    world.loop.run(deadline, lambda: world.is_settled or bool(world.violations))
    world.seen["simulated seconds"] += int(world.loop.time())
    if not world.is_settled and not world.violations:
        due = world.refusals_due()
        if not due:
            world.violate(
                "I7", f"{QUIET_SECONDS_MAX:g} s after the last fault the ledger's positions are {world.positions()}"
            )
        else:
            refusals = sorted({type(failure).__name__ for _, failure in world.failures})
            world.violate("I8", f"no worker ended by {due[0].__name__}, but by {refusals}")
    for slot in world.slots:
        slot.is_wanted = False
    for worker in world.workers:
        worker.stop()
    world.loop.run(world.loop.time() + STOPPING_SECONDS, lambda: all(worker.is_over for worker in world.workers))


def _judge(world: World) -> None:
    if world.lost is not None:
        if world.lost.file:
            world.violate("I8", f"something was written to a ledger that is gone: {world.lost.file[-1]}")
        return
    check_end(world)
