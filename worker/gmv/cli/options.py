"""Options that several commands share, and how they become settings."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

if TYPE_CHECKING:
    from gmv.settings import Settings

ConfigOption = Annotated[
    Path | None, typer.Option("--config", metavar="FILE.toml", help="Settings; GMV_CONFIG names it too.")
]
LedgerOption = Annotated[
    str | None,
    typer.Option(
        "--ledger", metavar="URL", help="sqlite:///path, redis://host:port/db or redis+cluster://host:port; or rediss."
    ),
]
IndexOption = Annotated[
    Path | None, typer.Option("--index", metavar="FOLDER", help="Index folder, as `gmv index build` wrote it.")
]
BrokersOption = Annotated[
    str | None, typer.Option("--brokers", metavar="HOST:PORT,…", help="Kafka brokers to ask first.")
]
TopicOption = Annotated[str | None, typer.Option("--topic", metavar="NAME", help="Kafka topic of the events.")]
ImagesRootOption = Annotated[
    Path | None, typer.Option("--images-root", metavar="FOLDER", help="Folder that events may name image files in.")
]
OwnersOption = Annotated[
    Path | None, typer.Option("--owners", metavar="FILE", help="Who opted out, and whose an image is now: JSON lines.")
]
CandidatesOption = Annotated[
    int | None, typer.Option("--candidates", metavar="M", help="Training images recalled per event.")
]
ContributorsOption = Annotated[
    int | None, typer.Option("--contributors", metavar="K", help="Training images credited per event.")
]
TemperatureOption = Annotated[
    float | None, typer.Option("--temperature", metavar="TAU", help="Of the softmax over distances.")
]
EvidenceOption = Annotated[
    float | None,
    typer.Option(
        "--evidence",
        metavar="LEVEL",
        help="Highest p-value of an event that pays anybody, such as 0.05; others go to the account `unattributed`.",
    ),
]
CopiesOption = Annotated[
    str | None,
    typer.Option("--copies", metavar="even|earliest|off", help="Who is paid for near copies of one image."),
]
SETTINGS_BY_FLAG: Final = {
    "--ledger": "ledger.url",
    "--index": "index",
    "--brokers": "kafka.brokers",
    "--topic": "kafka.topic",
    "--images-root": "images.root",
    "--candidates": "valuation.candidates",
    "--contributors": "valuation.contributors",
    "--temperature": "valuation.temperature",
    "--evidence": "valuation.evidence",
    "--owners": "owners.file",
    "--copies": "valuation.copies",
    "--instance-id": "kafka.instance_id",
    "--web-port": "worker.web_port",
}
"""The setting that a flag of a command overrides."""

JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


def load_settings(
    config: Path | None,
    *,
    ledger: str | None = None,
    index: Path | None = None,
    brokers: str | None = None,
    topic: str | None = None,
    images_root: Path | None = None,
    candidates: int | None = None,
    contributors: int | None = None,
    temperature: float | None = None,
    evidence: float | None = None,
    owners: Path | None = None,
    copies: str | None = None,
    instance_id: str | None = None,
    web_port: int | None = None,
) -> "Settings":
    """Merge the flags that were given with the environment, the configuration file and the defaults.

    Raises:
        InvalidSettings: a key is unknown or a value is wrong.
    """
    from gmv.settings import load

    given = {
        "--ledger": ledger,
        "--index": index,
        "--brokers": brokers,
        "--topic": topic,
        "--images-root": images_root,
        "--candidates": candidates,
        "--contributors": contributors,
        "--temperature": temperature,
        "--evidence": evidence,
        "--owners": owners,
        "--copies": copies,
        "--instance-id": instance_id,
        "--web-port": web_port,
    }
    return load(config, {SETTINGS_BY_FLAG[flag]: value for flag, value in given.items()})


def refuse_shared_files(**files: Path | None) -> None:
    """See that no file is named for two purposes: one would be written over, or into, the other.

    Args:
        files: by purpose; None where a purpose needs none.

    Raises:
        InvalidSettings: two purposes share a file.
    """
    from gmv.errors import InvalidSettings

    purposes: dict[Path, str] = {}
    for purpose, file in files.items():
        if file is None:
            continue
        if other := purposes.get(file.resolve()):
            raise InvalidSettings(f"{file} is named as {other} and as {purpose}; give each a file of its own")
        purposes[file.resolve()] = purpose


def ledger_file(url: str) -> Path | None:
    """Return the file of a SQLite ledger, None for one on a server."""
    return Path(url.removeprefix("sqlite:///")) if url.startswith("sqlite:///") else None


def refuse_given(context: typer.Context, names: Iterable[str], about: str) -> None:
    """See that none of the options was given on the command line: it would be passed over without a word.

    Args:
        context: of the command.
        names: of its parameters.
        about: what the options are about, and why that is not asked for.

    Raises:
        InvalidSettings: one was given.
    """
    from gmv.errors import InvalidSettings

    for name in names:
        source = context.get_parameter_source(name)
        if source is not None and source.name == "COMMANDLINE":
            (flag,) = (each.opts[0] for each in context.command.params if each.name == name)
            raise InvalidSettings(f"{flag} is about {about}; leave {flag} out")
