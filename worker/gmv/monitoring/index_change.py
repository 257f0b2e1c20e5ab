"""What becomes of an index that is published while a worker runs: a label."""

from enum import StrEnum


class IndexChange(StrEnum):
    """Taken between two runs, or refused."""

    TAKEN = "taken"
    REFUSED = "refused"
