"""A worker: the core, the Kafka log, the pump and the Faust app put together, and run until a signal or a failure."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import faust

from gmv.settings import Settings
from gmv.stream.core import Core, Parts
from gmv.stream.kafka.admin import TopicAdmin
from gmv.stream.kafka.app import Page, make_app
from gmv.stream.kafka.log import KafkaLog
from gmv.stream.kafka.outbox import KafkaOutbox
from gmv.stream.kafka.pump import Ending, Pump
from gmv.stream.membership import Creditor, Member
from gmv.stream.ports import Outbox


def run_worker(
    settings: Settings,
    make_parts: Callable[[Outbox], Parts],
    pages: dict[str, Callable[[], Page]],
    around_core: Callable[[Creditor], Creditor] = lambda core: core,
) -> None:
    """Credit the topic until SIGTERM or SIGINT, finishing the run in flight.

    Args:
        settings: of everything.
        make_parts: the core's parts around the outbox that this worker's producer serves.
        pages: path -> what the web server answers.
        around_core: puts decorators around the core.

    Raises:
        LogUnavailable: no broker answers, or a topic does not exist.
        Refusal: whatever ended the worker.
    """
    ending = Ending()
    with (
        TopicAdmin(settings.kafka) as admin,
        ThreadPoolExecutor(1, thread_name_prefix="core") as executor,
    ):
        admin.require_topics()  # before a group is joined; a missing one for dead letters would be noticed much later
        app = make_app(settings, pages)
        parts = make_parts(KafkaOutbox(app, settings.kafka))
        log = KafkaLog(settings.kafka, admin)
        member = Member(around_core(Core(parts, executor)), log, parts.observer, settings.kafka)

        @app.service
        class CreditPump(Pump):
            def __init__(self, **service: Any) -> None:
                super().__init__(member, log, ending, **service)

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
