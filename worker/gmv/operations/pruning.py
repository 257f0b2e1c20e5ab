"""Identities removed of events that count as credited no more."""

from contextlib import closing
from dataclasses import dataclass

from gmv.errors import InvalidSettings
from gmv.indexing.progress import Progress
from gmv.ledger.administration import Janitor
from gmv.ledger.open import open_janitor, open_registry
from gmv.ledger.tidy import one_pass
from gmv.settings import LedgerSettings


@dataclass(frozen=True, slots=True)
class Pruned:
    """What one pass over a ledger's books found.

    Attributes:
        ledger_url: of the ledger.
        dry_run: whether nothing was changed.
        identity_window: for how many offsets an event counts as credited.
        seen: number of identities looked at.
        lapsed: of them, those that count no more.
        removed: how many were removed.
    """

    ledger_url: str
    dry_run: bool
    identity_window: int
    seen: int
    lapsed: int
    removed: int


def prune(settings: LedgerSettings, identity_window: int | None, is_dry_run: bool, progress: Progress) -> Pruned:
    """Pass once over every book. Safe while workers commit, and to be ended anywhere.

    Args:
        settings: which ledger.
        identity_window: in offsets, to be stated in the ledger unless this is a dry run; None is what it states.
        is_dry_run: whether to count only.
        progress: shows how far it is.

    Raises:
        InvalidSettings: no window is given, and the ledger states none.
    """
    with closing(open_janitor(settings)) as janitor:
        window = identity_window or _stated(janitor, settings.url)
        if identity_window is not None and not is_dry_run:
            with closing(open_registry(settings)) as registry:
                registry.state_window(identity_window)
        sizes = {book: janitor.identities(book) for book in range(janitor.books)}
        seen = expired = 0
        with progress("looking at identities" if is_dry_run else "pruning", sum(sizes.values()), "") as advance:
            for book in sizes:
                for swept in one_pass(janitor, book, window if is_dry_run else None):
                    seen, expired = seen + swept.seen, expired + swept.expired
                    advance(swept.seen)
    return Pruned(settings.url, is_dry_run, window, seen, expired, 0 if is_dry_run else expired)


def _stated(janitor: Janitor, url: str) -> int:
    window = janitor.window()
    if window is None:
        raise InvalidSettings(
            f"{url} states no window, so every event counts for ever; state one by --identity-window OFFSETS, wider "
            "than the latest repeat you expect"
        )
    return window
