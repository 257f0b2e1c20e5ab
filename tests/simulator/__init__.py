"""Exactly once under simulated fire: the real worker core, ledger client and commit script in a world of one seed.

`python -m tests.simulator --runs 20000` plays so many worlds; `python -m tests.simulator --seed S --trace` one again.

- What is real: `Member`, `Core` and all that is pure below it, `KafkaOutbox`, `RedisLedger`, `RedisRegistry`,
  `RedisAccounts`, and their Lua scripts, which a Lua 5.1 runs as Redis does.
- What is simulated: Kafka and aiokafka's consumer (`kafka.py`, `group.py`, `consumer.py`), Redis with its append-only
  file and replicas (`redis_server.py`), the network between them, processes, and time (`loop.py`).
- What must hold is said in `invariants.py`, against a pass over the log that shares no code with gmv (`oracle.py`).

No thread, no clock and no file takes part: one seed decides everything.
"""
