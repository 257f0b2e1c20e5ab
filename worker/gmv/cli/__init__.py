"""The command `gmv`: which commands there are, and the one place where a refusal becomes an exit code.

Commands are named here and imported when they are run, so that `gmv --help` needs none of them.
"""

import errno
import re
import sys
from collections.abc import Callable
from importlib import import_module
from textwrap import fill
from typing import Annotated, Any, Final, NamedTuple

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from gmv import __version__
from gmv.cli import terminal
from gmv.errors import DiskFull, InvalidSettings, PackagesMissing, Refusal
from gmv.printable import encodable

BUG_EXIT_CODE: Final = 70  # EX_SOFTWARE of sysexits.h

UsageError: Final[Any] = typer.BadParameter.__base__
"""What is wrong with a command line: click's, or that of the copy of click that newer versions of typer hide."""

_OF_THE_WORKER: Final = (
    *("PIL", "aiohttp", "faiss", "faust", "fsspec", "jinja2", "llvmlite", "matplotlib"),
    *("mode", "numba", "ot", "pyarrow", "safetensors", "scipy"),
)

EXTRAS_OF_MODULES: Final = {**dict.fromkeys(_OF_THE_WORKER, "worker"), "torch": "worker,torch"}
"""Which extras bring a module. Without `worker`, there are the commands that read and tend credits alone."""


class Command(NamedTuple):
    """Where a command lives (an attribute that is a `typer.Typer` or a function), and a line about it."""

    module: str
    attribute: str
    summary: str


COMMANDS: Final = {
    "demo": Command("gmv.cli.demo.command", "demo", "Run the whole story on real images, into a report."),
    "index": Command("gmv.cli.index", "app", "Build and check the index of a training corpus."),
    "rights": Command("gmv.cli.rights.command", "rights", "Read what images of a corpus say of training."),
    "calibrate": Command("gmv.cli.calibrate.command", "calibrate", "See where credit goes at several temperatures."),
    "attribute": Command("gmv.cli.attribute", "attribute", "Show which training images the given ones resemble."),
    "replay": Command("gmv.cli.replay", "replay", "Attribute a file of events and commit their credits."),
    "worker": Command("gmv.cli.worker", "worker", "Attribute events from Kafka until stopped."),
    "topics": Command("gmv.cli.topics", "app", "Create the topics of events, receipts and dead letters."),
    "emit": Command("gmv.cli.emit", "emit", "Send images to Kafka as events."),
    "credits": Command("gmv.cli.credits.show", "app", "Read what owners have earned."),
    "ledger": Command("gmv.cli.ledger.app", "app", "Create and verify a ledger."),
    "explain": Command("gmv.cli.history.explain", "explain", "Show what became of one event, and why."),
    "dlq": Command("gmv.cli.dlq.app", "app", "Look at dead letters and send them once more."),
    "doctor": Command("gmv.cli.doctor", "doctor", "Check what a worker needs, and say what to change."),
    "report": Command("gmv.cli.report", "report", "Draw the dashboards into one file, from Prometheus."),
    "warm": Command("gmv.cli.warm", "warm", "Compile the re-rank kernel ahead of use."),
    "experiment": Command(
        "gmv.cli.experiment.app", "app", "Check on generators that credits go to what they were made of."
    ),
    "bench": Command("gmv.cli.bench.command", "app", "Measure speed and memory on this machine."),
}


def exit_codes() -> dict[int, str]:
    """Every exit code of gmv and what it means; a refusal's meaning is the first sentence of its class."""
    refusals = {refusal.exit_code: _first_sentence(refusal.__doc__ or "") for refusal in Refusal.__subclasses__()}
    meanings = {
        0: "Done; of a command that runs until it is stopped: stopped.",
        1: "Not all of it was done; the output says what was not, unless its reader went away.",
        **refusals,
        2: "The command line or a setting is unknown, wrong or missing.",
        BUG_EXIT_CODE: "A fault of gmv itself; please report it.",
        130: "Interrupted by the keyboard.",
        143: "Ended by SIGTERM before it was done; run again, it goes on or begins anew.",
    }
    return dict(sorted(meanings.items()))


def _first_sentence(docstring: str) -> str:
    """Without the names of invariants, which mean nothing outside the code."""
    sentence = re.split(r"(?<=\.)\s", docstring.strip())[0]
    return re.sub(r" \(I\d+(, I\d+)*\)", "", " ".join(sentence.split()))


