"""All faults by name."""

from collections.abc import Callable

from tests.simulator.world import World

from . import endings, kafka, processes, redis

Fault = Callable[[World], bool]

ALWAYS: dict[str, Fault] = {
    **{kind: processes.at_a_commit(kind) for kind in processes.COMMIT_FAULTS},
    "killed at an await": processes.kill_at_an_await,
    "frozen and resumed": processes.freeze,
    "stopped in order": processes.stop_in_order,
    "a worker came and went": processes.come_and_go,
    "static member doubled": processes.double_a_static_member,
    "rebalance": processes.rebalance,
    "another index": processes.publish_index,
    "redis away": redis.redis_away,
    "redis in a passing state": redis.redis_refuses,
    "scripts forgotten": redis.forget_scripts,
    "redis restarted": redis.restart,
    "append-only file torn": redis.tear,
    "redis rewound": redis.rewind,
    "failover to a lagging replica": redis.fail_over,
    "ledger lost and restored": redis.lose_the_ledger_and_restore_it,
    "brokers away": kafka.brokers_away,
    "group offsets refused": kafka.no_group_offsets,
    "transaction": kafka.transact,
    "retention": kafka.retention,
    "topic grown": kafka.grow,
    "dead letters unavailable": kafka.no_dead_letters,
    "receipts unavailable": kafka.no_receipts,
    "acknowledgements lost": kafka.lose_acknowledgements,
}
"""What every run may suffer, by name; after it the log is read to its end."""

ONCE: dict[str, Fault] = {
    "topic recreated": endings.topic_recreated,
    "retention passed the position": endings.retention_passes_the_position,
    "log cut": endings.log_cut,
    "ledger lost": endings.ledger_lost,
    "ledger recreated": endings.ledger_recreated,
    "flood of poison": endings.flood_of_poison,
}
"""What one run in a few suffers beside."""

AT_THE_START: dict[str, Fault] = {
    "total at its limit": endings.total_at_its_limit,
    "deadly records": endings.deadly_records,
}

SPARING = frozenset(
    {
        "request lost",
        "request late",
        "reply lost",
        "frozen and resumed",
        "stopped in order",
        "a worker came and went",
        "rebalance",
        "another index",
        "scripts forgotten",
        "redis restarted",
        "group offsets refused",
        "topic grown",
        "transaction",
        "receipts unavailable",
        "dead letters unavailable",
        "acknowledgements lost",
    }
)
"""What ends no process in the midst of an attribution: all that a run with deadly records suffers beside them."""
