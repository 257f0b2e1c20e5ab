"""Where `gmv ledger correct` finds the receipts of events, and where it puts those of corrections."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from typing_extensions import override

from gmv.errors import EventsRefused
from gmv.files.outbox import append_lines, open_whole
from gmv.files.receipts import files_of_corrections, files_of_events, none_beside, receipts_beside, receipts_in
from gmv.kafka.receipts import publishing_to, receipts_in_topic, receipts_topics
from gmv.operations.applying_corrections import Positions, ReceiptsOfLedger
from gmv.operations.correcting import Publish
from gmv.operations.published import Published
from gmv.settings import KafkaSettings
from gmv.stream.ports import SealedReceipt


@dataclass(frozen=True, slots=True)
class CorrectionReceipts(ReceiptsOfLedger):
    """A `ReceiptsOfLedger`: the topics of receipts that the ledger's positions lead to, and files.

    Attributes:
        kafka: whose brokers hold the topics.
        path: file to which receipts of corrections are appended, whatever else there is.
        topics: of receipts, the first of which gets those of corrections; empty: those of the topics that the ledger
            knows.
        files: receipts of files of events; empty: those beside the corrections, of the files that the ledger knows.
        folders: in which files of receipts are looked for.
    """

    kafka: KafkaSettings
    path: Path
    topics: Sequence[str]
    files: Sequence[Path]
    folders: Sequence[Path]

    @override
    def published(self, positions: Positions) -> Iterator[Published]:
        topics = self._topics(positions)
        files = self.files or receipts_beside(sorted(files_of_events(positions)), self.folders)
        if not topics and not files:
            raise EventsRefused(
                f"{none_beside(files_of_events(positions), self.folders)}; name one by --event-receipts, or a topic by "
                "--receipts-topic"
            )
        earlier = receipts_beside(sorted(files_of_corrections(positions)), self.folders)
        own = [self.path] if self.path.is_file() else []
        for path in {each.resolve(): each for each in (*files, *earlier, *own)}.values():
            yield from receipts_in(path)
        for topic in topics:
            yield from receipts_in_topic(self.kafka, topic)

    @override
    @contextmanager
    def publishing(self, positions: Positions) -> Iterator[Publish]:
        with ExitStack() as opened:
            lines = opened.enter_context(open_whole(self.path))
            topic = self.topic(positions)
            to_topic = None if topic is None else opened.enter_context(publishing_to(self.kafka, topic))

            def publish(receipts: Sequence[SealedReceipt]) -> None:
                if to_topic is not None:
                    to_topic(receipts)
                append_lines(lines, [receipt.value for receipt in receipts])

            yield publish

    @override
    def topic(self, positions: Positions) -> str | None:
        return next(iter(self._topics(positions)), None)

    def _topics(self, positions: Positions) -> Sequence[str]:
        return self.topics or receipts_topics(self.kafka, positions)
