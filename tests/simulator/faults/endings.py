"""What leaves nothing to be finished: the workers have to stop, or to go on without a mistake."""

from gmv.errors import CreditOutOfRange, LedgerMissing, PositionOutsideLog
from gmv.ledger.fields import OWNER_PREFIX, SUM_FIELDS
from gmv.ledger.port import MICROS_MAX
from gmv.ledger.redis.keys import book_key
from tests.simulator.kafka import PartitionLog, Topic
from tests.simulator.worker import NAMESPACE
from tests.simulator.workload import DEADLY, OWNERS, Meaning
from tests.simulator.world import World


def topic_recreated(world: World) -> bool:
    """Delete the topic and make another of its name."""
    world.brokers.topic = Topic("topic-2", [PartitionLog() for _ in world.topic.partitions])
    world.producer.prefix = "new-"
    for number, log in enumerate(world.topic.partitions):
        for _ in range(world.chance.randint(0, log.end + 4)):
            world.produce(number)
    world.expected_refusal = PositionOutsideLog
    return True


def retention_passes_the_position(world: World) -> bool:
    """Delete records that the ledger does not hold; workers refuse, unless one has read them and credits them yet."""
    number = world.chance.randrange(world.plan.partitions)
    log, positions = world.topic.partitions[number], world.positions()
    if number not in positions or not log.has_data_after(offset := positions[number][1]):
        return False
    log.start = world.chance.randint(offset + 1, log.end)
    return True


def log_cut(world: World) -> bool:
    """Lose records that the ledger holds, as by an unclean election; nothing is appended later."""
    behind = [number for number, (_, offset) in world.positions().items() if offset > 0]
    if not behind:
        return False
    number = world.chance.choice(behind)
    world.topic.partitions[number].cut(world.chance.randrange(world.positions()[number][1]))
    world.expected_refusal = PositionOutsideLog
    return True


def ledger_lost(world: World) -> bool:
    """Lose a server's data for good: one that has a partition's position, so that workers notice."""
    number = world.chance.randrange(world.plan.partitions)
    primary = world.site.primary_of(book_key(NAMESPACE, number % world.plan.books).encode())
    primary.server = world.lost = world.new_server()
    primary.left_behind.clear()
    world.expected_refusal = LedgerMissing
    return True


def ledger_recreated(world: World) -> bool:
    """Make a new ledger where the old one was: workers of the old one must not write to it; new ones may."""
    if any(log.start for log in world.topic.partitions):
        return False
    for primary in world.site.primaries:
        primary.server = world.new_server()
        primary.left_behind.clear()
    world.make_ledger()
    return True


def total_at_its_limit(world: World) -> bool:
    """Begin with a total so large that the next credits leave its range; to be called before anything is credited."""
    micros = MICROS_MAX - world.chance.randint(0, 5_000_000)
    owner = world.chance.choice(OWNERS)
    key = book_key(NAMESPACE, 0).encode()
    fields = (f"{OWNER_PREFIX}{owner}", str(micros), SUM_FIELDS[0], str(micros))
    primary = world.site.primary_of(key)
    primary.server.execute(b"HSET", key, *[each.encode() for each in fields])
    primary.floor = len(primary.server.file)
    world.baseline[owner] = micros
    world.expected_refusal = CreditOutOfRange
    return True


def deadly_records(world: World) -> bool:
    """Let there be records that end the worker that attributes them; nobody is killed from outside in such a run."""
    world.crashes_per_record_max = 2
    for number in range(world.chance.randint(1, 2)):
        meaning = Meaning(f"{DEADLY}{number}", 0, ("a",))
        partition = world.chance.randrange(world.plan.partitions)
        world.loop.outside(world.chance.uniform(0, world.plan.seconds), world.produce, partition, False, meaning)
    return True


def flood_of_poison(world: World) -> bool:
    """Poison, more in a row than the limit; it is raised once the faults are over."""
    world.dead_letters_in_a_row_max = 4
    number = world.chance.randrange(world.plan.partitions)
    for _ in range(8):
        world.produce(number, meaning=Meaning())
    return True
