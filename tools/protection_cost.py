"""What event ids and receipts cost: `gmv worker` and the same worker without them, taking turns.

    python -m tools.protection_cost EVENTS.jsonl --index INDEX --rounds 3

Kafka and Redis are those of gmv's settings; topics and ledgers of its own are made there and removed.
"""

import statistics
from pathlib import Path
from typing import Annotated, Any, Final

import orjson
import typer

from gmv.bench.stream import WORKER, kafka_to_redis
from gmv.index.opened import Index, open_index
from gmv.settings import Settings, load

UNPROTECTED_WORKER: Final = ("tools.unprotected_worker",)


def protection_cost(events: Path, index: Index, settings: Settings, rounds: int) -> dict[str, Any]:
    """Return the median rates of both workers, in events per second, and what the first keeps of the second's."""
    rates: dict[tuple[str, ...], list[float]] = {UNPROTECTED_WORKER: [], WORKER: []}
    for _ in range(rounds):
        for worker, passes in rates.items():
            passes.append(kafka_to_redis(events, index, settings, worker).events_per_second)
    unprotected, protected = (statistics.median(passes) for passes in rates.values())
    return {
        "rounds": rounds,
        "unprotected_events_per_second": unprotected,
        "kafka_redis_events_per_second": protected,
        "ratio_kafka_redis_vs_unprotected": protected / unprotected,
    }


def main(
    events: Path,
    index: Annotated[Path, typer.Option(help="Folder of the index.")],
    rounds: Annotated[int, typer.Option(min=1)] = 3,
) -> None:
    """Print the figures as JSON."""
    figures = protection_cost(events, open_index(index, verify=True), load(), rounds)
    typer.echo(orjson.dumps(figures, option=orjson.OPT_INDENT_2))


if __name__ == "__main__":
    typer.run(main)
