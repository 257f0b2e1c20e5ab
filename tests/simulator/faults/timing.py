"""Faults that end by themselves."""

from tests.simulator.world import World


def set_later(world: World, seconds: float, what: object, name: str, value: object) -> None:
    """Set an attribute after some time: end an outage."""
    world.loop.outside(seconds, setattr, what, name, value)
