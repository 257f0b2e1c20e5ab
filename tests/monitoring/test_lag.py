from gmv.monitoring.lag import LagClock
from gmv.stream.records import Partition

ONE, OTHER = Partition("images", 0), Partition("images", 1)


class World:
    """A partition whose records arrive and are credited, and what the clock says of it."""

    def __init__(self) -> None:
        self.now = 1_000.0
        self.clock = LagClock(lambda: self.now)

    def look(self, lag_records: int) -> None:
        self.clock.seen(ONE, lag_records, self.now)

    def credit(self, arrived_at: float) -> None:
        self.clock.credited(ONE, round(arrived_at * 1_000))

    @property
    def seconds(self) -> float:
        return self.clock.seconds(ONE)


def test_a_partition_never_seen_and_one_caught_up_have_no_lag() -> None:
    world = World()
    assert world.seconds == 0.0
    world.look(0)
    world.now += 100.0
    assert world.seconds == 0.0


def test_a_transactions_end_marker_is_no_record_that_waits() -> None:
    world = World()
    world.look(1)
    world.now += 100.0
    assert world.seconds == 0.0


def test_taken_up_behind_it_is_the_time_since_then_until_a_run_tells_more() -> None:
    world = World()
    world.look(50)
    world.now += 7.0
    assert world.seconds == 7.0
    world.credit(arrived_at=700.0)
    world.look(40)
    assert world.seconds == 307.0  # the next record is no older than the one before it


def test_no_record_waits_longer_than_since_nothing_was_left() -> None:
    """An hour without records, then two: they are seconds old, however old the record before them is."""
    world = World()
    world.credit(arrived_at=1_000.0)
    world.look(0)
    world.now += 3_600.0
    world.look(0)
    world.now += 2.0
    world.look(2)
    assert world.seconds == 2.0


def test_it_grows_between_looks() -> None:
    world = World()
    world.credit(arrived_at=990.0)
    world.look(9)
    world.now += 30.0
    assert world.seconds == 40.0


def test_caught_up_counts_from_when_the_logs_end_was_read() -> None:
    """A run that reaches an end read 5 s ago says nothing of what arrived since."""
    world = World()
    read_at = world.now
    world.now += 5.0
    world.clock.seen(ONE, 0, read_at)
    world.look(3)
    assert world.seconds == 5.0


def test_a_log_without_time_stamps_changes_nothing() -> None:
    world = World()
    world.look(5)
    world.clock.credited(ONE, -1)
    world.now += 3.0
    assert world.seconds == 3.0


def test_a_producer_whose_clock_is_fast_makes_no_negative_lag() -> None:
    world = World()
    world.credit(arrived_at=world.now + 60.0)
    world.look(5)
    assert world.seconds == 0.0


def test_partitions_do_not_share_a_clock_and_a_new_assignment_begins_anew() -> None:
    world = World()
    world.look(5)
    world.now += 10.0
    assert (world.seconds, world.clock.seconds(OTHER)) == (10.0, 0.0)
    world.clock.begin()
    world.look(5)
    assert world.seconds == 0.0
