"""Brokers, topics and transactions: what happens to the log and what is published."""

from tests.simulator.world import World

from .timing import set_later


def brokers_away(world: World) -> bool:
    """Let no broker answer, for less or more than the retry budget."""
    world.brokers.is_up = False
    set_later(world, world.chance.choice([1.0, 4.0, 8.0]), world.brokers, "is_up", True)
    return True


def no_group_offsets(world: World) -> bool:
    """Let group offsets be refused for a while, so that they lag behind the ledger."""
    world.brokers.is_storing_offsets = False
    set_later(world, world.chance.uniform(2, 15), world.brokers, "is_storing_offsets", True)
    return True


def transact(world: World) -> bool:
    """Write records in a transaction that is open for a while, then committed or aborted."""
    number = world.chance.randrange(world.plan.partitions)
    log = world.topic.partitions[number]
    if world.brokers.topic is not world.topic or log.stable_end < log.end:
        return False
    for _ in range(world.chance.randint(0, 3)):
        world.produce(number, is_pending=True)
    is_committed = world.chance.random() < 0.5
    world.loop.outside(world.chance.uniform(0, 8), world.finish_transaction, number, is_committed)
    world.note(f"transaction {'committed' if is_committed else 'aborted'}")
    return True


def grow(world: World) -> bool:
    """Give the topic another partition."""
    if world.brokers.topic is not world.topic or world.lost is not None or world.expected_refusal is not None:
        return False
    world.grow()
    return True


def retention(world: World) -> bool:
    """Delete records that the ledger holds already."""
    moved = False
    for number, (topic_id, offset) in world.positions().items():
        log = world.topic.partitions[number]
        if topic_id == world.topic.id and offset > log.start and world.chance.random() < 0.7:
            log.start = world.chance.randint(log.start, offset)
            moved = True
    return moved


def no_dead_letters(world: World) -> bool:
    """Take the dead-letter topic away."""
    return _take_away(world, "dead_letters")


def no_receipts(world: World) -> bool:
    """Take the receipts' topic away."""
    return _take_away(world, "receipts")


def lose_acknowledgements(world: World) -> bool:
    """Let records be stored whose acknowledgements are lost."""
    shelf = world.chance.choice([world.receipts, world.dead_letters])
    shelf.acknowledgements_to_lose = world.chance.randint(1, 3)
    return True


def _take_away(world: World, name: str) -> bool:
    shelf = getattr(world, name)
    shelf.is_available = False
    set_later(world, world.chance.choice([1.0, 6.0]), shelf, "is_available", True)
    return True
