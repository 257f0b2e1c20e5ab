"""`gmv ledger prune`: remove the identities of events that count as credited no more."""

from contextlib import closing
from typing import TYPE_CHECKING, Annotated

import typer

from gmv.cli.options import ConfigOption, JsonOption, LedgerOption, load_settings

if TYPE_CHECKING:
    from gmv.ledger.administration import Janitor

WindowOption = Annotated[
    int | None,
    typer.Option(
        "--identity-window",
        metavar="OFFSETS",
        min=1,
        help="For how many offsets of its partition an event counts as credited, so that a repeat of it is recognised; "
        "stated in the ledger, from now on. Default: what it states, which is for ever until something else is stated.",
    ),
]


def prune(
    identity_window: WindowOption = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say how many it would be; change nothing.")] = False,
    ledger: LedgerOption = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Remove the identities of events that count as credited no more; frees 120 bytes of a server's memory for each.

    Safe at any time, while workers commit, and to be ended anywhere. Workers do the same by themselves, a little after
    each commit, so this is for a ledger that just got its first or a narrower window.
    """
    settings = load_settings(config, ledger=ledger)
    from gmv.cli.output import print_result
    from gmv.ledger.open import open_janitor, open_registry

    with closing(open_janitor(settings.ledger)) as janitor:
        window = identity_window or _stated(janitor, settings.ledger.url)
        if identity_window is not None and not dry_run:
            with closing(open_registry(settings.ledger)) as registry:
                registry.state_window(identity_window)
        seen, lapsed = _passed_over(janitor, window if dry_run else None)
    result = {
        "ledger_url": settings.ledger.url,
        "dry_run": dry_run,
        "identity_window": window,
        "seen": seen,
        "lapsed": lapsed,
        "removed": 0 if dry_run else lapsed,
    }
    done = "count no more" if dry_run else "counted no more, and were removed"
    told = f"{settings.ledger.url}: {lapsed:,} of {seen:,} events {done}, with a window of {window:,} offsets"
    print_result(result, json, lambda: told)


def _stated(janitor: "Janitor", url: str) -> int:
    from gmv.errors import InvalidSettings

    window = janitor.window()
    if window is None:
        raise InvalidSettings(
            f"{url} states no window, so every event counts for ever; state one by --identity-window OFFSETS, wider "
            "than the latest repeat you expect"
        )
    return window


def _passed_over(janitor: "Janitor", dry_window: int | None) -> tuple[int, int]:
    """Pass once over every book; return how many events were seen, and how many of them count no more."""
    from gmv.cli.output import progress
    from gmv.ledger.tidy import one_pass

    sizes = {book: janitor.identities(book) for book in range(janitor.books)}
    seen = lapsed = 0
    with progress("looking at identities" if dry_window else "pruning", sum(sizes.values())) as advance:
        for book in sizes:
            for swept in one_pass(janitor, book, dry_window):
                seen, lapsed = seen + swept.seen, lapsed + swept.expired
                advance(swept.seen)
    return seen, lapsed
