"""Options that name a period, and all that a ledger has committed, as commands read it."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from gmv.cli.receipts import published, whole_history

if TYPE_CHECKING:
    from gmv.ledger.totals import LedgerTotals
    from gmv.operations.published import PassedOver
    from gmv.settings import Settings
    from gmv.statements.bookings import Booking

FromOption = Annotated[
    str | None, typer.Option("--from", metavar="DATE", help="First day, 2026-10-01, or a time. Default: the first.")
]
ToOption = Annotated[
    str | None, typer.Option("--to", metavar="DATE", help="Ends before this day, or time. Default: the last.")
]
TimezoneOption = Annotated[
    str, typer.Option("--timezone", metavar="NAME", help="In which days and months begin, as in Europe/Berlin.")
]


class History(NamedTuple):
    """All that a ledger has committed.

    Attributes:
        totals: of the ledger, and the positions that they go with.
        bookings: starts a pass over what these positions confirm.
        passed_over: lines that are no receipts; filled by the pass.
    """

    totals: "LedgerTotals"
    bookings: "Callable[[], Iterator[Booking]]"
    passed_over: "PassedOver"


@contextmanager
def history(files: list[Path], topics: list[str], settings: "Settings", passes: int = 1) -> Iterator[History]:
    """Give what a ledger has committed, as of one moment; workers may go on meanwhile.

    Args:
        files: of receipts; none: those that are found.
        topics: of receipts, likewise.
        settings: of ledger and Kafka.
        passes: how many will be started, for who watches how far they are; each reads receipts twice.

    Raises:
        Refusal: the ledger or the receipts cannot be read.
    """
    from gmv.cli.output import progress
    from gmv.ledger.open import open_accounts
    from gmv.ledger.totals import read_totals
    from gmv.operations.published import PassedOver
    from gmv.operations.watching import watched
    from gmv.statements.bookings import committed_bookings

    with closing(open_accounts(settings.ledger)) as accounts:
        sums = accounts.sums()
        totals = read_totals(accounts)
    files, topics = whole_history(files, topics, totals.positions, settings)
    passed_over = PassedOver()
    times = 2 * passes
    description = "reading twice" if passes == 1 else f"reading {times} times"
    with progress(description, times * (sums.credited + sums.corrections), "receipts") as advance:
        yield History(
            totals,
            lambda: committed_bookings(
                totals.positions, lambda: watched(published(files, topics, settings.kafka), advance), passed_over
            ),
            passed_over,
        )


def known_owner(owner_id: str, totals: "LedgerTotals") -> str:
    """Return an owner that the ledger has credited.

    Raises:
        InvalidSettings: it never has; whom a misspelt name may mean is named.
    """
    from gmv.errors import InvalidSettings
    from gmv.operations.owner_names import likely_meant

    owners = {balance.owner_id for balance in totals.balances}
    if owner_id not in owners:
        raise InvalidSettings(
            f"--owner {owner_id!r} has never been credited in this ledger{likely_meant(owner_id, owners) or '.'} "
            "`gmv credits top` names who has"
        )
    return owner_id
