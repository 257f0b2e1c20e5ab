"""C2PA manifests of image files, read in a process of its own that is ended where it takes too long or dies."""

import os
import select
import subprocess
import sys
import time
from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any, BinaryIO, Final, Self, cast

import orjson

from gmv.rights.said import short

SECONDS_MAX: Final = 20.0  # the first answer takes 1 s to import the library on a quiet core
_PROGRAM: Final = ("-m", "gmv.rights.c2pa_program")
_MARKS: Final = (b"jumb", b"c2pa")  # both are in every manifest store
_ANSWER_BYTES_MAX: Final = 16 * 2**20


class C2paUnread(Exception):  # noqa: N818 - it says why in a sentence, as `Poison` does
    """A manifest that could not be read."""


def has_manifest(content: bytes) -> bool:
    """Return whether a file may hold a manifest."""
    return all(mark in content for mark in _MARKS)


def is_installed() -> bool:
    """Return whether the library of the extra `rights` is there."""
    return find_spec("c2pa") is not None


class C2paReader:
    """Asks the process, and starts it anew after it was ended; a context."""

    def __init__(self, command: Sequence[str] = (sys.executable, *_PROGRAM), seconds_max: float = SECONDS_MAX) -> None:
        self._command = command
        self._seconds_max = seconds_max
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def assertions(self, media_type: str, content: bytes) -> tuple[list[Any], str | None]:
        """Return the assertions of a file's active manifest, and the state of its signature; none where it has none.

        Raises:
            C2paUnread: the manifest is damaged, or reading it took too long or too much memory.
        """
        try:
            answered = self._ask(orjson.dumps({"media_type": media_type, "bytes": len(content)}) + b"\n" + content)
        except TimeoutError as error:  # an OSError, too
            self._end()
            raise C2paUnread(str(error)) from None
        except (OSError, EOFError):
            self._end()
            raise C2paUnread("the C2PA manifest ended the process that read it") from None
        if "error" in answered:
            raise C2paUnread(f"the C2PA manifest cannot be read ({short(str(answered['error']))})")
        found = answered.get("assertions")
        return (found if isinstance(found, list) else []), answered.get("state")

    def _ask(self, frame: bytes) -> dict[str, Any]:
        process = self._started()
        stdin = cast(BinaryIO, process.stdin)
        stdin.write(frame)
        stdin.flush()
        answered: dict[str, Any] = orjson.loads(self._line(process))
        return answered

    def _started(self) -> "subprocess.Popen[bytes]":
        if self._process is None:
            self._process = subprocess.Popen(  # noqa: S603 - the command is ours
                self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
            )
        return self._process

    def _line(self, process: "subprocess.Popen[bytes]") -> bytes:
        descriptor, line = cast(BinaryIO, process.stdout).fileno(), b""
        deadline = time.monotonic() + self._seconds_max
        while not line.endswith(b"\n"):
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([descriptor], [], [], left)[0]:
                raise TimeoutError(f"reading the C2PA manifest took more than {self._seconds_max:g} s")
            part = os.read(descriptor, 2**16)
            if not part or len(line) > _ANSWER_BYTES_MAX:
                raise EOFError
            line += part
        return line

    def _end(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None
