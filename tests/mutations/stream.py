"""What keeps the order of things: records, receipts, dead letters, commits, and who does them."""

from .mutation import Mutation, pytest, simulator

CORE = pytest("tests/stream/test_core.py")
MEMBER = pytest("tests/stream/test_membership.py")
IN_FLIGHT = pytest("tests/stream/test_runs_in_flight.py")
FILES = pytest("tests/files/test_outbox.py")
LIMITS = pytest("tests/stream/test_dead_letter_limits.py")

PUBLISH = "            await self._publish(partition, proposal, published)\n"
COMMIT = "            answer = await self._blocking(self._parts.ledger.commit, proposal.batch)\n"

MUTATIONS = [
    Mutation(
        "A repeat in a run is judged again where its event turns out to be credited by another partition",
        "stream/outcomes.py",
        "        if outcome.event is None:\n",
        "        if isinstance(outcome, AlreadyCredited) or outcome.event is None:\n",
        CORE,
    ),
    Mutation(
        "So is one that a later commit of the run holds",
        "stream/core.py",
        "        published: set[int] = set()\n        piece = recognise(piece, known)\n",
        "        published: set[int] = set()\n",
        CORE,
    ),
    Mutation(
        "Receipts and dead letters are published before the commit",
        "stream/core.py",
        PUBLISH + COMMIT,
        COMMIT + PUBLISH,
        simulator("killed at an await"),
    ),
    Mutation(
        "Dead letters are published before the commit",
        "stream/core.py",
        PUBLISH + COMMIT,
        "            dead_letters = proposal.dead_letters\n"
        "            object.__setattr__(proposal, 'dead_letters', ())\n"
        + PUBLISH
        + COMMIT
        + "            object.__setattr__(proposal, 'dead_letters', dead_letters)\n"
        + PUBLISH,
        simulator("killed at an await"),
    ),
    Mutation(
        "Nothing is committed before its receipts and dead letters are acknowledged",
        "kafka/outbox.py",
        "            await asyncio.gather(*pending)\n",
        "            asyncio.gather(*pending)\n",
        simulator("receipts unavailable", "dead letters unavailable"),
    ),
    Mutation(
        "A dead letter is published once in an attempt",
        "stream/core.py",
        "if each.record.offset not in published]",
        "]",
        CORE,
    ),
    Mutation(
        "The position follows a server that lost a tail",
        "stream/core.py",
        "                case Rewound(found):\n                    self._positions[partition] = found\n",
        "                case Rewound(found):\n",
        CORE,
    ),
    Mutation(
        "A server that lost a tail is noticed where nothing is committed",
        "stream/core.py",
        "                self._positions[partition] = answer.found\n",
        "                pass\n",
        MEMBER,
    ),
    Mutation(
        "Records below the position are dropped",
        "stream/core.py",
        "for record in run.records if record.offset >= start]",
        "for record in run.records]",
        CORE,
    ),
    Mutation(
        "A recreated topic is refused when a partition is assigned",
        "stream/continuity.py",
        "if position.topic_id != topic_id:",
        "if False:",
        CORE,
    ),
    Mutation(
        "A position that retention has passed is refused",
        "stream/continuity.py",
        "if position.next_offset < bounds.start:",
        "if False:",
        CORE,
    ),
    Mutation(
        "A position beyond the log's end is refused",
        "stream/continuity.py",
        "if position.next_offset > bounds.end:",
        "if False:",
        CORE,
    ),
    Mutation(
        "A run of poison stops the worker",
        "stream/core.py",
        "            self._limits[partition].admit(",
        "            lambda *_: (",
        CORE,
    ),
    Mutation(
        "The turn: what was fetched before a rebalance is thrown away",
        "stream/membership.py",
        "if turn != self._turn:",
        "if False:",
        MEMBER,
    ),
    Mutation(
        "The turn: what was fetched before partitions were sought again is thrown away",
        "stream/membership.py",
        "        self._seek_owned()\n        self._turn += 1\n",
        "        self._seek_owned()\n",
        MEMBER,
    ),
    Mutation(
        "The turn: what was fetched before the ledger was looked at is thrown away",
        "stream/membership.py",
        "        self._turn += 1\n        match",
        "        match",
        MEMBER,
    ),
    Mutation(
        "Of a partition, no run is begun before the last has ended",
        "stream/membership.py",
        "not_of=self._in_flight.partitions",
        "not_of=()",
        IN_FLIGHT,
    ),
    Mutation(
        "No run is begun after one that failed",
        "stream/membership.py",
        "if self._in_flight.failure is not None:",
        "if False:",
        IN_FLIGHT,
    ),
    Mutation(
        "What waits of a partition whose tail was lost is thrown away: it begins beyond the position",
        "stream/membership.py",
        "        self._waiting.drop(partition)\n",
        "",
        IN_FLIGHT,
    ),
    Mutation(
        "A partition that is another worker's is dropped",
        "stream/membership.py",
        "                self._drop(partition)\n",
        "                pass\n",
        MEMBER,
    ),
    Mutation(
        "A partition whose tail was lost is sought",
        "stream/membership.py",
        "                self._log.seek(partition, self._core.next_offset(partition))\n\n",
        "                pass\n\n",
        MEMBER,
    ),
    Mutation(
        "A place that is gone from the log ends the worker where nobody was ahead",
        "stream/membership.py",
        "        if not self._dropped_at and self._next_offsets() == before:\n",
        "        if False:\n",
        MEMBER,
    ),
    Mutation(
        "A place that is gone from the log is judged by the ledger's position",
        "stream/membership.py",
        "        await self._core.assign(self._owned, self._log)\n",
        "        pass\n",
        MEMBER,
    ),
    Mutation(
        "A run in flight ends before its partition is revoked",
        "stream/membership.py",
        "            await self._in_flight.all_ended()\n",
        "",
        simulator("rebalance"),
    ),
    Mutation(
        "Partitions that are added wait for their registration, and the others go on",
        "stream/membership.py",
        "        self._unregistered = await self._core.unregistered(partitions)\n",
        "",
        MEMBER,
    ),
    Mutation(
        "A recreated topic is not credited: its id is confirmed after each fetch",
        "stream/membership.py",
        "asyncio.ensure_future(self._confirm_topic())",
        "asyncio.ensure_future(asyncio.sleep(0))",
        MEMBER,
    ),
    Mutation(
        "An event is credited once in a run",
        "stream/outcomes.py",
        "                payloads[outcome.event.identity] = outcome.event.payload\n",
        "                pass\n",
        CORE,
    ),
    Mutation(
        "An id that another event has is a conflict",
        "stream/outcomes.py",
        "    if event.payload == credited_payload:\n",
        "    if True:\n",
        CORE,
    ),
    Mutation(
        "A run larger than one command is cut",
        "stream/outcomes.py",
        "+ FIXED_FIELDS > FIELDS_MAX:",
        "+ FIXED_FIELDS > 10**9:",
        CORE,
    ),
    Mutation(
        "A batch id is a digest that chains",
        "stream/outcomes.py",
        "        previous_batch=expected.batch_id,\n",
        '        previous_batch="",\n',
        simulator(),
    ),
    Mutation(
        "A record that ends workers again and again is dead-lettered",
        "stream/crash_loops.py",
        "            if watch.note.crashes_at(offset) < self._crashes_max:\n",
        "            if True:\n",
        simulator("deadly records", runs=20),
    ),
    Mutation(
        "A topic of which too large a share is poison is not drained into the dead letters",
        "stream/dead_letter_limits.py",
        "share > self._ratio_max:",
        "share > 1.0:",
        LIMITS,
    ),
    Mutation(
        "Files: receipts are on disk before the commit",
        "files/outbox.py",
        "        sync(file)\n",
        "        pass\n",
        FILES,
    ),
    Mutation(
        "Files: what a crash tore is cut off",
        "files/outbox.py",
        "    file.truncate(_whole_bytes(file))\n",
        "",
        FILES,
    ),
    Mutation(
        "A run has one index to its end: its receipts name the one that it was credited by",
        "stream/core.py",
        "piece, next_offset, stamp)\n            await",
        "piece, next_offset, self._parts.valuers.current().stamp)\n            await",
        simulator("another index"),
    ),
    Mutation(
        "A published index is read through before it is taken",
        "assembly/preparing.py",
        "open_index(path, verify=True)",
        "open_index(path, verify=False)",
        pytest("tests/assembly/test_index_in_use.py", seconds_max=300),
    ),
    Mutation(
        "An index that the events' features do not fit is refused",
        "assembly/index_in_use.py",
        "            elif complaint:\n",
        "            elif False:\n",
        pytest("tests/assembly/test_index_in_use.py"),
    ),
]
