"""Where commands write: the one place that touches stdout and stderr, whatever these are and whatever the text is.

Nothing else in `cli` prints (`tests/test_house_rules.py`), so text of others reaches a terminal as text only.
"""

import fcntl
import os
import sys
import traceback
from typing import Any, BinaryIO, Final

import typer

from gmv.printable import printable, printable_json, printable_lines

_STREAMS: Final = (("stdin", os.O_RDONLY), ("stdout", os.O_RDONLY), ("stderr", os.O_WRONLY))
"""By descriptor: how /dev/null is opened where this process was started without that stream. Writing to such a stdout
fails as it does on a closed one; a closed stderr takes what nobody will read."""


def prepare() -> None:
    """See that stdin, stdout and stderr are open, and that the latter two take any text.

    The next file that is opened would get the number of a closed stream, and what libraries print would go into it:
    into a ledger. Characters that an encoding lacks are escaped, where Python would raise.
    """
    for descriptor, (name, flags) in enumerate(_STREAMS):
        if getattr(sys, name) is None:
            _open_null(descriptor, flags)
            mode = "r" if name == "stdin" else "w"
            setattr(sys, name, open(descriptor, mode, encoding="utf-8", closefd=False))  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if reconfigure := getattr(stream, "reconfigure", None):
            reconfigure(errors="backslashreplace")


def flush() -> None:
    """Write what is left for stdout."""
    sys.stdout.flush()


def discard_stdout() -> None:
    """Send what is left for stdout nowhere: Python's own flush at the end would only fail once more."""
    _open_null(sys.stdout.fileno(), os.O_WRONLY)


def is_watched() -> bool:
    """Return whether stdout is a terminal."""
    return sys.stdout.isatty()


def is_stdout_closed() -> bool:
    """Return whether stdout cannot be written at all, by whoever started this process."""
    return fcntl.fcntl(sys.stdout, fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDONLY


def write(line: str) -> None:
    """Print one line on stdout."""
    typer.echo(printable(line))


def write_json(line: bytes) -> None:
    """Print one line of JSON on stdout, in UTF-8 whatever stdout's encoding is."""
    typer.echo(printable_json(line))


def binary_stdout() -> BinaryIO:
    """Return stdout for the bytes of a file."""
    return typer.get_binary_stream("stdout")


def say(sentence: str) -> None:
    """Print a sentence on stderr. Where nobody reads it any more, the exit code has to do."""
    _say_lines(printable(sentence))


def say_usage(error: Any) -> None:
    """Print what is wrong with the command line, in the form that typer gives it.

    Args:
        error: typer's `UsageError`.
    """
    context, message = error.ctx, error.format_message()
    if context is None:
        say(f"Error: {message}")
    elif message == context.get_help():  # a group without its command
        _say_lines(message)
    else:
        _say_lines(f"{context.get_usage()}\nTry '{context.command_path} --help' for help.\n")
        say(f"Error: {message}")


def say_traceback(error: Exception) -> None:
    """Print where a fault happened."""
    _say_lines(printable_lines("".join(traceback.format_exception(error)).rstrip("\n")))


def _say_lines(text: str) -> None:
    try:
        typer.echo(text, err=True)
    except OSError:
        _open_null(sys.stderr.fileno(), os.O_WRONLY)


def _open_null(descriptor: int, flags: int) -> None:
    opened = os.open(os.devnull, flags)
    if opened == descriptor:
        os.set_inheritable(descriptor, True)
        return
    os.dup2(opened, descriptor)
    os.close(opened)
