"""What of a corpus was read, and what was passed over: nothing of it goes without being counted and named."""

from dataclasses import dataclass

from gmv.passed_over import NAMED_MAX, PassedOver


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read of a corpus.

    Attributes:
        tables: files whose rows name images, in the order read.
        rows: of them all.
        splits: that were chosen; empty where the files name none.
        passed_over: what was not read, by reason.
        owners_alike: groups of owners whose names look the same and are not, each paid by itself.
    """

    tables: tuple[str, ...]
    rows: int
    splits: tuple[str, ...]
    passed_over: tuple[PassedOver, ...]
    owners_alike: tuple[tuple[str, ...], ...]

    def sentences(self) -> list[str]:
        """Return what a person should know before the images are encoded, a line each."""
        splits = f" of the split {', '.join(self.splits)}" if self.splits else ""
        shown, more = self.tables[:NAMED_MAX], len(self.tables) - NAMED_MAX
        names = ", ".join(shown) + (f" and {more:,} more" if more > 0 else "")
        return [
            f"read {self.rows:,} rows{splits} from {names}",
            *(each.sentence() for each in self.passed_over),
            *(
                f"owners that look alike, each paid by itself: {' and '.join(map(ascii, group))}"
                for group in self.owners_alike
            ),
        ]
