"""The names in a book, spelled and parsed in this one place.

A *book* is one Redis hash, `<namespace>:{<book>}`; the braces keep all that ever belongs to a book in one cluster
slot. Its fields:

- `o:<owner id>`: the owner's micro-credits, integer text. An owner id always comes after `o:`, so it
  never reaches a field that begins with `#`.
- `#p:<topic>:<partition>`: the position, text. The partition is what follows the last colon.
- `#n:<topic>:<partition>`: a worker's note, text of its own; decides no total.
- `#e:<identity>`: an event that was credited; its 16 identity bytes as they are. The value is
  `<topic>:<partition>:<offset>:<payload digest, 8 bytes as they are>`. An event takes 120 bytes of server memory
  where the topic's name has 16 characters (Redis 7.0, 500,000 events), and is there as long as the window says.
- `#s:<name>`: the book's own sums.
- `#m:<name>`: metadata, the same in every book of a ledger; `#m:identity_window` is what `window.py` explains.
- `#m:first:<topic>`, in book 0, and `#m:begin:<topic>:<partition>`: where crediting began, see `beginning.py`.

Beside the books, in a slot of its own, lies what can be derived from them: the *leaderboard*, a sorted set of the
owners who have earned most, kept by `gmv credits leaderboard`.
"""

from gmv.ledger.fields import OWNER_PREFIX, SUM_FIELDS
from gmv.ledger.port import Batch, Entry, Known
from gmv.ledger.sums import counts_of

POSITION_PREFIX = "#p:"
EVENT_PREFIX = b"#e:"

FORMAT_FIELD = "#m:format"
LEDGER_ID_FIELD = "#m:ledger"
BOOKS_FIELD = "#m:books"
CREATED_BY_FIELD = "#m:created_by"
WINDOW_FIELD = "#m:identity_window"


def book_key(namespace: str, book: int) -> str:
    """Return the key of a book's hash."""
    return f"{namespace}:{{{book}}}"


def leaderboard_key(namespace: str) -> str:
    """Return the key of the sorted set: owner ids, scored by micro-credits, which a double holds exactly."""
    return f"{namespace}:{{leaderboard}}"


def leaderboard_draft_key(namespace: str) -> str:
    """Return the key of the next leaderboard, while it is made; nobody reads it."""
    return f"{leaderboard_key(namespace)}:draft"


def leaderboard_about_key(namespace: str) -> str:
    """Return the key of a hash that says what the ledger's sums were when the leaderboard's making began."""
    return f"{leaderboard_key(namespace)}:about"


def keys_pattern(namespace: str) -> str:
    """Return the glob that all keys of a ledger match, and those of no other."""
    return f"{namespace}:*"


def position_field(topic: str, partition: int) -> str:
    """Return the field of a partition's position."""
    return f"{POSITION_PREFIX}{topic}:{partition}"


def partition_of(field: str, prefix: str = POSITION_PREFIX) -> tuple[str, int]:
    """Return the topic and the partition of a field that holds something of a partition."""
    topic, _, partition = field.removeprefix(prefix).rpartition(":")
    return topic, int(partition)


def event_field(identity: bytes) -> bytes:
    """Return the field of a credited event."""
    return EVENT_PREFIX + identity


def event_value(topic: str, partition: int, entry: Entry) -> bytes:
    """Return what is kept of a credited event."""
    return f"{topic}:{partition}:{entry.offset}:".encode() + entry.payload


def credited_at(value: bytes) -> tuple[str, Known]:
    """Parse what `event_value` wrote: the topic, and the place in it.

    Raises:
        ValueError: it names no place.
    """
    place, separator, payload = value[:-9], value[-9:-8], value[-8:]
    topic, partition, offset = place.decode().rsplit(":", 2)
    if separator != b":":
        raise ValueError("no place")
    return topic, Known(int(partition), int(offset), payload)


def counters(batch: Batch) -> dict[str, int]:
    """Return what a batch adds to which field: its owners' totals, then the sums."""
    added = {OWNER_PREFIX + owner_id: micros for owner_id, micros in batch.changes.items()}
    summed = dict(zip(SUM_FIELDS, counts_of(batch), strict=True))
    if not batch.is_correction:
        del summed["#s:corrections"]  # one field less to write, and none where there never was a correction
    return added | summed
