"""The coordinator of one consumer group: sessions, eager rebalances, generations, static members, group offsets."""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from random import Random

from .loop import SimulatedLoop

SESSION_SECONDS = 6.0
REBALANCE_SECONDS = 8.0


class Verdict(Enum):
    """The answer to a member that says it is alive."""

    OK = "ok"
    REJOIN = "a rebalance began"
    UNKNOWN = "not a member any more"
    FENCED = "another process has this static member's place"


@dataclass(frozen=True)
class Place:
    """What a member got when it joined."""

    member: str
    generation: int
    partitions: frozenset[int]


Reply = Callable[[Place | None], None]
"""Is given None where another process has taken the static member's place meanwhile."""


@dataclass
class Member:
    """A member, as the coordinator knows it; `reply` waits while it is joining."""

    instance: str | None
    seen_at: float
    reply: Reply | None = None
    partitions: frozenset[int] = frozenset()


@dataclass
class Coordinator:
    """The group."""

    loop: SimulatedLoop
    chance: Random
    partitions: int
    offsets: dict[int, int] = field(default_factory=dict)
    members: dict[str, Member] = field(default_factory=dict)
    generation: int = 0
    rebalances: int = 0
    is_rebalancing: bool = False
    _joined: int = 0

    def join(self, member: str | None, instance: str | None, reply: Reply) -> None:
        """Join, or join again; the reply comes when all have, or their time is over."""
        place = next((name for name, each in self.members.items() if instance and each.instance == instance), None)
        if place is not None and place != member:
            self._replace(place, instance, reply)
            return
        if member is None or member not in self.members:
            member = self._new_name()
            self.members[member] = Member(instance, self.loop.time())
        self.members[member].reply = reply
        self.members[member].seen_at = self.loop.time()
        self.rebalance()
        self._complete_if_all_joined()

    def heartbeat(self, member: str, generation: int, instance: str | None) -> Verdict:
        """Hear from a member."""
        known = self.members.get(member)
        if known is None:
            taken = any(each.instance == instance for each in self.members.values() if instance)
            return Verdict.FENCED if taken else Verdict.UNKNOWN
        known.seen_at = self.loop.time()
        return Verdict.REJOIN if self.is_rebalancing or generation != self.generation else Verdict.OK

    def leave(self, member: str) -> None:
        """Let a dynamic member go."""
        if self.members.pop(member, None) is not None:
            self.rebalance()
            self._complete_if_all_joined()

    def commit(self, member: str, generation: int, offsets: dict[int, int]) -> bool:
        """Store group offsets, but only those of the current generation."""
        if member not in self.members or generation != self.generation:
            return False
        self.offsets |= offsets
        return True

    def expire(self) -> None:
        """Take those for dead that were silent for a session; to be called now and then."""
        oldest = self.loop.time() - SESSION_SECONDS
        silent = [name for name, each in self.members.items() if each.seen_at < oldest and each.reply is None]
        for name in silent:
            del self.members[name]
        if silent:
            self.rebalance()
            self._complete_if_all_joined()

    def rebalance(self) -> None:
        """Have everybody join again."""
        if self.is_rebalancing or not self.members:
            return
        self.is_rebalancing = True
        self.rebalances += 1
        generation = self.generation
        self.loop.outside(REBALANCE_SECONDS, self._give_up_on_the_late, generation)

    def _replace(self, place: str, instance: str | None, reply: Reply) -> None:
        """A static member is back: it takes its old place at once, and the process that held it is fenced."""
        before = self.members.pop(place)
        if before.reply is not None:
            before.reply(None)
        name = self._new_name()
        self.members[name] = Member(instance, self.loop.time(), None, before.partitions)
        if self.is_rebalancing or not before.partitions:
            self.members[name].reply = reply
            self.rebalance()
            self._complete_if_all_joined()
        else:
            reply(Place(name, self.generation, before.partitions))

    def _new_name(self) -> str:
        self._joined += 1
        return f"member-{self._joined}"

    def _give_up_on_the_late(self, generation: int) -> None:
        if self.is_rebalancing and self.generation == generation:
            for name in [name for name, each in self.members.items() if each.reply is None]:
                del self.members[name]
            self._complete_if_all_joined()

    def _complete_if_all_joined(self) -> None:
        if not self.is_rebalancing or any(each.reply is None for each in self.members.values()):
            return
        self.is_rebalancing = False
        self.generation += 1
        numbers = list(range(self.partitions))
        self.chance.shuffle(numbers)
        for place, (name, member) in enumerate(self.members.items()):
            member.partitions = frozenset(numbers[place :: len(self.members)])
            member.seen_at = self.loop.time()
            reply, member.reply = member.reply, None
            if reply is not None:
                reply(Place(name, self.generation, member.partitions))
