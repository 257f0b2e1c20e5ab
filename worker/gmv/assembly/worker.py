"""A Kafka worker, put together and run until a signal or a failure: metrics, health and pages beside it."""

import gc
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from functools import partial
from typing import Any

import faust
import structlog

from gmv import __version__
from gmv.assembly.index_in_use import IndexInUse, published
from gmv.assembly.parts import assemble_parts
from gmv.assembly.preparing import prepare_published, prepared
from gmv.assembly.tracing import tracing
from gmv.assembly.watch import Watch
from gmv.index.opened import Index
from gmv.kafka.admin import TopicAdmin
from gmv.kafka.app import make_app
from gmv.kafka.instance_id import InstanceId
from gmv.kafka.log import KafkaLog
from gmv.kafka.outbox import KafkaOutbox
from gmv.kafka.pump import Ending, Pump
from gmv.ledger.open import open_ledger
from gmv.ledger.port import Ledger
from gmv.monitoring import logging
from gmv.monitoring.reachability import Logger
from gmv.monitoring.telemetry import MeasuredCreditor
from gmv.monitoring.watched_servers import WatchedLedger, WatchedTopic
from gmv.settings import Settings
from gmv.stream.core import Core, Parts
from gmv.stream.membership import Member
from gmv.stream.ports import Creditor, Outbox


def run_worker(
    settings: Settings,
    index: Index,
    around_ledger: Callable[[Ledger], Ledger] = lambda ledger: ledger,
    around_outbox: Callable[[Outbox], Outbox] = lambda outbox: outbox,
) -> None:
    """Credit the topic until a signal or a failure.

    Args:
        settings: of everything; the ledger is initialised for the topic.
        index: opened and verified.
        around_ledger: puts a decorator around the ledger.
        around_outbox: puts a decorator around the outbox.

    Raises:
        Refusal: what ended the worker.
    """
    logging.configure(settings.worker.log_format, settings.worker.log_level)
    log = structlog.get_logger("gmv.worker")
    log.info("worker_started", version=__version__, index_id=index.index_id, settings=settings.redacted())
    watch = Watch(settings, log)
    metrics, watcher = watch.metrics, watch.watcher

    try:
        with (
            index_in_use(settings, index, watch, log) as in_use,
            tracing(settings) as traced,
            closing(watched_ledger(settings, watch)) as opened,
        ):
            del index  # held here, it would stay mapped when another is in use
            ledger = around_ledger(opened)

            def make_parts(outbox: Outbox) -> Parts:
                parts = assemble_parts(in_use, ledger, around_outbox(outbox), watcher, watcher.clock, metrics, settings)
                return traced.parts(parts)

            def around_core(core: Creditor) -> Creditor:
                return MeasuredCreditor(traced.core(core), watcher.clock)

            run_until_stopped(settings, make_parts, watch, around_core)
    except Exception as failure:
        log.error("worker_failed", reason=str(failure))  # noqa: TRY400 - the traceback is printed where it is caught
        raise
    log.info("worker_stopped")


@contextmanager
def index_in_use(settings: Settings, index: Index, watch: Watch, log: Logger) -> Iterator[IndexInUse]:
    """Credit by an index, and by others that are published while this lasts; SIGHUP has them looked for at once.

    Args:
        settings: of everything.
        index: opened and verified.
        watch: has its metrics.
        log: is told of changes.

    Raises:
        OwnersRefused: the owners file cannot be read, a line is wrong, or names are unknown to the index.
    """
    clock, metrics = watch.watcher.clock, watch.metrics
    path = settings.index or index.path
    first = prepared(index, settings, clock, metrics)
    del index  # held here, it would stay mapped when another is in use
    in_use = IndexInUse(
        first,
        lambda: published(path, settings.owners.file),
        lambda: prepare_published(path, settings, clock, metrics),
        metrics,
        log,
    )
    del first
    watch.health.index_loaded()
    former = signal.signal(signal.SIGHUP, lambda *_: in_use.ask())
    in_use.start()
    try:
        yield in_use
    finally:
        in_use.close()
        signal.signal(signal.SIGHUP, former)


def watched_ledger(settings: Settings, watch: Watch) -> Ledger:
    """Open the ledger of the settings, so that it is said where its server does not answer.

    Raises:
        InvalidSettings: the URL is not one we know.
    """
    return WatchedLedger(open_ledger(settings.ledger, watch.ledger.failed), watch.ledger)


def run_until_stopped(
    settings: Settings,
    make_parts: Callable[[Outbox], Parts],
    watch: Watch,
    around_core: Callable[[Creditor], Creditor] = lambda core: core,
) -> None:
    """Credit the topic until SIGTERM or SIGINT, finishing the run in flight.

    Args:
        settings: of everything.
        make_parts: the core's parts around the outbox that this worker's producer serves.
        watch: what the web server shows, and who is told of the group.
        around_core: puts decorators around the core.

    Raises:
        LogUnavailable: no broker answers, or a topic does not exist.
        Refusal: what ended the worker.
    """
    ending = Ending()
    with (
        closing(TopicAdmin(settings.kafka)) as admin,
        ThreadPoolExecutor(1, thread_name_prefix="core") as executor,
    ):
        admin.require_topics()  # before a group is joined; a missing one for dead letters would be noticed much later
        app = make_app(settings, watch.pages())
        parts = make_parts(KafkaOutbox(app, settings.kafka))
        log = KafkaLog(settings.kafka, WatchedTopic(admin, watch.kafka))
        make_name = partial(InstanceId, settings.kafka, log, watch.watcher)
        member = Member(around_core(Core(parts, executor)), log, parts.observer, settings.kafka)

        @app.service
        class CreditPump(Pump):
            def __init__(self, **service: Any) -> None:
                super().__init__(member, log, make_name, ending, watch.look, **service)

        _spare_from_collection()
        runner = faust.Worker(app, quiet=True, redirect_stdouts=False, override_logging=False)
        runner.spinner = None  # it writes escape codes between log lines
        try:
            runner.execute_from_commandline()
        except BaseException as stopped:
            if ending.failure is not None:
                raise ending.failure from None
            if isinstance(stopped, SystemExit) and not stopped.code:
                return
            raise
        finally:
            watch.watcher.close()
            logging.say_held_back()


def _spare_from_collection() -> None:
    """Let the garbage collector pass over what is there as long as the worker: 400,000 objects, of modules above all.

    To look at all of them took 0.2 s, twice a minute at 100 events per second; of what is new it takes 4 ms.
    """
    gc.collect()
    gc.freeze()
