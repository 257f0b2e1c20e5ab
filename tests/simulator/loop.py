"""An asyncio event loop in simulated time. Every callback belongs to a process, which can be frozen or killed.

A killed process runs nothing any more, not even a `finally`, and a frozen one runs all it missed when it resumes: as
SIGKILL and SIGSTOP do. What happens outside of processes (brokers, servers, networks) belongs to nobody.
"""

import asyncio
import heapq
from collections import deque
from collections.abc import Callable, Coroutine
from contextvars import Context, ContextVar, copy_context
from itertools import count
from typing import Any, Protocol


class Owner(Protocol):
    """A process, as the loop sees it."""

    is_alive: bool
    is_frozen: bool

    def runs(self, callback: Callable[..., Any]) -> bool:
        """Return whether the process lives to run this callback, which is its next."""


OWNER: ContextVar[Owner | None] = ContextVar("owner", default=None)


class Handle:
    """A callback that waits for its turn."""

    __slots__ = ("args", "callback", "context", "is_cancelled", "owner", "when")

    def __init__(self, when: float, callback: Callable[..., Any], args: tuple[Any, ...], context: Context) -> None:
        self.when = when
        self.callback = callback
        self.args = args
        self.context = context
        self.owner = context.get(OWNER)
        self.is_cancelled = False

    def cancel(self) -> None:
        """Never run it."""
        self.is_cancelled = True

    def cancelled(self) -> bool:
        """Whether it was cancelled."""
        return self.is_cancelled


class SimulatedLoop(asyncio.AbstractEventLoop):
    """Runs what is ready in the order it became ready, then moves time to the next timer."""

    def __init__(self) -> None:
        self.steps = 0
        self.unhandled: list[dict[str, Any]] = []
        self._now = 0.0
        self._ready: deque[Handle] = deque()
        self._timers: list[tuple[float, int, Handle]] = []
        self._numbers = count()
        self._parked: dict[Owner, list[Handle]] = {}
        self._nobody = copy_context()
        self._nobody.run(OWNER.set, None)

    def time(self) -> float:
        """Return the simulated time, seconds."""
        return self._now

    def call_soon(self, callback: Callable[..., Any], *args: Any, context: Context | None = None) -> Handle:  # type: ignore[override]
        """See `asyncio`."""
        handle = Handle(self._now, callback, args, context or copy_context())
        self._ready.append(handle)
        return handle

    def call_at(self, when: float, callback: Callable[..., Any], *args: Any, context: Context | None = None) -> Handle:  # type: ignore[override]
        """See `asyncio`."""
        handle = Handle(when, callback, args, context or copy_context())
        heapq.heappush(self._timers, (when, next(self._numbers), handle))
        return handle

    def call_later(  # type: ignore[override]  # nobody asks a handle for its time
        self, delay: float, callback: Callable[..., Any], *args: Any, context: Context | None = None
    ) -> Handle:
        """See `asyncio`."""
        return self.call_at(self._now + delay, callback, *args, context=context)

    def outside(self, delay: float, callback: Callable[..., Any], *args: Any) -> Handle:
        """Call later what belongs to no process, even if a process asks for it."""
        return self.call_at(self._now + delay, callback, *args, context=self._nobody.copy())

    def create_future(self) -> asyncio.Future[Any]:
        """See `asyncio`."""
        return asyncio.Future(loop=self)

    def create_task(self, coro: Coroutine[Any, Any, Any], **options: Any) -> asyncio.Task[Any]:  # type: ignore[override]
        """See `asyncio`."""
        return asyncio.Task(coro, loop=self, **options)

    def run_in_executor(self, executor: Any, func: Callable[..., Any], *args: Any) -> asyncio.Future[Any]:  # type: ignore[override]
        """Hand the call to the process's simulated thread."""
        future: asyncio.Future[Any] = executor.submit(func, *args)
        return future

    def get_debug(self) -> bool:
        """Say no."""
        return False

    def is_running(self) -> bool:
        """Say yes: nothing asks outside of `run`."""
        return True

    def is_closed(self) -> bool:
        """Say no."""
        return False

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """Keep what went wrong unseen, unless it is that a killed process left its tasks undone."""
        if "exception" in context:
            self.unhandled.append(context)

    def resume(self, owner: Owner) -> None:
        """Let a process that was frozen run what it missed."""
        self._ready.extend(self._parked.pop(owner, ()))

    def run(self, until: float, is_done: Callable[[], bool] = lambda: False) -> bool:
        """Run to that time, or until it is done; return whether it is done."""
        asyncio._set_running_loop(self)  # what asyncio offers to event loops
        try:
            while not is_done():
                while self._ready:
                    self._step(self._ready.popleft())
                if not self._timers or self._timers[0][0] > until:
                    self._now = until
                    return is_done()
                self._now, _, handle = heapq.heappop(self._timers)
                self._step(handle)
            return True
        finally:
            asyncio._set_running_loop(None)

    def _step(self, handle: Handle) -> None:
        if handle.is_cancelled:
            return
        owner = handle.owner
        if owner is not None:
            if owner.is_frozen:
                self._parked.setdefault(owner, []).append(handle)
                return
            if not owner.is_alive or not owner.runs(handle.callback):
                return
        self.steps += 1
        handle.context.run(handle.callback, *handle.args)
