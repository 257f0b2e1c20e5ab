"""What is said of a server that does not answer: by hand of a clock, one line when it goes and one when it is back."""

import threading
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gmv.errors import LedgerMissing, LedgerUnavailable, LogUnavailable, Refusal
from gmv.monitoring.reachability import PATIENCE_SECONDS, REMINDER_SECONDS, Reachability
from tests.monitoring.world import Clock, Lines


class World:
    def __init__(self) -> None:
        self.clock = Clock()
        self.log = Lines()
        self.server = Reachability(
            "the ledger", "redis://r:6379/0", self.log, self.clock, lambda: 1_800_000_000.0 + self.clock.now
        )

    def ask(self, raised: Refusal | None = None, seconds: float = 0.0) -> None:
        try:
            with self.server.asked():
                self.clock.now += seconds
                if raised:
                    raise raised
        except Refusal:
            pass

    def wait(self, seconds: float) -> None:
        """As the worker does: a look each second."""
        until = self.clock.now + seconds
        while self.clock.now < until:
            self.clock.now = min(until, self.clock.now + 1.0)
            self.server.look()

    @property
    def heard(self) -> list[tuple[str, str]]:
        return [(level, event) for level, event, _ in self.log.lines if level != "debug"]


AWAY, BACK = ("warning", "server_away"), ("info", "server_back")
SILENT = LedgerUnavailable("connection refused")


def test_a_server_that_answers_is_not_spoken_of() -> None:
    world = World()
    for _ in range(50):
        world.ask()
        world.wait(3.0)
    assert world.log.lines == []
    assert world.server.complaint() is None


def test_an_outage_is_one_warning_and_one_line_when_it_is_over() -> None:
    world = World()
    for _ in range(100):
        world.ask(SILENT)
        world.wait(0.1)
    assert world.heard == [AWAY]
    (said,) = world.log.named("server_away")
    assert said == {
        "server": "the ledger",
        "address": "redis://r:6379/0",
        "since": "2027-01-15T08:00:00+00:00",
        "away_seconds": pytest.approx(PATIENCE_SECONDS, abs=0.15),
        "why": "connection refused",
    }
    world.ask()
    assert world.heard == [AWAY, BACK]
    (back,) = world.log.named("server_back")
    assert back == {"server": "the ledger", "address": "redis://r:6379/0", "away_seconds": pytest.approx(10.0)}
    assert world.server.complaint() is None
    assert len(world.log.named("server_failed")) == 100  # at DEBUG, each


def test_a_long_outage_is_said_again_every_30_seconds() -> None:
    world = World()
    world.ask(SILENT)
    world.wait(PATIENCE_SECONDS + 3 * REMINDER_SECONDS)
    assert world.heard == [AWAY] * 4
    assert [line["away_seconds"] for line in world.log.named("server_away")] == [2.0, 32.0, 62.0, 92.0]


def test_a_moment_is_no_outage() -> None:
    world = World()
    for _ in range(20):
        world.ask(SILENT)
        world.wait(PATIENCE_SECONDS / 2)
        world.ask()
        world.wait(5.0)
    assert world.heard == []


def test_a_question_that_is_not_answered_is_an_outage_before_it_fails() -> None:
    """A server that is frozen, or behind a cable that was cut."""
    world = World()
    with world.server.asked():
        world.wait(PATIENCE_SECONDS)
        assert world.heard == [AWAY]
        assert "it does not answer" in (world.server.complaint() or "")
        world.server.failed("Timeout reading from socket")
        world.wait(4.0)
        assert (world.server.complaint() or "").endswith("for 6 s: Timeout reading from socket")
    assert world.heard == [AWAY, BACK]


@pytest.mark.parametrize("raised", [LedgerMissing("there is no ledger"), None])
def test_what_refuses_was_there(raised: Refusal | None) -> None:
    world = World()
    world.ask(SILENT)
    world.wait(5.0)
    world.ask(raised)
    assert world.heard == [AWAY, BACK]


def test_each_outage_has_its_own_beginning_and_cause() -> None:
    world = World()
    for why in ("connection refused", "MISCONF: its disk refuses writes"):
        world.ask(LogUnavailable(why))
        world.wait(5.0)
        world.ask()
        world.wait(60.0)
    away = world.log.named("server_away")
    assert [line["why"] for line in away] == ["connection refused", "MISCONF: its disk refuses writes"]
    assert [line["since"] for line in away] == ["2027-01-15T08:00:00+00:00", "2027-01-15T08:01:05+00:00"]


def test_a_fault_of_ours_says_nothing_of_the_server() -> None:
    world = World()
    with pytest.raises(ZeroDivisionError), world.server.asked():
        raise ZeroDivisionError
    world.wait(60.0)
    assert world.log.lines == []


@given(steps=st.lists(st.tuples(st.booleans(), st.floats(0.1, 40.0)), max_size=40))
def test_lines_are_bounded_by_time_and_come_in_pairs(steps: list[tuple[bool, float]]) -> None:
    """Whatever a server does, its warnings are at most one per outage and per 30 s, and no line is without its pair."""
    world = World()
    outages, was_away = 0, False
    for is_away, seconds in steps:
        world.ask(SILENT if is_away else None)
        outages += is_away and not was_away
        was_away = is_away
        world.wait(seconds)
    world.ask()
    warnings = world.heard.count(AWAY)
    assert warnings <= outages + world.clock.now / REMINDER_SECONDS
    assert world.heard.count(BACK) <= outages
    assert (world.heard[-1:] or [BACK]) == [BACK]
    assert all(pair != (BACK, BACK) for pair in zip(world.heard, world.heard[1:], strict=False))


def test_threads_may_tell_at_once() -> None:
    world = World()
    world.clock.now = 10.0
    tries: list[Callable[[], None]] = [lambda: world.server.failed("refused"), world.server.look]
    world.server.failed("refused")
    world.clock.now = 20.0
    threads = [threading.Thread(target=each) for each in tries * 20]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert world.heard == [AWAY]
