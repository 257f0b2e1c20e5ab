"""`gmv doctor`: is all there that a worker needs, and is it as it has to be?"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from gmv.cli.options import (
    BrokersOption,
    ConfigOption,
    IndexOption,
    JsonOption,
    LedgerOption,
    TopicOption,
    load_settings,
)

if TYPE_CHECKING:
    from rich.console import ConsoleRenderable

    from gmv.doctor.finding import Finding

WAIT_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Examined:
    """What the checks found, and how many of them found what."""

    ok: int
    warnings: int
    problems: int
    findings: "tuple[Finding, ...]"


def doctor(
    areas: Annotated[
        list[str] | None,
        typer.Option("--only", metavar="AREA", help="machine, index, ledger or kafka; may be repeated. Default: all."),
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Let a warning count as a problem.")] = False,
    wait: Annotated[
        float, typer.Option("--wait", metavar="SECONDS", min=0.1, help="How long a server that is away is tried.")
    ] = WAIT_SECONDS,
    user: Annotated[
        str | None, typer.Option("--user", metavar="NAME", help="Redis user whose rights are judged. Default: ours.")
    ] = None,
    index: IndexOption = None,
    ledger: LedgerOption = None,
    brokers: BrokersOption = None,
    topic: TopicOption = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Check what a worker needs: machine, index, ledger and Kafka. Changes nothing, and joins no group.

    Exits with 50 if there is a problem, which keeps a worker from starting or puts credits at risk, so that an init
    container can wait for it to be fixed. Warnings are for a person to weigh.
    """
    settings = load_settings(config, index=index, ledger=ledger, brokers=brokers, topic=topic)
    from gmv.cli.output import render
    from gmv.doctor.examination import Area, Examination
    from gmv.errors import InvalidSettings, Unfit

    if unknown := set(areas or ()) - set(Area):
        raise InvalidSettings(f"there is no area {min(unknown)!r}; there are {', '.join(Area)}")
    patient = settings.model_copy(
        update={
            "kafka": settings.kafka.model_copy(update={"retry_seconds": wait}),
            "ledger": settings.ledger.model_copy(update={"retry_seconds": wait}),
        }
    )
    examined = _summed(tuple(Examination(patient, user).of([Area(each) for each in areas or Area])))
    render(examined, json, _view)
    bad = examined.problems + (examined.warnings if strict else 0)
    if bad:
        raise Unfit(f"{bad} of {len(examined.findings)} checks have to be fixed before a worker runs; see above")


def _summed(findings: "Sequence[Finding]") -> Examined:
    from gmv.doctor.finding import State

    states = Counter(finding.state for finding in findings)
    return Examined(states[State.OK], states[State.WARNING], states[State.PROBLEM], tuple(findings))


def _view(examined: Examined) -> "Iterator[str | ConsoleRenderable]":
    from gmv.cli.output import table

    yield table(
        None,
        ["", "check", "found", "what to change"],
        [[each.state, each.check, each.found, each.advice] for each in examined.findings],
    )
