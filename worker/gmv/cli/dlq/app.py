"""`gmv dlq`: which commands it has."""

import typer

from gmv.cli.dlq.list_and_show import list_dead_letters, show
from gmv.cli.dlq.redrive import redrive

app = typer.Typer(add_completion=False, no_args_is_help=True)

app.command("list")(list_dead_letters)
app.command()(show)
app.command()(redrive)
