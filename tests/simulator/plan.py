"""What a run is like before anything goes wrong in it."""

from dataclasses import dataclass
from random import Random

from .workload import Mix


@dataclass(frozen=True)
class Plan:
    """What a run is like, less its faults."""

    partitions: int
    books: int
    primaries: int
    workers: int
    is_static: bool
    run_records_max: int
    fields_max: int
    ledger_slowness: float
    brokers_slowness: float
    seconds: float
    records: int
    mix: Mix

    @classmethod
    def draw(cls, chance: Random) -> "Plan":
        """Draw one."""
        books = chance.choice([1, 1, 1, 2])
        owners_max = chance.randint(1, 6)
        return cls(
            partitions=chance.randint(1, 4),
            books=books,
            primaries=chance.randint(1, books),
            workers=chance.randint(1, 3),
            is_static=chance.random() < 0.4,
            run_records_max=chance.choice([1, 3, 8]),
            fields_max=chance.choice([owners_max + 6, owners_max + 12, 3_900]),
            ledger_slowness=chance.choice([1, 1, 5, 20]),
            brokers_slowness=chance.choice([1, 1, 5, 20]),
            seconds=chance.uniform(10, 40),
            records=chance.randint(10, 80),
            mix=Mix(
                poison=chance.choice([0, 0.05, 0.2]),
                ownerless=chance.choice([0, 0.1]),
                again_here=chance.choice([0, 0.1]),
                again_anywhere=chance.choice([0, 0.1, 0.4]),
                conflict=chance.choice([0, 0.1]),
                owners_max=owners_max,
            ),
        )
