"""A member of a group by the newer group protocol (KIP-848), which none of our Python clients speaks.

One request, by Kafka's own schema of ConsumerGroupHeartbeat, version 1: texts and arrays begin with their length plus
one, 0 is none, and a request ends with the number of its tagged fields, 0.
"""

import base64
import socket
import struct
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress

from kafka.errors import CoordinatorLoadInProgressError, CoordinatorNotAvailableError, NotCoordinatorError

from tests.services.kafka import KafkaBroker
from tests.services.server import HOST, wait_for

_API_KEY, _VERSION = 68, 1
_REBALANCE_MILLISECONDS = 60_000
_PASSING = {each.errno for each in (CoordinatorLoadInProgressError, CoordinatorNotAvailableError, NotCoordinatorError)}


@contextmanager
def new_protocol_member(broker: KafkaBroker, group: str, topic: str) -> Iterator[None]:
    """Join a group, which gives the member all partitions of a topic if nobody else is there; leave it at the end."""
    with broker.admin() as admin, suppress(CoordinatorNotAvailableError):
        admin.describe_groups([group])  # the first question makes brokers create the topic that they keep groups in
    member = base64.urlsafe_b64encode(uuid.uuid4().bytes).rstrip(b"=")
    with closing(socket.create_connection((HOST, broker.port))) as connection:

        def is_in() -> bool:
            error = _heartbeat(connection, group.encode(), member, 0, topic.encode())
            assert error in {0, *_PASSING}, error
            return error == 0

        wait_for(is_in, 30, f"a member of {group}")
        yield
        _heartbeat(connection, group.encode(), member, -1, topic.encode())


def _heartbeat(connection: socket.socket, group: bytes, member: bytes, epoch: int, topic: bytes) -> int:
    """Send one; return its error code. Epoch 0 joins, -1 leaves."""
    header = struct.pack(">hhih", _API_KEY, _VERSION, 1, len(b"stranger")) + b"stranger" + b"\0"
    body = _text(group) + _text(member) + struct.pack(">i", epoch) + b"\0\0"  # no instance id, no rack
    body += struct.pack(">i", _REBALANCE_MILLISECONDS) + b"\2" + _text(topic)
    body += b"\0\0\1\0"  # no pattern of topics, no assignor of its choice, no partitions yet
    connection.sendall(struct.pack(">i", len(header + body)) + header + body)
    (size,) = struct.unpack(">i", _received(connection, 4))
    answer = _received(connection, size)
    # After the number of the request, its tagged fields and the time that was throttled.
    (error,) = struct.unpack_from(">h", answer, 4 + 1 + 4)
    return int(error)


def _text(value: bytes) -> bytes:
    assert len(value) < 127, "lengths of more than one byte are written in another way"
    return bytes([len(value) + 1]) + value


def _received(connection: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        more = connection.recv(count - len(data))
        assert more, "the broker ended the connection"
        data += more
    return data
