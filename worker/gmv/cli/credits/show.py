"""`gmv credits`: what owners have earned, each answer read from the ledger at one moment."""

from collections.abc import Iterator
from contextlib import closing
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gmv.cli.credits.leaderboard import leaderboard
from gmv.cli.history.page import page
from gmv.cli.history.statement import statement
from gmv.cli.options import ConfigOption, JsonOption, LedgerOption, ledger_file, load_settings, refuse_shared_files

if TYPE_CHECKING:
    from rich.console import ConsoleRenderable

    from gmv.operations.owners_credits import Leaders, OwnersCredits

app = typer.Typer(add_completion=False, no_args_is_help=True)


class Format(StrEnum):
    """How an export is written."""

    CSV = "csv"
    JSON = "json"
    PARQUET = "parquet"


@app.command()
def top(
    limit: Annotated[int, typer.Option("--limit", metavar="N", min=1, help="How many owners to show.")] = 20,
    ledger: LedgerOption = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Show the owners who have earned most, ties in order of their ids."""
    settings = load_settings(config, ledger=ledger)
    from gmv.cli.output import render
    from gmv.ledger.open import open_accounts
    from gmv.operations.owners_credits import leaders

    with closing(open_accounts(settings.ledger)) as accounts:
        found = leaders(accounts, limit)
    render(found, json, _view_top)


def _view_top(leaders: "Leaders") -> "Iterator[str | ConsoleRenderable]":
    from gmv.cli.output import credits_text, table

    earned = leaders.credit_micros - leaders.unattributed_micros
    beside = f"; {credits_text(leaders.unattributed_micros)} are unattributed" if leaders.unattributed_micros else ""
    yield f"{leaders.owners_credited:,} owners have earned {credits_text(earned)} credits{beside}"
    yield table(
        None,
        ["rank", "owner", "credits", "share"],
        [
            [
                rank,
                each.owner_id,
                credits_text(each.credit_micros),
                f"{each.credit_micros / (leaders.credit_micros or 1):.1%}",
            ]
            for rank, each in enumerate(leaders.owners, start=1)
        ],
        numbers=["rank", "credits", "share"],
    )


@app.command()
def show(
    owners: Annotated[list[str], typer.Argument(metavar="OWNER…", help="Owner ids, as the training corpus has them.")],
    ledger: LedgerOption = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Show what these owners have earned. Who never was credited has nothing; exits with 1 if that is all of them."""
    settings = load_settings(config, ledger=ledger)
    from gmv.cli.output import render
    from gmv.ledger.open import open_accounts
    from gmv.operations.owners_credits import owners_credits

    with closing(open_accounts(settings.ledger)) as accounts:
        found = owners_credits(accounts, owners)
    render(found, json, _view_show)
    if not any(each.ever_credited for each in found.owners):
        raise typer.Exit(1)


def _view_show(found: "OwnersCredits") -> "Iterator[str | ConsoleRenderable]":
    from gmv.cli.output import credits_text, table

    yield table(
        None,
        ["owner", "credits", ""],
        [
            [each.owner_id, credits_text(each.credit_micros), "" if each.ever_credited else "never credited"]
            for each in found.owners
        ],
        numbers=["credits"],
    )


@app.command()
def export(
    format: Annotated[Format, typer.Option("--format", help="Columns: owner_id, credit_micros.")] = Format.CSV,  # noqa: A002 - the flag's name
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE", help="Replaced whole or not at all. Default for csv and json: stdout."),
    ] = None,
    ledger: LedgerOption = None,
    config: ConfigOption = None,
) -> None:
    """Write every owner's total, in order of the owners' ids; 1,000,000 micro-credits are one credit."""
    settings = load_settings(config, ledger=ledger)
    from gmv.cli.credits.exports import WRITERS, as_shown, balances_table
    from gmv.cli.out_file import replacing
    from gmv.cli.output import credits_text, print_for_people
    from gmv.cli.terminal import binary_stdout
    from gmv.errors import InvalidSettings
    from gmv.ledger.open import open_accounts
    from gmv.ledger.totals import read_totals

    refuse_shared_files(ledger=ledger_file(settings.ledger.url), out=out)
    if out is None and format is Format.PARQUET:
        raise InvalidSettings("a Parquet file cannot go to stdout; name it with --out FILE")
    with closing(open_accounts(settings.ledger)) as accounts:
        statement = read_totals(accounts)
    balances = sorted(statement.balances, key=lambda balance: balance.owner_id)
    if out is None:
        WRITERS[format](as_shown(balances_table(balances)), binary_stdout())
        return
    with replacing(out) as file:
        WRITERS[format](balances_table(balances), file)
    print_for_people(f"{out}: {len(balances):,} owners, {credits_text(statement.micros)} credits")


app.command()(leaderboard)
app.command()(statement)
app.command()(page)
