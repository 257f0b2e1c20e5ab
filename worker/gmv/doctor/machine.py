"""Rules for the machine and the settings: cores against threads, memory against the index, clocks, timings."""

from collections.abc import Iterator

from gmv.doctor.finding import Finding, fine, fine_unless, problem, warning
from gmv.kafka.access import SessionLimits, unfit_session
from gmv.settings import Settings

SKEW_SECONDS_MAX = 5.0


def judge_threads(threads: int, cores: float) -> list[Finding]:
    """Judge the thread setting against the cores this process may use; a container's limit may be a part of one."""
    check = "threads"
    if threads > max(1.0, cores):
        return [
            warning(
                check,
                f"worker.threads is {threads}, and {cores:g} cores may be used",
                "set worker.threads to the number of cores, or raise the container's limit",
            )
        ]
    return [fine(check, f"worker.threads is {threads}, and {cores:g} cores may be used")]


def judge_memory(index_bytes: int, available_bytes: int) -> list[Finding]:
    """Judge whether the index fits into memory; it is mapped, so that what does not fit is read again and again."""
    check = "memory"
    found = f"the index takes {index_bytes / 2**20:,.0f} MiB, and {available_bytes / 2**20:,.0f} MiB are free"
    if index_bytes > available_bytes:
        return [warning(check, found, "give the worker more memory, or it reads from the disk for every event")]
    return [fine(check, found)]


def judge_clocks(redis_ahead_seconds: float | None, newest_event_ms: int | None, now_ms: int) -> list[Finding]:
    """Judge this machine's clock by that of Redis and by the newest event. No credit depends on a clock.

    Args:
        redis_ahead_seconds: by how much Redis's clock is ahead; None where it was not asked.
        newest_event_ms: the time of the newest event; None where there is none.
        now_ms: by this machine's clock.
    """
    check = "clock"

    def complaints() -> Iterator[Finding]:
        advice = "let both machines keep time by NTP: certificates, retention and dashboards go by it"
        if redis_ahead_seconds is not None and abs(redis_ahead_seconds) > SKEW_SECONDS_MAX:
            side = "ahead of" if redis_ahead_seconds > 0 else "behind"
            yield warning(
                check, f"the clock of Redis is {abs(redis_ahead_seconds):,.0f} s {side} this machine's", advice
            )
        if newest_event_ms is not None and newest_event_ms - now_ms > SKEW_SECONDS_MAX * 1_000:
            seconds = (newest_event_ms - now_ms) / 1_000
            yield warning(check, f"the newest event's time is {seconds:,.0f} s ahead of this machine's clock", advice)

    compared = [
        name
        for name, value in (("that of Redis", redis_ahead_seconds), ("the newest event", newest_event_ms))
        if value is not None
    ]
    return fine_unless(complaints(), check, f"it agrees with {' and '.join(compared)}" if compared else "not compared")


def judge_session(settings: Settings, limits: SessionLimits | None) -> list[Finding]:
    """Judge a worker's session by what the broker lets members of a group have; None where it does not tell."""
    check, kafka = "group session", settings.kafka
    if limits is None:
        return [fine(check, f"{kafka.session_seconds:g} s; this user may not ask a broker for its limits")]
    if limits.min_seconds <= kafka.session_seconds <= limits.max_seconds:
        return [fine(check, f"{kafka.session_seconds:g} s, and {limits.max_seconds:g} may be had")]
    return [problem(check, unfit_session(kafka, limits), "set kafka.session_seconds within the broker's limits")]


def judge_timings(settings: Settings) -> list[Finding]:
    """Judge what the settings say of a worker's place in its group."""
    check, kafka = "group timings", settings.kafka

    def complaints() -> Iterator[Finding]:
        if 3 * kafka.heartbeat_seconds > kafka.session_seconds:
            yield problem(
                check,
                f"a heartbeat every {kafka.heartbeat_seconds:g} s leaves no room for a lost one in a session of "
                f"{kafka.session_seconds:g} s",
                "set kafka.heartbeat_seconds to a third of kafka.session_seconds or less",
            )
        if kafka.instance_id is None:
            yield warning(
                check,
                "the worker has no name of its own, so after a kill its partitions wait for the whole session, "
                f"{kafka.session_seconds:g} s",
                "give each worker a lasting name: kafka.instance_id, or --instance-id",
            )

    return fine_unless(complaints(), check, f"worker {kafka.instance_id} is back at once after a restart")
