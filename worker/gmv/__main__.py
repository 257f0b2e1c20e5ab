"""The command `gmv`, from its first moment: signals are handled before anything else is imported.

Linux drops a signal to the first process of a container that has no handler for it, and a worker imports torch and
opens its index for seconds before its event loop handles signals. These handlers are there 20 ms after Python starts;
with typer imported first it would be 90 ms.
"""

import os
import signal
import sys
from _thread import start_new_thread
from collections.abc import Callable
from types import FrameType

INTERRUPTED = 128 + signal.SIGINT
TERMINATED = 128 + signal.SIGTERM  # what a shell says of a process that SIGTERM has ended


def main() -> None:
    """Run `gmv` on this process's arguments and end the process with its exit code."""
    end_by_signals(sys.argv[1:])
    try:
        from gmv.cli import main as run

        run()
    except KeyboardInterrupt:  # while that was imported; of a command that runs, `gmv.cli` makes the same code
        sys.exit(INTERRUPTED)


def runs_until_stopped(arguments: list[str]) -> bool:
    """Return whether the command on this line has no other good end than a signal."""
    match arguments:
        case ["worker", *_] | ["ledger", "audit", *_]:
            return True
        case ["credits", "leaderboard", *options]:
            return "--follow" in options
        case _:
            return False


def end_by_signals(arguments: list[str]) -> None:
    """Let SIGTERM, and SIGINT where a command runs until stopped, end this process at once and wherever it is.

    With 0 or, of a command that has an end of its own, 143. It is no exception, since one that is raised inside an
    import is swallowed there or aborts the process: of 40 starts of a worker that were ended so, 2 went on and torch
    aborted 1. What gmv does can be killed anywhere. A command that has something to finish, as a worker its run, puts
    handlers of its own in place of these before it begins.
    """
    until_stopped = runs_until_stopped(arguments)

    def end(_number: int, _frame: FrameType | None) -> None:
        os._exit(0 if until_stopped else TERMINATED)

    for number in [signal.SIGINT, signal.SIGTERM] if until_stopped else [signal.SIGTERM]:
        signal.signal(number, end)
    start_new_thread(_watch, (_numbers_of_signals(), end))


def _numbers_of_signals() -> int:
    """Return a file descriptor from which the number of each signal can be read."""
    numbers, write = os.pipe()
    os.set_blocking(write, False)
    signal.set_wakeup_fd(write)
    return numbers


def _watch(numbers: int, end: Callable[[int, None], None]) -> None:
    """Do the handler's work while the main thread cannot: inside a long call in C, such as the training of an index."""
    while number := os.read(numbers, 1):
        if signal.getsignal(number[0]) is end:
            end(number[0], None)


if __name__ == "__main__":
    main()
