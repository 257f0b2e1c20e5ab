"""Flow words: every way a record, a file or a server can refuse, and the exit code each one ends with.

A `Poison` belongs to one record and ends in the dead letters. Everything else here is a `Refusal`: a sentence
for a person, that names what was refused and what to do about it, and an exit code for a supervisor.
"""

from enum import StrEnum
from typing import ClassVar

from gmv.printable import encodable


class Reason(StrEnum):
    """Why a record cannot be credited; a closed set, since it labels a metric and a dead letter's header."""

    MALFORMED_JSON = "malformed_json"
    INVALID_EVENT = "invalid_event"
    UNSUPPORTED_TYPE = "unsupported_type"
    WRONG_ENCODER = "wrong_encoder"
    INVALID_FEATURES = "invalid_features"
    IMAGE_REFUSED = "image_refused"
    IMAGE_UNREACHABLE = "image_unreachable"
    IMAGE_CORRUPT = "image_corrupt"
    ID_CONFLICT = "id_conflict"
    KILLED_WORKER = "killed_worker"


class Poison(Exception):  # noqa: N818 - a flow word, not a failure of ours
    """This one record cannot be credited, now or later; it is dead-lettered and the log goes on."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = encodable(detail)  # it goes into dead letters, and a file's name may be in it


class Refusal(Exception):  # noqa: N818 - base of the sentences that end a command
    """gmv stops, because going on could lose or double a credit, or has nothing to go on with."""

    exit_code: ClassVar[int] = 1


class InvalidSettings(Refusal):
    """A setting, flag, environment variable or configuration file is unknown, wrong or missing."""

    exit_code = 2


class PackagesMissing(Refusal):
    """A package that this needs is not installed: `gmv[worker]` computes, other extras run pretrained networks."""

    exit_code = 3


class CorpusRefused(Refusal):
    """The training corpus is empty, has duplicate or missing ids or owners, or too many bad images."""

    exit_code = 10


class IndexRefused(Refusal):
    """The index folder is missing, incomplete, altered (a digest differs) or made by another encoder."""

    exit_code = 11


class DiskFull(Refusal):
    """A write failed for want of space; what was half written is not under its final name."""

    exit_code = 12


class EventsRefused(Refusal):
    """The events file cannot be read at all (missing, wrong format). One bad record is a `Poison` instead."""

    exit_code = 13


class OwnersRefused(Refusal):
    """The owners file is missing or wrong, or is about images or owners that the index does not have."""

    exit_code = 14


class CorrectionsRefused(Refusal):
    """A file of corrections is wrong or was edited, takes what was not paid, or pays whom nobody knows."""

    exit_code = 15


class LedgerUnavailable(Refusal):
    """The ledger's server did not answer within the retry budget; nothing is known to be lost."""

    exit_code = 20


class LedgerMissing(Refusal):
    """No ledger, or no position for this log: it was never initialised, or its data is gone. Fail closed (I8)."""

    exit_code = 21


class CreditOutOfRange(Refusal):
    """A total would leave [0, 2^53), or a batch is larger than one commit may be (I10); nothing was written."""

    exit_code = 22


class LedgerRefused(Refusal):
    """The ledger's address holds something else, is damaged, of another format, or closed to this user."""

    exit_code = 23


class LogUnavailable(Refusal):
    """Kafka did not answer within the retry budget, or the topic does not exist."""

    exit_code = 30


class PositionOutsideLog(Refusal):
    """The ledger's position is below the log's start (retention), above its end, or in another topic (I8)."""

    exit_code = 31


class TooManyDeadLetters(Refusal):
    """So many records in a row or in ratio are poison that the fault is ours or the producer's: stop, not drain."""

    exit_code = 32


class LogRefused(Refusal):
    """Kafka does not let this user in or do that, or shows a certificate that is not trusted."""

    exit_code = 33


class ConservationBroken(Refusal):
    """Totals and receipts, or totals and the book's own sum, differ (I1, I2)."""

    exit_code = 40


class Unfit(Refusal):
    """The doctor found a problem: something a worker needs is missing, or credits are at risk."""

    exit_code = 50


class MetricsUnavailable(Refusal):
    """Prometheus did not answer, or refused a query."""

    exit_code = 60


class ExperimentRefused(Refusal):
    """An experiment's images, labels, sizes or checkpoint do not fit it, or the training of a generator diverged."""

    exit_code = 65
