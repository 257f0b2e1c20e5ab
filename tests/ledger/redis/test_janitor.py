"""A janitor of a Redis ledger, and what can happen to its server: nothing that it removed is ever missed."""

from collections.abc import Callable, Iterator

import pytest

from gmv.errors import LedgerMissing, LedgerUnavailable
from gmv.ledger.open import open_accounts, open_janitor, open_ledger, open_registry
from gmv.ledger.port import Answer, Committed, Rewound
from gmv.ledger.tidy import one_pass
from gmv.ledger.verify import conservation
from gmv.settings import LedgerSettings
from tests.ledger.batches import START, TOPIC, at, batch, entry, identity
from tests.ledger.conftest import create
from tests.ledger.servers import client, commands_logged, log_of
from tests.services.patience import patience
from tests.services.redis import RedisServer

pytestmark = pytest.mark.servers
ON_VALKEY_TOO = True

WINDOW = 25
STEPS = 8


@pytest.fixture
def remembering(settings: LedgerSettings) -> LedgerSettings:
    """A ledger with a window of 25 offsets, tried for as long as a server takes to start."""
    open_registry(settings).state_window(WINDOW)
    return settings.model_copy(update={"retry_seconds": 10.0})


def commit(settings: LedgerSettings, number: int) -> Answer:
    """Credit event `number` at offset 10 * number, from the position of a worker that has credited all before it."""
    expected = at(10 * number, f"{number}") if number else START
    following = at(10 * number + 10, f"{number + 1}")
    one = entry(number, offset=10 * number)
    return open_ledger(settings).commit(batch(expected, following, {"alice": 1}, [one]))


def sweep(settings: LedgerSettings) -> int:
    return sum(swept.expired for swept in one_pass(open_janitor(settings), 0))


def assert_the_window_is_exact(settings: LedgerSettings) -> int:
    """What counts follows from the position and from nothing else; return that."""
    ledger = open_ledger(settings)
    position = ledger.positions(TOPIC, [0])[0].next_offset
    counting = {identity(n) for n in range(STEPS) if max(0, position - WINDOW) <= 10 * n < position}
    assert ledger.known(0, [identity(number) for number in range(STEPS)]).keys() == counting
    assert open_accounts(settings).totals(["alice"]).get("alice", 0) == position // 10
    return position


def test_wherever_a_crash_tore_the_log_the_window_is_exact(keeping_server: RedisServer) -> None:
    server, remembering = keeping_server, LedgerSettings(url=keeping_server.url, retry_seconds=patience(10))
    create(remembering)
    open_registry(remembering).state_window(WINDOW)
    places = []
    for number in range(STEPS):
        assert commit(remembering, number) == Committed()
        sweep(remembering)
        places.append(log_of(server).stat().st_size)
    server.kill()
    whole = log_of(server).read_bytes()
    ends = [place for place, _ in commands_in(whole) if place >= places[-4]]
    names = [command.split(b"\r\n")[2].upper() for place, command in commands_in(whole) if place > places[-4]]
    assert names == [b"HSET", b"HDEL"] * 3
    for cut in sorted({*ends, *(end - 1 for end in ends), *(end - 40 for end in ends[1:])}):
        log_of(server).write_bytes(whole[:cut])
        server.start()
        position = assert_the_window_is_exact(remembering)
        if position < 10 * STEPS:  # the answer to a worker that knows nothing of the crash
            assert commit(remembering, STEPS) == Rewound(at(position, f"{position // 10}"))
        for number in range(position // 10, STEPS):
            assert commit(remembering, number) == Committed()
        sweep(remembering)
        for _ in range(2):
            assert assert_the_window_is_exact(remembering) == 10 * STEPS
            (book,) = open_accounts(remembering).snapshots()
            assert (book.events, book.sums.credited) == (2, STEPS)
            server.kill()
            server.start()
        server.kill()


def commands_in(log: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield where each command of an append-only file ends, and its bytes."""
    place = 0
    while place < len(log):
        begin, (parts, place) = place, number_at(log, place)
        for _ in range(parts):
            size, place = number_at(log, place)
            place += size + 2
        yield place, log[begin:place]


def number_at(log: bytes, place: int) -> tuple[int, int]:
    """Return the number in a line such as `*3`, and where the next line begins."""
    end = log.index(b"\r\n", place)
    return int(log[place + 1 : end]), end + 2


def test_a_sweep_is_one_write(server: RedisServer, remembering: LedgerSettings) -> None:
    for number in range(STEPS):
        assert commit(remembering, number) == Committed()
    before = len(commands_logged(server))
    assert sweep(remembering) == STEPS - 2
    assert sweep(remembering) == 0
    logged = commands_logged(server)[before:]
    assert [command.split(b"\r\n")[2] for _, command in commands_in(logged)] == [b"HDEL"]


def test_a_server_out_of_memory_is_made_room_in(server: RedisServer, remembering: LedgerSettings) -> None:
    for number in range(STEPS):
        assert commit(remembering, number) == Committed()
    client(server).config_set("maxmemory", "1")
    with pytest.raises(LedgerUnavailable, match="OOM"):
        commit(remembering.model_copy(update={"retry_seconds": 0.2}), STEPS)
    assert sweep(remembering) == STEPS - 2


def test_a_book_that_is_gone_or_anothers_is_left_alone(server: RedisServer, remembering: LedgerSettings) -> None:
    janitor = open_janitor(remembering)
    assert commit(remembering, 0) == Committed()
    janitor.sweep(0)
    client(server).flushall()
    with pytest.raises(LedgerMissing, match="book 0 is gone"):
        janitor.sweep(0)
    create(remembering)
    with pytest.raises(LedgerMissing, match="recreated"):
        janitor.sweep(0)


def test_scripts_that_a_server_forgot_are_sent_again(server: RedisServer, remembering: LedgerSettings) -> None:
    janitor = open_janitor(remembering)
    for number in range(STEPS):
        assert commit(remembering, number) == Committed()
        client(server).script_flush()
        janitor.sweep(0)
    assert conservation(open_accounts(remembering)).conserved


def test_a_book_that_comes_in_one_page_is_swept_in_several(start_redis: Callable[..., RedisServer]) -> None:
    """Redis gives a hash of its compact kind whole, however many fields were asked for; how large is a setting."""
    server = start_redis("--hash-max-listpack-entries", "100000", "--hash-max-listpack-value", "1024")
    settings = LedgerSettings(url=server.url, retry_seconds=patience(10))
    create(settings)
    registry, ledger = open_registry(settings), open_ledger(settings)
    for run in range(3):
        expected = at(2_000 * run) if run else START
        entries = [entry(2_000 * run + each, offset=2_000 * run + each) for each in range(2_000)]
        assert ledger.commit(batch(expected, at(2_000 * (run + 1)), entries=entries)) == Committed()
    assert client(server).object("encoding", "gmv:{0}") == b"listpack"
    registry.state_window(1_000)
    assert [sweep(settings), sweep(settings), sweep(settings)] == [4_000, 1_000, 0]
