"""How a command that runs until stopped is stopped once it has something to print or to log at its end."""

import signal
import sys


def stop_by_exception() -> None:
    """Let SIGTERM and SIGINT end this process with 0 as a `SystemExit`, wherever it is; until here nothing was said.

    For commands that have nothing to finish: one that waits for servers that are away, a minute or more, is not waited
    for. Call it after imports, which may swallow an exception.
    """
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(0))