def _epilog() -> str:
    lines = [
        fill(meaning, 76, initial_indent=f"{code:>5}  ", subsequent_indent=" " * 7)
        for code, meaning in exit_codes().items()
    ]
    return "\b\n" + "\n".join(["Exit codes:", *lines])  # \b: keep these line breaks


def load(name: str) -> Any:
    """Import a command of the table and return it as typer's command object."""
    module, attribute, summary = COMMANDS[name]
    found = getattr(import_module(module), attribute)
    if not isinstance(found, typer.Typer):
        function, found = found, typer.Typer(add_completion=False)
        found.command(name)(function)
    found.rich_markup_mode = None
    command = get_command(found)
    command.name = name
    command.help = command.help or summary
    _refuse_what_is_not_utf8(command)
    return command


def _refuse_what_is_not_utf8(command: Any) -> None:
    """Let every text on the command line be refused that no log, ledger or JSON can hold; paths are no texts."""
    for each in getattr(command, "commands", {}).values():
        _refuse_what_is_not_utf8(each)
    for parameter in command.params:
        parameter.callback = parameter.callback or _checked


def _checked(_: Any, parameter: Any, value: Any) -> Any:
    for each in value if isinstance(value, list | tuple) else [value]:
        # The name of a file may be in a ledger's URL.
        if isinstance(each, str) and each != encodable(each) and not each.startswith("sqlite:"):
            raise InvalidSettings(f"{parameter.opts[0]} '{each}' is not UTF-8, as names and ids have to be")
    return value


class LazyGroup(TyperGroup):
    """Lists commands by their summaries alone, and imports the one that is run."""

    def __init__(self, **attributes: Any) -> None:
        summaries = {name: TyperCommand(name, help=command.summary) for name, command in COMMANDS.items()}
        super().__init__(**attributes | {"commands": summaries})

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """Return the real command in place of its summary."""
        name, summary, rest = super().resolve_command(ctx, args)
        return name, summary and load(str(name)), rest


app = typer.Typer(
    name="gmv",
    cls=LazyGroup,
    no_args_is_help=True,
    rich_markup_mode=None,  # rich panels would make --help three times as slow: 0.42 s instead of 0.14 s
    pretty_exceptions_enable=False,
    epilog=_epilog(),
)


def _print_version(wanted: bool) -> None:
    if wanted:
        terminal.write(f"gmv {__version__}")
        raise typer.Exit


@app.callback()
def gmv(
    _: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Credit the owners of training images for the generated images that resemble them."""


def main() -> None:
    """Run `gmv` on this process's arguments and end the process with its exit code."""
    terminal.prepare()
    code = _run(lambda: get_command(app)(prog_name="gmv", standalone_mode=False))
    flushed = _run(terminal.flush)  # here it can fail with a sentence; at exit it would with a traceback
    sys.exit(code or flushed)


def _run(step: Callable[[], Any]) -> Any:
    """Return the exit code that a step ends with, after saying why."""
    try:
        return step()
    except SystemExit as end:
        return end.code
    except Exception as error:  # noqa: BLE001 - the outermost frame of the program
        return _explain(error)


def _explain(error: Exception) -> int:
    """Say on stderr what ended the command, and return the exit code for it."""
    match error:
        case Refusal():
            terminal.say(f"gmv: {error}")
            return error.exit_code
        case UsageError(exit_code=int(code)):
            terminal.say_usage(error)
            return code
        case typer.Abort():
            return 1
        case ModuleNotFoundError(name=str(name)) if extras := EXTRAS_OF_MODULES.get(name.partition(".")[0]):
            terminal.say(f"gmv: this needs {name}, which is not installed: pip install 'gmv[{extras}]'")
            return PackagesMissing.exit_code
        case OSError(errno=errno.EPIPE):
            terminal.discard_stdout()
            return 1
        case OSError(errno=errno.EBADF) if terminal.is_stdout_closed():
            terminal.discard_stdout()
            terminal.say("gmv: stdout is closed, so nothing of this was printed; send it to a file, or to /dev/null")
            return 1
        case OSError(errno=errno.EACCES | errno.EPERM | errno.EROFS, filename=str(name)):
            terminal.say(f"gmv: {name}: {error.strerror}; name another place, or let this user at it")
            return InvalidSettings.exit_code
        case OSError(errno=errno.ENOSPC):
            terminal.discard_stdout()
            terminal.say(f"gmv: no space is left for {error.filename or 'the output'}; make some and try again")
            return DiskFull.exit_code
        case _:
            terminal.say_traceback(error)
            terminal.say("gmv: this is a fault of gmv; please report it with the lines above")
            return BUG_EXIT_CODE
