"""What a demo's ledger and receipts say, read back and checked against each other."""

from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass

import orjson

from gmv.demo.folder import DemoFolder
from gmv.demo.outcome import Outcome, outcomes
from gmv.errors import ConservationBroken
from gmv.ledger.open import open_accounts
from gmv.ledger.port import Balance, Sums
from gmv.ledger.verify import conservation
from gmv.settings import LedgerSettings
from gmv.stream.explanation import Explanation, committed_receipts, explain, receipts_in


@dataclass(frozen=True, slots=True)
class Books:
    """What was committed, by this run and earlier ones.

    Attributes:
        sums: the ledger's own counts.
        balances: every owner's total, the highest first, ties by owner id.
        told: the committed events beside their true sources, in the order of the log.
        explanation: how the receipts account for the totals.
    """

    sums: Sums
    balances: tuple[Balance, ...]
    told: tuple[Outcome, ...]
    explanation: Explanation


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
        explanation = explain(accounts, lambda: receipts_in(folder.receipts))
        receipts = list(committed_receipts(accounts, lambda: receipts_in(folder.receipts)))
        balances = sorted(accounts.balances(), key=lambda balance: (-balance.micros, balance.owner_id))
    receipts.sort(key=lambda receipt: receipt["position"]["offset"])
    told = outcomes(receipts, {event_id: tuple(image_ids) for event_id, image_ids in sources.items()})
    return Books(conserved.sums, tuple(balances), tuple(told), explanation)
