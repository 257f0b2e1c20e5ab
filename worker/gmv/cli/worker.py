"""`gmv worker`: events from Kafka, credited until stopped."""

import signal
from typing import Annotated

import typer

from gmv.cli.options import (
    BrokersOption,
    ConfigOption,
    CopiesOption,
    EvidenceOption,
    ImagesRootOption,
    IndexOption,
    LedgerOption,
    OwnersOption,
    TopicOption,
    load_settings,
)


def worker(
    index: IndexOption = None,
    ledger: LedgerOption = None,
    brokers: BrokersOption = None,
    topic: TopicOption = None,
    owners: OwnersOption = None,
    copies: CopiesOption = None,
    images_root: ImagesRootOption = None,
    evidence: EvidenceOption = None,
    instance_id: Annotated[
        str | None, typer.Option("--instance-id", metavar="NAME", help="Static membership: one name per worker.")
    ] = None,
    web_port: Annotated[
        int | None, typer.Option("--web-port", metavar="PORT", help="Of /metrics, /livez and /readyz.")
    ] = None,
    config: ConfigOption = None,
) -> None:
    """Attribute events from Kafka and commit their credits until SIGTERM or SIGINT; the run in flight is finished.

    Either ends it with 0, and at once while it starts, before it joins its group.

    Where the index is a link that is changed to name another folder, the worker takes that index between two runs;
    SIGHUP has it open index and owners file anew in any case. What it cannot use it refuses, and goes on as before.

    Start as many as the topic has partitions. The ledger has to be initialised for the topic first:
    `gmv ledger init --topic NAME`. Logs go to stdout, one JSON object per line.
    """
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # which asks for the index that is published: it is about to be opened
    settings = load_settings(
        config,
        index=index,
        ledger=ledger,
        brokers=brokers,
        topic=topic,
        owners=owners,
        copies=copies,
        images_root=images_root,
        evidence=evidence,
        instance_id=instance_id,
        web_port=web_port,
    )
    from gmv.threads import limit_threads

    limit_threads()
    from gmv.assembly.worker import run_worker
    from gmv.cli.indexes import open_verified

    run_worker(settings, open_verified(settings))
