"""`gmv credits statement`: what an owner, or each of them, earned in a time, from committed receipts."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gmv.cli.history.committed import FromOption, TimezoneOption, ToOption, history, known_owner
from gmv.cli.options import (
    BrokersOption,
    ConfigOption,
    JsonOption,
    LedgerOption,
    ledger_file,
    load_settings,
    refuse_shared_files,
)
from gmv.cli.receipts import ReceiptsOption, ReceiptsTopicOption
from gmv.statements.tally import By

if TYPE_CHECKING:
    from gmv.cli.history.committed import History
    from gmv.statements.period import Period
    from gmv.statements.tally import Tally


@dataclass(frozen=True, slots=True)
class WrittenStatements:
    """A file of all owners' statements: how many rows of how many owners, and what they come to."""

    out: Path
    rows: int
    owners: int
    credit_micros: int
    without_time_micros: int
    lines_passed_over: tuple[str, ...]


def statement(
    owner: Annotated[
        str | None, typer.Option("--owner", metavar="OWNER", help="Whose; needed unless --out is given.")
    ] = None,
    since: FromOption = None,
    until: ToOption = None,
    by: Annotated[By | None, typer.Option("--by", help="A line for each; one line if left out.")] = None,
    timezone: TimezoneOption = "UTC",
    works: Annotated[int, typer.Option("--works", metavar="N", min=0, help="How many training images to name.")] = 10,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", metavar="FILE", help="Of all owners: .csv, .json or .parquet; replaced whole or not at all."
        ),
    ] = None,
    receipts_files: ReceiptsOption = None,
    receipts_topics: ReceiptsTopicOption = None,
    brokers: BrokersOption = None,
    ledger: LedgerOption = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Show what an owner earned in a time: events, credits, works, corrections, and how that fits the ledger's total.

    An event counts at its own time, else at its record's; what tells none is a line of its own. Receipts are those of
    all logs of the ledger: where none are named, those of its topics, and files beside it or in this folder.

    A file of all owners has a row for each owner_id, `when` and `label`. `when` is within the period, before or after
    it, or without_time; an owner's rows add up to the ledger's total. `label` is the month or model of --by, within the
    period alone. Sums are events and event_micros (micro-credits), corrections and correction_micros, credit_micros of
    both, and unreliable_events of judged_events.
    """
    settings = load_settings(config, ledger=ledger, brokers=brokers)
    from gmv.cli.history.statement_view import view, view_written
    from gmv.cli.output import render
    from gmv.errors import InvalidSettings
    from gmv.statements.period import period_of
    from gmv.statements.statement import statement_of

    period = period_of(since, until, timezone)
    if (owner is None) == (out is None):
        raise InvalidSettings("name one owner by --owner, or a file for all of them by --out FILE.csv or .parquet")
    refuse_shared_files(ledger=ledger_file(settings.ledger.url), out=out)
    for each in receipts_files or []:
        refuse_shared_files(receipts=each, out=out)
    if out is not None:
        _check_ending(out)
    with history(receipts_files or [], receipts_topics or [], settings) as found:
        if out is not None:
            render(_write(out, period, by, found), json, view_written)
            return
        owner_id = known_owner(str(owner), found.totals)
        told = statement_of(owner_id, period, by, found.bookings(), found.totals, settings.ledger.url, works)
    render(replace(told, lines_passed_over=tuple(found.passed_over.places)), json, view)


def _check_ending(out: Path) -> None:
    from gmv.cli.credits.exports import WRITERS
    from gmv.errors import InvalidSettings

    if out.suffix.lower().removeprefix(".") not in WRITERS:
        raise InvalidSettings(f"--out {out}: the ending says how it is written; give it .csv, .json or .parquet")


def _write(out: Path, period: "Period", by: By | None, found: "History") -> WrittenStatements:
    from gmv.cli.credits.exports import WRITERS, Table
    from gmv.cli.out_file import replacing
    from gmv.statements.rows import COLUMNS, rows_of
    from gmv.statements.tally import Tally

    with replacing(out) as file:
        tally = Tally(period, by)
        for booking in found.bookings():
            tally.add(booking)
        tally.check(found.totals)
        rows = rows_of(tally)
        WRITERS[out.suffix.lower().removeprefix(".")](Table(COLUMNS, rows), file)
    return _written(out, tally, len(rows), tuple(found.passed_over.places))


def _written(out: Path, tally: "Tally", rows: int, passed_over: tuple[str, ...]) -> WrittenStatements:
    from gmv.statements.period import When

    sums = dict.fromkeys(When, 0)
    for key, line in tally.lines.items():
        sums[key.when] += line.credit_micros
    owners = len({key.owner_id for key in tally.lines})
    return WrittenStatements(out, rows, owners, sums[When.WITHIN], sums[When.WITHOUT_TIME], passed_over)
