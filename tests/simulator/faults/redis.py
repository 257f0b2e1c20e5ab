"""A ledger's server that is away, refuses, forgets, tears its file, and goes back in time."""

from tests.simulator.redis_client import Primary
from tests.simulator.world import World

from .processes import living
from .timing import set_later

PASSING = (
    "MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk.",
    "OOM command not allowed when used memory > 'maxmemory'.",
    "READONLY You can't write against a read only replica.",
    "LOADING Redis is loading the dataset in memory",
    "NOREPLICAS Not enough good replicas to write.",
)


def some_primary(world: World) -> Primary:
    """Return one."""
    return world.chance.choice(world.site.primaries)


def redis_away(world: World) -> bool:
    """Let a server be away, for less or more than the retry budget."""
    primary = some_primary(world)
    primary.is_up = False
    set_later(world, world.chance.choice([1.0, 3.0, 8.0]), primary, "is_up", True)
    return True


def redis_refuses(world: World) -> bool:
    """Let a server be in a state that passes."""
    primary = some_primary(world)
    primary.refusal = world.chance.choice(PASSING)
    set_later(world, world.chance.choice([1.0, 8.0]), primary, "refusal", "")
    return True


def forget_scripts(world: World) -> bool:
    """SCRIPT FLUSH."""
    some_primary(world).server.scripts.clear()
    return True


def restart(world: World) -> bool:
    """Restart a server that lost nothing; its scripts are gone."""
    primary = some_primary(world)
    primary.server = primary.server.restarted()
    return True


def tear(world: World) -> bool:
    """Crash a server; its file ends in the middle of what it wrote last."""
    primary = some_primary(world)
    whole = len(primary.server.file) - world.chance.randint(1, 6)
    if whole < primary.floor:
        return False
    primary.server = primary.server.restarted(whole, is_torn=True)
    return True


def rewind(world: World) -> bool:
    """Restart a server, or restore a backup of it, that lacks some of the last commits."""
    return _rewind(world, some_primary(world))


def _rewind(world: World, primary: Primary) -> bool:
    places = [place for place in primary.server.boundaries()[:-1] if place >= primary.floor]
    if not places:
        return False
    primary.server = primary.server.restarted(world.chance.choice(places[-8:]))
    return True


def fail_over(world: World) -> bool:
    """Promote a replica that was behind; some clients talk to the old primary for a while (split brain)."""
    primary = some_primary(world)
    old = primary.server
    if not _rewind(world, primary):
        return False
    if world.chance.random() < 0.6:
        left = [each.process.name for each in living(world) if world.chance.random() < 0.6]
        primary.left_behind |= dict.fromkeys(left, old)
        world.loop.outside(world.chance.uniform(0.5, 8), primary.left_behind.clear)
    return True


def lose_the_ledger_and_restore_it(world: World) -> bool:
    """FLUSHALL, or an empty replica; somebody restores a backup later. Nothing may be written meanwhile."""
    primary = some_primary(world)
    backup = primary.server.restarted(world.chance.choice(primary.server.boundaries()[-6:]))
    if len(backup.file) < primary.floor:
        return False
    empty = primary.server = world.new_server()

    def restore() -> None:
        if empty.file:
            world.violate("I8", f"something was written to a ledger that is gone: {empty.file[-1]}")
        if not primary.server.file:
            primary.server = backup

    world.loop.outside(world.chance.uniform(0.5, 10), restore)
    return True
