"""A mutation: one protection taken out of one file, and the fastest test that must notice."""

from dataclasses import dataclass
from pathlib import Path

SOURCE = Path("worker") / "gmv"

Arguments = tuple[str, ...]
"""Of the Python interpreter."""


class PatchFailed(Exception):  # noqa: N818 - a flow word
    """The text to be replaced is not in its file, or not once: the code moved on, and the mutation has to follow."""


@dataclass(frozen=True)
class Mutation:
    """A named patch.

    Attributes:
        protection: what is taken away, for a reader of the table.
        file: below `worker/gmv`.
        old: text that is in the file once.
        new: what replaces it.
        caught_by: the test, as arguments of the Python interpreter; exits 1 if it fails.
    """

    protection: str
    file: str
    old: str
    new: str
    caught_by: Arguments

    def applied_to(self, text: str) -> str:
        """Return the file's text without the protection.

        Raises:
            PatchFailed: see there.
        """
        if (times := text.count(self.old)) != 1:
            raise PatchFailed(f"{self.protection!r}: in {self.file}, the text to replace is there {times} times")
        return text.replace(self.old, self.new)


def pytest(*selection: str, seconds_max: int = 60) -> Arguments:
    """Run some of the tests, to the first that fails; one that takes longer than that has failed."""
    return (
        *("-m", "pytest", "-x", "-q", "-rfE", "-p", "no:cacheprovider", "--no-header"),
        *(f"--timeout={seconds_max}", "--hypothesis-seed=0", *selection),
    )


def simulator(*faults: str, runs: int = 60) -> Arguments:
    """Play runs of the simulator, to the first with a violation; with these faults alone, where some are named."""
    named = [word for name in faults for word in ("--fault", name)]
    return ("-m", "tests.simulator", "--runs", str(runs), "--failures-max", "1", *named)
