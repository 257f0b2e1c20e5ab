"""One file of corrections compared with a ledger, and applied to it unless this is a dry run."""

from collections.abc import Collection, Iterable, Mapping
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from gmv.errors import CorrectionsRefused, EventsRefused, LogRefused, LogUnavailable
from gmv.ledger.open import open_accounts, open_ledger, open_registry
from gmv.ledger.port import Accounts
from gmv.ledger.position import Position
from gmv.operations.corrected_events import doubts_about
from gmv.operations.correcting import CorrectionPlan, Publish, apply_corrections, plan_corrections
from gmv.operations.correction_file import read_corrections
from gmv.operations.judging import judge_receipts
from gmv.operations.owner_names import ListedOwners, refuse_unknown_payees
from gmv.operations.published import Published
from gmv.settings import LedgerSettings
from gmv.valuation.correction import net

Positions = Mapping[tuple[str, int], Position]
"""All positions of a ledger, by (topic, partition): they say which logs it knows."""


class ReceiptsOfLedger(Protocol):
    """Where the receipts of a ledger's events are, and those of its corrections belong."""

    def published(self, positions: Positions) -> Iterable[Published]:
        """Yield all receipts that can be found.

        Raises:
            EventsRefused: a file cannot be read, or nothing says where receipts are.
            LogUnavailable: Kafka does not answer, or there is no such topic.
            LogRefused: this user may not read it.
        """

    def publishing(self, positions: Positions) -> AbstractContextManager[Publish]:
        """Open all places in which receipts of corrections belong. Raises as `published` does."""

    def topic(self, positions: Positions) -> str | None:
        """Return the topic that receipts of corrections go to beside the file, None where the ledger has no topic."""


@dataclass(frozen=True, slots=True)
class Meant:
    """What the operator says of lines that would be refused otherwise.

    Attributes:
        insist: why corrections are meant that the receipts of their events do not support; None: they are not.
        new_owners: payees that neither ledger nor index nor owners file knows.
    """

    insist: str | None = None
    new_owners: Collection[str] = ()


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
        receipts_topic: where they are, too; None in a dry run, and where the ledger knows no topic of Kafka.
        insisted: how many of those applied or pending are meant though receipts do not support them.
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
    receipts_topic: str | None
    insisted: int


def correct(
    file: Path,
    receipts_path: Path,
    is_dry_run: bool,
    settings: LedgerSettings,
    receipts: ReceiptsOfLedger,
    listed_owners: ListedOwners,
    meant: Meant,
) -> Corrected:
    """Apply a file, or say what applying it would do.

    Args:
        file: one correction per line.
        receipts_path: file for receipts, which is appended to.
        is_dry_run: whether to check only; nothing is published then.
        settings: which ledger.
        receipts: of the ledger's events and corrections; read where a line to apply names an event.
        listed_owners: asked where the ledger does not know a payee.
        meant: what the operator insists on.

    Raises:
        CorrectionsRefused: a line is wrong, an owner has less than is taken, was not paid it by the event, or nobody
            knows a payee; nothing was applied.
        LedgerMissing: there is no ledger.
        DiskFull, LogUnavailable, LogRefused: a receipt cannot be written; what was committed before stays.
    """
    read = read_corrections(file)
    with closing(open_ledger(settings)) as ledger, closing(open_accounts(settings)) as accounts:
        plan = plan_corrections(read, ledger, accounts)
        refuse_unknown_payees(read, plan.pending, accounts, listed_owners, meant.new_owners)
        positions = accounts.positions()
        plan = _supported(plan, positions, accounts, receipts, meant.insist)
        if not is_dry_run:
            with closing(open_registry(settings)) as registry, receipts.publishing(positions) as publish:
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
        receipts_path=None if is_dry_run else receipts_path,
        receipts_topic=None if is_dry_run else receipts.topic(positions),
        insisted=sum(each.insisted is not None for each in plan.pending),
    )


def _supported(
    plan: CorrectionPlan, positions: Positions, accounts: Accounts, receipts: ReceiptsOfLedger, insist: str | None
) -> CorrectionPlan:
    """Hold what is pending against the receipts of the events that it names; insisted on, it says why it is meant."""
    about = [each for each in plan.pending if each.event is not None]
    events = {(each.event["source"], each.event["id"]) for each in about if each.event is not None}
    if not events:
        return plan
    try:
        judgement = judge_receipts(lambda *event: event in events, receipts.published(positions), positions)
        doubts = doubts_about(plan.pending, judgement, accounts.books())
    except (EventsRefused, LogUnavailable, LogRefused) as error:
        doubts = {each.offset: f"the receipts of its event cannot be read: {error}" for each in about}
    if doubts and insist is None:
        offset, doubt = min(doubts.items())
        more = f" ({len(doubts) - 1} more lines are in doubt)" if len(doubts) > 1 else ""
        raise CorrectionsRefused(
            f"{plan.file.path}:{offset + 1}: {doubt}{more}. Correct the line, or say by --insist REASON why it is "
            "meant, which its receipt will tell; nothing of the file was applied"
        )
    return plan.insisted(dict.fromkeys(doubts, insist or ""))
