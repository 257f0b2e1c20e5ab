"""One redrive from end to end: how far back the ledger knows, what is chosen, and its sending."""

import asyncio
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from gmv.indexing.progress import Progress
from gmv.ledger.open import open_janitor, open_ledger
from gmv.operations import redriving
from gmv.operations.redriving import Credited, Destination, HeldBack, Reach, RedrivePlan, Sending
from gmv.operations.watching import watched
from gmv.settings import LedgerSettings
from gmv.stream.dead_letters import FoundDeadLetter, Wanted


@dataclass(frozen=True, slots=True)
class Origin:
    """Where dead letters are.

    Attributes:
        name: file or topic.
        read: starts a pass over all of them; there are two passes.
    """

    name: Path | str
    read: Callable[[], Iterable[FoundDeadLetter]]


@dataclass(frozen=True, slots=True)
class Target:
    """The log that dead letters go back to.

    Attributes:
        name: file or topic.
        topic: what the ledger calls it.
        partitions: that it has.
        ends: asks it where each of its partitions ends now. Blocking.
        destination: opens it for sending.
    """

    name: Path | str
    topic: str
    partitions: Collection[int]
    ends: Callable[[], Mapping[int, int]]
    destination: Callable[[], AbstractAsyncContextManager[Destination]]


@dataclass(frozen=True, slots=True)
class RedriveOptions:
    """What is to be sent, and how.

    Attributes:
        wanted: which dead letters are meant.
        is_sent: whether to send; otherwise only to say what would be.
        insist: whether to send also what would only be refused again, or could be paid twice.
        uncredited: whether to leave out what the ledger has credited since.
        per_second: records, at most.
    """

    wanted: Wanted
    is_sent: bool
    insist: bool
    uncredited: bool
    per_second: float


@dataclass(frozen=True, slots=True)
class Redriven:
    """What was sent, or would be.

    Attributes:
        source: file or topic that the dead letters are in.
        into: file or topic that they go to.
        dry_run: whether nothing was sent.
        chosen: how many records were chosen.
        chosen_by_reason: how many of them were refused for what.
        held_back: number of dead letters that were asked for and are not sent, by why.
        sent: how many records were sent.
    """

    source: Path | str
    into: Path | str
    dry_run: bool
    chosen: int
    chosen_by_reason: Mapping[str, int]
    held_back: Mapping[HeldBack, int]
    sent: int


def redrive(
    origin: Origin, target: Target, options: RedriveOptions, ledger: LedgerSettings, progress: Progress
) -> Redriven:
    """Choose dead letters and, if that is wanted, send their records.

    Raises:
        Refusal: there is no ledger, or it does not answer, and nobody insists: what it has let go could be paid twice.
        LogUnavailable: records were not taken; those that were chosen can be sent again.
        EventsRefused: the target does not take a record.
    """
    reach = None if options.insist else _reach(ledger, target)
    plan = _plan(origin, target, options, ledger, reach, progress)
    sending = Sending(0, 0)
    if options.is_sent and plan.chosen:
        with progress("sending", len(plan.chosen), "records") as advance:
            chosen = redriving.selected(origin.read(), plan.chosen)
            sending = asyncio.run(_send(target, chosen, options.per_second, advance, reach))
    held_back = plan.held_back + Counter({HeldBack.BEYOND_WINDOW: sending.beyond_window})
    return Redriven(
        source=origin.name,
        into=target.name,
        dry_run=not options.is_sent,
        chosen=len(plan.chosen),
        chosen_by_reason=dict(sorted(plan.by_reason.items())),
        held_back=dict(sorted(held_back.items())),
        sent=sending.sent,
    )


def _reach(ledger: LedgerSettings, target: Target) -> Reach | None:
    """Return how far back the ledger knows what it credited, None where it does for good."""
    with closing(open_janitor(ledger)) as janitor:
        window = janitor.window()
    return None if window is None else Reach(window, target.ends)


def _plan(
    origin: Origin,
    target: Target,
    options: RedriveOptions,
    ledger: LedgerSettings,
    reach: Reach | None,
    progress: Progress,
) -> RedrivePlan:
    with progress("choosing", None, "dead letters") as advance, _asking(ledger, options.uncredited) as credited:
        return redriving.plan(
            watched(origin.read(), advance),
            options.wanted,
            target.topic,
            target.partitions,
            options.insist,
            credited,
            reach,
        )


@contextmanager
def _asking(ledger: LedgerSettings, is_wanted: bool) -> Iterator[Credited | None]:
    """Give what knows which events the ledger has credited, None where it is not to be asked."""
    if not is_wanted:
        yield None
        return
    with closing(open_ledger(ledger)) as opened:
        yield opened.known


async def _send(
    target: Target,
    chosen: Iterable[FoundDeadLetter],
    per_second: float,
    advance: Callable[[int], None],
    reach: Reach | None,
) -> Sending:
    async with target.destination() as opened:
        return await redriving.send(chosen, opened, per_second, advance, reach)
