"""What a demo's ledger and receipts say, read back and checked against each other."""

from collections import Counter
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass

import orjson

from gmv.demo.folder import DemoFolder
from gmv.demo.source_hits import Outcome, outcomes
from gmv.errors import ConservationBroken
from gmv.files.receipts import receipts_in
from gmv.ledger.open import open_accounts
from gmv.ledger.port import Balance, Sums
from gmv.ledger.verify import conservation
from gmv.operations.verifying import VerifiedReceipts, committed_receipts, verify_receipts
from gmv.settings import LedgerSettings


@dataclass(frozen=True, slots=True)
class Books:
    """What was committed, by this run and earlier ones.

    Attributes:
        sums: the ledger's own counts.
        balances: every owner's total, the highest first, ties by owner id.
        outcomes: the committed events beside their true sources, in the order of the log.
        explanation: how the receipts account for the totals.
        reasons: number of dead letters by reason.
    """

    sums: Sums
    balances: tuple[Balance, ...]
    outcomes: tuple[Outcome, ...]
    explanation: VerifiedReceipts
    reasons: Mapping[str, int]

    @property
    def events(self) -> int:
        """Records of the log that the ledger is past: each is credited, dead-lettered or repeated (I3)."""
        return self.sums.credited + self.sums.dead_letters + self.sums.duplicates

    @property
    def conserved(self) -> bool:
        """Whether receipts, accounts and the ledger's count give the same sum, and of as many events."""
        on_accounts = sum(balance.micros for balance in self.balances)
        in_receipts = sum(outcome.receipt["micros"] for outcome in self.outcomes)
        return on_accounts == in_receipts == self.sums.micros and len(self.outcomes) == self.sums.credited


def read_books(folder: DemoFolder, ledger: LedgerSettings) -> Books:
    """Read the ledger and its committed receipts.

    Raises:
        ConservationBroken: totals, counts and receipts do not agree.
    """
    sources: Mapping[str, list[str]] = orjson.loads(folder.sources.read_bytes())
    with closing(open_accounts(ledger)) as accounts:
        conserved = conservation(accounts)
        if not conserved.conserved:
            raise ConservationBroken("; ".join(conserved.complaints))
        explanation = verify_receipts(accounts, lambda: receipts_in(folder.receipts))
        receipts = list(committed_receipts(accounts, lambda: receipts_in(folder.receipts)))
        balances = sorted(accounts.balances(), key=lambda balance: (-balance.micros, balance.owner_id))
    receipts.sort(key=lambda receipt: receipt["position"]["offset"])
    known = outcomes(receipts, {event_id: tuple(image_ids) for event_id, image_ids in sources.items()})
    return Books(conserved.sums, tuple(balances), tuple(known), explanation, _reasons(folder))


def _reasons(folder: DemoFolder) -> Counter[str]:
    """Count each record once: a crash between publishing and commit leaves the same dead letter twice."""
    with folder.dead_letters.open("rb") as lines:
        dead_letters = [orjson.loads(line) for line in lines]
    return Counter({dead_letter["offset"]: dead_letter["reason"] for dead_letter in dead_letters}.values())
