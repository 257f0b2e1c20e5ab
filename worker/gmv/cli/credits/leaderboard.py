"""`gmv credits leaderboard`: the owners who have earned most, kept in Redis as a sorted set for other programs."""

import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from gmv.cli.options import ConfigOption, JsonOption, LedgerOption, ledger_file, load_settings

if TYPE_CHECKING:
    from gmv.ledger.port import Sums
    from gmv.ledger.redis.leaderboard import RedisLeaderboard


@dataclass(frozen=True, slots=True)
class MadeLeaderboard:
    """How many owners the leaderboard holds, and what the ledger counted before their totals were read."""

    owners: int
    credit_micros: int
    events_credited: int


def leaderboard(
    limit: Annotated[int, typer.Option("--limit", metavar="N", min=1, help="Most owners it holds.")] = 1_000,
    follow: Annotated[bool, typer.Option("--follow", help="Make it again whenever credits were added.")] = False,
    every: Annotated[
        float, typer.Option("--every", metavar="SECONDS", min=0.1, help="Pause between two looks, with --follow.")
    ] = 60.0,
    ledger: LedgerOption = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Make the leaderboard in Redis: a sorted set of owners by micro-credits, as docs/redis.md describes it.

    It is made from the ledger, which it never changes; ended anywhere, it is whole, and old, until it is made again.
    """
    settings = load_settings(config, ledger=ledger).ledger
    from gmv.cli.stopping import stop_by_exception
    from gmv.errors import InvalidSettings
    from gmv.ledger.redis.leaderboard import RedisLeaderboard

    if ledger_file(settings.url) is not None:
        raise InvalidSettings("a leaderboard is kept in Redis; of a ledger in a file, `gmv credits top` shows the same")
    if follow:
        stop_by_exception()
    with closing(RedisLeaderboard(settings)) as board:
        as_of = _make(board, limit, json)
        while follow:
            time.sleep(every)
            if board.sums() != as_of:
                as_of = _make(board, limit, json)


def _make(board: "RedisLeaderboard", limit: int, json: bool) -> "Sums":
    """Make it, and say so on a line of its own."""
    from gmv.cli.output import render

    made = board.make(limit)
    render(MadeLeaderboard(made.owners, made.as_of.micros, made.as_of.credited), json, _view)
    return made.as_of


def _view(made: MadeLeaderboard) -> Iterator[str]:
    from gmv.cli.output import credits_text

    yield (
        f"{made.owners:,} owners hold places, as of {credits_text(made.credit_micros)} credits "
        f"for {made.events_credited:,} events"
    )
