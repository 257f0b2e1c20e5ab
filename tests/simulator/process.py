"""Processes that can be frozen and killed at any await, and the one thread each of them calls its ledger from."""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from contextlib import suppress
from contextvars import copy_context
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

from gmv.kafka import outbox
from gmv.stream import core, in_flight, membership

from .loop import OWNER, SimulatedLoop

WATCHED = {module.__file__: Path(module.__file__ or "").name for module in (core, in_flight, membership, outbox)}

WAITING = ("read_next", "_wait_for_move")

LEDGER_RETRY_SECONDS = 4.0


class Interrupted(BaseException):
    """The server did not answer, or not with an answer: the client sends the command again."""


class Haunted(Interrupted):
    """Nor has the server seen it yet: what was sent arrives late, when the client has sent it again.

    Attributes:
        arrive: what it does when it arrives.
    """

    def __init__(self, arrive: Callable[[], object]) -> None:
        super().__init__()
        self.arrive = arrive


class Process:
    """Runs tasks until it is killed."""

    def __init__(self, name: str, loop: SimulatedLoop, chance: Random, slowness: float) -> None:
        self.name = name
        self.is_alive = True
        self.is_frozen = False
        self.is_giving_up = False
        self.killed_at: list[AwaitPoint] = []
        self.tasks: list[asyncio.Task[Any]] = []
        self.thread = Thread(self, loop, chance, slowness)
        self._loop = loop
        self._steps_to_live: int | None = None
        self._is_spared_while_reading = False
        self.context = copy_context()
        self.context.run(OWNER.set, self)

    def spawn(self, work: Coroutine[Any, Any, Any]) -> None:
        """Begin a task of this process, if it lives."""
        if not self.is_alive:
            work.close()
            return
        self.tasks.append(self._loop.create_task(work, context=self.context.copy()))

    def kill(self) -> None:
        """Run nothing any more."""
        self.is_alive = False

    def close(self) -> None:
        """Let go of what killed tasks left undone, so that nobody finds it later and complains."""
        for task in self.tasks:
            if not task.done():
                with suppress(BaseException):
                    task.get_coro().close()

    def kill_after(self, steps: int, is_spared_while_reading: bool) -> None:
        """Kill the process when it is about to go on from so many awaits of gmv's code.

        Args:
            steps: how many.
            is_spared_while_reading: whether waiting for records, which it does most of the time, does not count.
        """
        self._steps_to_live = steps
        self._is_spared_while_reading = is_spared_while_reading

    def spare(self) -> None:
        """Do not kill it after all."""
        self._steps_to_live = None

    def freeze(self) -> None:
        """Run nothing until it resumes."""
        self.is_frozen = True

    def resume(self) -> None:
        """Go on."""
        self.is_frozen = False
        self._loop.resume(self)

    def runs(self, callback: Callable[..., Any]) -> bool:
        """See `Owner`: counts down to the moment at which the process is to die."""
        if self._steps_to_live is None:
            return True
        task = getattr(callback, "__self__", None)
        places = await_points(task) if isinstance(task, asyncio.Task) else []
        if not places or (self._is_spared_while_reading and places[-1].function in WAITING):
            return True
        self._steps_to_live -= 1
        if self._steps_to_live > 0:
            return True
        self.killed_at = places
        self.kill()
        return False


class AwaitPoint(NamedTuple):
    """Where a coroutine of gmv's waits."""

    file: str
    line: int
    function: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


def await_points(task: asyncio.Task[Any]) -> list[AwaitPoint]:
    """Return the awaits of gmv's code that the task is at, the innermost last; none if it is not in gmv's code.

    `Core._blocking` is looked through: what it is waited for in says more.
    """
    coroutine: Any = task.get_coro()
    places: list[AwaitPoint] = []
    while (frame := getattr(coroutine, "cr_frame", None)) is not None:
        code = frame.f_code
        if code.co_filename in WATCHED and code.co_name != "_blocking":
            if coroutine.cr_await is None:
                return []
            places.append(AwaitPoint(WATCHED[code.co_filename], frame.f_lineno, code.co_name))
        coroutine = coroutine.cr_await
    return places


@dataclass
class Call:
    """A call that blocks a thread."""

    func: Callable[..., Any]
    args: tuple[Any, ...]
    future: asyncio.Future[Any]
    since: float = field(default=0.0)


class Thread:
    """The core's executor. A call computes, its request travels, is served at one moment, and the reply travels.

    A call that is interrupted is begun again from its start, which sends the same commands again: so does
    `RedisServer.attempt`. What was sent arrives, even if its sender is dead or frozen by then.
    """

    def __init__(self, process: Process, loop: SimulatedLoop, chance: Random, slowness: float) -> None:
        self._process = process
        self._slowness = slowness
        self._loop = loop
        self._chance = chance
        self._waiting: deque[Call] = deque()
        self._is_busy = False

    def submit(self, func: Callable[..., Any], *args: Any) -> asyncio.Future[Any]:
        """Take a call; it begins when those before it have ended."""
        call = Call(func, args, self._loop.create_future(), self._loop.time())
        self._waiting.append(call)
        if not self._is_busy:
            self._next()
        return call.future

    def _next(self) -> None:
        self._is_busy = bool(self._waiting)
        if self._waiting:
            self._later(self._chance.expovariate(40) * self._slowness, self._send, self._waiting.popleft())

    def _send(self, call: Call) -> None:
        self._loop.outside(self._chance.expovariate(200) * self._slowness, self._arrive, call)

    def _arrive(self, call: Call) -> None:
        self._process.is_giving_up = self._loop.time() - call.since > LEDGER_RETRY_SECONDS
        try:
            result = call.func(*call.args)
        except Interrupted as interruption:
            if isinstance(interruption, Haunted):
                self._loop.outside(self._chance.uniform(0.1, 15), interruption.arrive)
            self._later(self._chance.uniform(0.02, 0.8), self._send, call)
        except Exception as error:  # noqa: BLE001 - the caller's, as from any executor
            self._later(
                self._chance.expovariate(200) * self._slowness, self._reply, call, call.future.set_exception, error
            )
        else:
            self._later(
                self._chance.expovariate(200) * self._slowness, self._reply, call, call.future.set_result, result
            )

    def _reply(self, call: Call, resolve: Callable[[Any], None], outcome: Any) -> None:
        if not call.future.done():
            resolve(outcome)
        self._next()

    def _later(self, delay: float, callback: Callable[..., Any], *args: Any) -> None:
        self._loop.call_later(delay, callback, *args, context=self._process.context)
