"""`gmv ledger audit`: what a ledger holds, served to Prometheus for as long as it runs."""

from typing import Annotated

import typer

from gmv.cli.options import BrokersOption, ConfigOption, LedgerOption, TopicOption, load_settings


def audit(
    every: Annotated[
        float, typer.Option("--every", metavar="SECONDS", min=0.1, help="Pause between two looks at positions and log.")
    ] = 15.0,
    check_every: Annotated[
        float,
        typer.Option("--check-every", metavar="SECONDS", min=0.1, help="Pause between two checks of all totals."),
    ] = 3_600.0,
    web_port: Annotated[int, typer.Option("--web-port", metavar="PORT", help="Of /metrics.")] = 6067,
    ledger: LedgerOption = None,
    brokers: BrokersOption = None,
    topic: TopicOption = None,
    config: ConfigOption = None,
) -> None:
    """Watch the ledger from outside and serve what is found to Prometheus, until stopped. It changes nothing.

    One per ledger is enough. A look compares positions with the log: a missing ledger, a position that retention is
    about to pass, and lag are seen though no worker runs. A check adds up every total, as `gmv ledger verify` does;
    a Redis with millions of owners and events stops for seconds meanwhile, so let the pause be long.
    """
    settings = load_settings(config, ledger=ledger, brokers=brokers, topic=topic)
    from gmv.assembly.audit import run_audit
    from gmv.cli.stopping import stop_by_exception

    stop_by_exception()
    run_audit(settings, every, check_every, web_port)
