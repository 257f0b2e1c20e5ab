"""Which dead letters' events a ledger has credited by now, as far as it can be asked."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final

from gmv.errors import LedgerMissing, Refusal
from gmv.events.model import identity_of
from gmv.ledger.open import open_ledger
from gmv.ledger.port import Ledger
from gmv.settings import LedgerSettings
from gmv.stream.dead_letters import FoundDeadLetter

RETRY_SECONDS_MAX: Final = 5.0
"""How long a ledger that is away is waited for: what is asked for is known without it."""


class CreditedSince:
    """Asks a ledger until it refuses, and never again after that.

    Attributes:
        why_unknown: what it said when it refused; None where it answers, or where none was made and none is named.
    """

    why_unknown: str | None = None

    def __init__(self, ledger: Ledger | None, is_named: bool) -> None:
        """Ask nothing yet.

        Args:
            ledger: None where there is none to be asked.
            is_named: whether a ledger is expected to be there.
        """
        self._ledger = ledger
        self._is_named = is_named

    @property
    def is_known(self) -> bool:
        """Whether all questions were answered."""
        return self._ledger is not None

    def of(self, dead_letters: Sequence[FoundDeadLetter]) -> list[bool | None]:
        """Return whether the event of each is credited; None where nobody can tell, such as of what is no event."""
        identities = [_identity(each) for each in dead_letters]
        by_partition: defaultdict[int, list[bytes]] = defaultdict(list)
        for dead_letter, identity in zip(dead_letters, identities, strict=True):
            if identity is not None:
                by_partition[dead_letter.partition.number].append(identity)
        known = self._known(by_partition)
        return [None if each is None or known is None else each in known for each in identities]

    def _known(self, by_partition: Mapping[int, Sequence[bytes]]) -> set[bytes] | None:
        if self._ledger is None:
            return None
        try:
            return {
                identity
                for partition, asked in by_partition.items()
                for identity in self._ledger.known(partition, asked)
            }
        except Refusal as refusal:
            self._ledger = None
            if self._is_named or not isinstance(refusal, LedgerMissing):
                self.why_unknown = str(refusal)
            return None


@contextmanager
def asking(settings: LedgerSettings) -> Iterator[CreditedSince]:
    """Give what asks the ledger of the settings; nothing is raised where there is none, or it does not answer."""
    is_named = settings.url != LedgerSettings().url
    patient = settings.model_copy(update={"retry_seconds": min(settings.retry_seconds, RETRY_SECONDS_MAX)})
    try:
        ledger = open_ledger(patient)
    except Refusal as refusal:
        unknown = CreditedSince(None, is_named)
        unknown.why_unknown = str(refusal)
        yield unknown
        return
    try:
        yield CreditedSince(ledger, is_named)
    finally:
        ledger.close()


def _identity(dead_letter: FoundDeadLetter) -> bytes | None:
    """Return it by what the record calls itself: the event is not decoded, which may have ended a worker."""
    name = dead_letter.event_name()
    if name.source is None or name.id is None:
        return None
    return identity_of(name.source, name.id)
