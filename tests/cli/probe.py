"""Commands that end in every way a command can; the tests put one into gmv's table."""

import errno

import typer

from gmv.errors import LedgerMissing

app = typer.Typer()


@app.command()
def show() -> None:
    typer.echo("shown")


@app.command()
def hide() -> None:
    typer.echo("hidden")


def succeed(times: int = 1) -> None:
    """Say fine.

    Args:
        times: how often.
    """
    typer.echo("fine " * times)


def flood() -> None:
    for _ in range(100_000):
        typer.echo("line")


def refuse() -> None:
    raise LedgerMissing("no ledger at x: run `gmv ledger init`")


def fail() -> None:
    raise ZeroDivisionError("a bug")


def be_interrupted() -> None:
    raise KeyboardInterrupt


def be_locked_out() -> None:
    raise OSError(errno.EROFS, "Read-only file system", "a/b[/y]")


def lose_a_file() -> None:
    raise FileNotFoundError(2, "No such file", "x")
