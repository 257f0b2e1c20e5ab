"""What keeps the ledger right, in both of them."""

from .mutation import Mutation, pytest, simulator

CONTRACT = (
    "tests/contract/test_refused_commits.py",
    "tests/contract/test_credit_range.py",
    "tests/contract/test_commit.py",
)
SQLITE = pytest(*CONTRACT, "-k", "sqlite")
REDIS = pytest(*CONTRACT, "-k", "simulated")

MUTATIONS = [
    Mutation(
        "Redis: compare-and-set of the position",
        "ledger/redis/commit.lua",
        "if position ~= expected then return {'moved', position} end",
        "",
        simulator(),
    ),
    Mutation(
        "Redis: one HSET, rather than one for the position and one for the rest",
        "ledger/redis/commit.lua",
        "redis.call('HSET', book, unpack(write))",
        "redis.call('HSET', book, write[1], write[2])\nredis.call('HSET', book, unpack(write, 3))",
        simulator("append-only file torn"),
    ),
    Mutation(
        "Redis: absolute totals in one HSET, rather than HINCRBY",
        "ledger/redis/commit.lua",
        "redis.call('HSET', book, unpack(write))",
        """local rest = {write[1], write[2]}
for i = 3, #write, 2 do
  if i <= 2 * counters + 1 then
    local held = tonumber(redis.call('HMGET', book, write[i])[1] or '0')
    redis.call('HINCRBY', book, write[i], string.format('%.0f', tonumber(write[i + 1]) - held))
  else
    rest[#rest + 1], rest[#rest + 2] = write[i], write[i + 1]
  end
end
redis.call('HSET', book, unpack(rest))""",
        simulator("append-only file torn"),
    ),
    Mutation(
        "Redis: events credited before are refused",
        "ledger/redis/commit.lua",
        "if known[2] then return known end",
        "",
        simulator(),
    ),
    Mutation(
        "Redis: what is taken for credited before is checked",
        "ledger/redis/commit.lua",
        "then return {'forgotten'} end",
        "then end",
        REDIS,
    ),
    Mutation(
        "Redis: another ledger at the address takes nothing",
        "ledger/redis/commit.lua",
        "if not position or found[2] ~= ledger_id then return {'missing'} end",
        "if not position then return {'missing'} end",
        pytest("tests/ledger/redis/test_lost_tail.py", "-k", "in_two_places"),
    ),
    Mutation(
        "Redis: a total stays below 2^53",
        "ledger/redis/commit.lua",
        " or total > 9007199254740991",
        "",
        REDIS,
    ),
    Mutation(
        "Redis: a correction takes no more than there is",
        "ledger/redis/commit.lua",
        " or total < 0",
        "",
        pytest("tests/contract/test_corrections.py", "-k", "simulated"),
    ),
    Mutation(
        "SQLite: compare-and-set of the position",
        "ledger/sqlite/ledger.py",
        "if found is None or found[0] != batch.expected.encode():",
        "if found is None:",
        SQLITE,
    ),
    Mutation(
        "SQLite: events credited before are refused",
        "ledger/sqlite/ledger.py",
        "                return Duplicate(frozenset(known))",
        "                pass",
        SQLITE,
    ),
    Mutation(
        "SQLite: what is taken for credited before is checked",
        "ledger/sqlite/ledger.py",
        "                return Rewound(batch.expected)",
        "                pass",
        SQLITE,
    ),
    Mutation(
        "SQLite: all of a commit or nothing",
        "ledger/sqlite/file.py",
        '            connection.execute("ROLLBACK")',
        '            connection.execute("COMMIT")',
        pytest("tests/ledger/sqlite/test_whole_commits.py"),
    ),
    Mutation(
        "A batch moves the position forward",
        "ledger/admission.py",
        "if batch.next.next_offset <= batch.expected.next_offset:",
        "if False:",
        REDIS,
    ),
    Mutation(
        "A batch is small enough for one command",
        "ledger/admission.py",
        "if fields_of(batch) > FIELDS_MAX:",
        "if False:",
        SQLITE,
    ),
    Mutation(
        "A credit is an integer of 0 or more",
        "ledger/admission.py",
        "if set(map(type, amounts)) != {int} or min(amounts) < 0:",
        "if False:",
        SQLITE,
    ),
    Mutation(
        "A lost tail is distinguished from another worker's commit",
        "ledger/fence.py",
        "        return Rewound(found)\n",
        "        return Fenced(found)\n",
        pytest("tests/ledger/test_fence.py"),
    ),
    Mutation(
        "A lost reply is distinguished from another worker's commit",
        "ledger/fence.py",
        "        return AlreadyCommitted()\n",
        "        pass\n",
        pytest("tests/ledger/test_fence.py"),
    ),
    Mutation(
        "Redis: an event counts for as many offsets as the window says",
        "ledger/redis/commit.lua",
        "  return next_offsets[log] - tonumber(offset) <= window",
        "  return next_offsets[log] - tonumber(offset) < window",
        pytest("tests/contract/test_identity_window.py", "-k", "simulated"),
    ),
    Mutation(
        "Redis: an event counts by the partition it was credited in",
        "ledger/redis/commit.lua",
        "    local text = redis.call('HMGET', book, position_prefix .. log)[1] or ''",
        "    local text = position",
        pytest("tests/contract/test_identity_window.py", "-k", "simulated"),
    ),
    Mutation(
        "SQLite: an event counts for as many offsets as the window says",
        "ledger/window.py",
        "position.next_offset - offset <= window",
        "position.next_offset - offset < window",
        pytest("tests/contract/test_identity_window.py", "-k", "sqlite"),
    ),
    Mutation(
        "Redis: the janitor removes nothing that still counts",
        "ledger/redis/janitor.lua",
        "next_offsets[log] - tonumber(offset) > window",
        "next_offsets[log] - tonumber(offset) >= window",
        pytest("tests/contract/test_janitor.py", "-k", "redis"),
    ),
    Mutation(
        "Redis: the janitor goes by the partition an event was credited in",
        "ledger/redis/janitor.lua",
        "  if log and not next_offsets[log] then",
        "  log = log and 'generated-images:0'\n  if log and not next_offsets[log] then",
        pytest("tests/contract/test_janitor.py", "-k", "redis"),
    ),
    Mutation(
        "Redis: the janitor leaves another ledger alone",
        "ledger/redis/janitor.lua",
        "if stated[1] ~= ledger_id then return {'missing'} end",
        "",
        pytest("tests/ledger/redis/test_janitor.py", "-k", "anothers"),
    ),
    Mutation(
        "Partitions that are added to a topic begin at their beginning",
        "ledger/beginning.py",
        "or Begin(log_start, log_start)",
        "or Begin(log_start + 1, log_start)",
        pytest("tests/contract/test_registering.py", "-k", "added and simulated"),
    ),
    Mutation(
        "Which partitions a topic had at first is kept once",
        "ledger/redis/registry.py",
        "        kept = self._settle(0, first_field(topic), first.encode().encode())\n",
        "        kept = first.encode().encode()\n",
        pytest("tests/contract/test_registering.py", "-k", "simulated"),
    ),
    Mutation(
        "A partition that was added and began late is found",
        "ledger/verify.py",
        "        if topic in first and first[topic].late({number: begin}):\n",
        "        if False:\n",
        pytest("tests/ledger/test_verify.py"),
    ),
    Mutation(
        "A ledger that keeps every event notices one that is gone",
        "ledger/verify.py",
        "(book.window is None and book.events != entered)",
        "False",
        pytest("tests/ledger/test_verify.py"),
    ),
    Mutation(
        "Cluster: a book that is being moved is followed",
        "ledger/redis/cluster.py",
        "        for node in self.get_primaries():",
        "        for node in self.get_primaries()[:1]:",
        pytest("tests/ledger/redis/test_cluster.py", "-k", "moves or scripts"),
    ),
]
