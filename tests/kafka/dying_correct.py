"""`gmv`, ended as a kill ends it while a file of corrections is applied. Arguments: where, and those of `gmv`.

Commits hold two corrections at most. It ends during the second commit, or what is published for it.
"""

import os
import sys
from collections.abc import Callable, Sequence
from typing import Any, BinaryIO
from unittest.mock import patch

from gmv.assembly import correction_receipts
from gmv.cli import main
from gmv.events.encoding import KafkaMessage
from gmv.files.outbox import append_lines
from gmv.kafka.emitter import Emitter
from gmv.ledger.redis.ledger import RedisLedger
from gmv.ledger.sqlite.ledger import SqliteLedger
from gmv.operations import correcting

KILLED = 9
FIELDS_MAX = 11
PLACES = ("before the topic", "in the topic", "before the file", "in the file", "before the commit", "after the commit")

send = Emitter.send
calls = {"send": 0, "append": 0, "commit": 0}


def second(what: str, of: int = 2) -> bool:
    calls[what] += 1
    return calls[what] == of


def dying_send(self: Emitter, name: str, message: KafkaMessage) -> None:
    is_next = second("send", of=3)
    if is_next and where == "before the topic":
        os._exit(KILLED)
    send(self, name, message)
    if is_next and where == "in the topic":
        self.finish()
        os._exit(KILLED)


def dying_append(file: BinaryIO, lines: Sequence[bytes]) -> None:
    is_next = second("append")
    if is_next and where == "before the file":
        os._exit(KILLED)
    if is_next and where == "in the file":
        file.write(lines[0][:20])
        os._exit(KILLED)
    append_lines(file, lines)


def dying(commit: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    def committing(self: Any, batch: Any) -> Any:
        is_next = second("commit")
        if is_next and where == "before the commit":
            os._exit(KILLED)
        answer = commit(self, batch)
        if is_next and where == "after the commit":
            os._exit(KILLED)
        return answer

    return committing


if __name__ == "__main__":
    where = sys.argv.pop(1)
    assert where in PLACES
    with (
        patch.object(correcting, "FIELDS_MAX", FIELDS_MAX),
        patch.object(Emitter, "send", dying_send),
        patch.object(correction_receipts, "append_lines", dying_append),
        patch.object(RedisLedger, "commit", dying(RedisLedger.commit)),
        patch.object(SqliteLedger, "commit", dying(SqliteLedger.commit)),
    ):
        main()
