"""One file of corrections compared with a ledger, and applied to it unless this is a dry run."""

from collections.abc import Callable
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass
from pathlib import Path

from gmv.ledger.open import open_accounts, open_ledger, open_registry
from gmv.operations.correcting import Publish, apply_corrections, plan_corrections
from gmv.operations.correction_file import read_corrections
from gmv.settings import LedgerSettings
from gmv.valuation.correction import net

Publishing = Callable[[Path], AbstractContextManager[Publish]]
"""Opens a file of receipts to append to."""


@dataclass(frozen=True, slots=True)
class CorrectedOwner:
    """An owner whose total changes: by how much, and what it is then, in micro-credits."""

    owner_id: str
    change_micros: int
    credit_micros: int


@dataclass(frozen=True, slots=True)
class Corrected:
    """What a file of corrections came to.

    Attributes:
        file: of corrections.
        dry_run: whether nothing was changed.
        corrections: how many the file has.
        applied: how many were applied now.
        pending: how many would be, in a dry run.
        already_applied: how many were applied before.
        withdrawn_micros: micro-credits that were taken and given to nobody.
        owners: whose totals change by what is applied or pending, by owner id.
        receipts_path: where the receipts are; None in a dry run.
    """

    file: Path
    dry_run: bool
    corrections: int
    applied: int
    pending: int
    already_applied: int
    withdrawn_micros: int
    owners: tuple[CorrectedOwner, ...]
    receipts_path: Path | None


def correct(
    file: Path, receipts: Path, is_dry_run: bool, settings: LedgerSettings, publishing: Publishing
) -> Corrected:
    """Apply a file, or say what applying it would do.

    Args:
        file: one correction per line.
        receipts: file for receipts, which is appended to.
        is_dry_run: whether to check only.
        settings: which ledger.
        publishing: opens the receipts; not called in a dry run.

    Raises:
        CorrectionsRefused: a line is wrong, or an owner has less than is taken; nothing was applied.
        LedgerMissing: there is no ledger.
        DiskFull: a receipt cannot be written; what was committed before stays.
    """
    read = read_corrections(file)
    with closing(open_ledger(settings)) as ledger, closing(open_accounts(settings)) as accounts:
        plan = plan_corrections(read, ledger, accounts)
        if not is_dry_run:
            with closing(open_registry(settings)) as registry, publishing(receipts) as publish:
                apply_corrections(plan, ledger, registry, publish)
        total = net(plan.pending)
        changes = total.credits | {owner_id: -micros for owner_id, micros in total.debits.items()}
        totals = accounts.totals(sorted(changes))
    owners = [
        CorrectedOwner(owner_id, change, totals.get(owner_id, 0) + (change if is_dry_run else 0))
        for owner_id, change in sorted(changes.items())
    ]
    return Corrected(
        file=file,
        dry_run=is_dry_run,
        corrections=len(read.corrections),
        applied=0 if is_dry_run else len(plan.pending),
        pending=len(plan.pending) if is_dry_run else 0,
        already_applied=plan.already_applied,
        withdrawn_micros=-sum(changes.values()),
        owners=tuple(owners),
        receipts_path=None if is_dry_run else receipts,
    )
