"""`gmv ledger`: which commands it has."""

import typer

from gmv.cli.ledger.accept_loss import accept_loss
from gmv.cli.ledger.acl import acl
from gmv.cli.ledger.audit import audit
from gmv.cli.ledger.correct import correct
from gmv.cli.ledger.init import init
from gmv.cli.ledger.prune import prune
from gmv.cli.ledger.share_unattributed import share_unattributed
from gmv.cli.ledger.verify import verify

app = typer.Typer(add_completion=False, no_args_is_help=True)

app.command()(init)
app.command()(verify)
app.command("accept-loss")(accept_loss)
app.command()(acl)
app.command()(audit)
app.command()(correct)
app.command()(prune)
app.command("share-unattributed")(share_unattributed)
