"""`gmv ledger audit`: what a ledger holds, served to Prometheus for as long as it runs."""

import signal
import sys
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
    _end_at_once()
    settings = load_settings(config, ledger=ledger, brokers=brokers, topic=topic)
    from gmv.assembly.audit import run_audit

    run_audit(settings, every, check_every, web_port)


def _end_at_once() -> None:
    """Let SIGTERM and SIGINT end it wherever it is, since it has nothing to finish.

    The first process of a container is ended by no signal that it does not handle, and one that is waiting for servers
    that are away, a minute or more, must not be waited for.
    """
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(0))
