"""One SQLite file as the ledger uses it: opened when first needed, written in whole transactions, refused in words."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from gmv.errors import DiskFull, InvalidSettings, LedgerMissing, LedgerRefused, LedgerUnavailable, Refusal

APPLICATION_ID: Final = 0x474D564C  # "GMVL"
FORMAT: Final = 1

_PRIMARY_CODE = 0xFF


class SqliteFile:
    """A connection to a ledger's file. Any one thread at a time may use it.

    The file is in write-ahead mode, so readers and the one writer do not wait for each other, and every commit is on
    disk before it is answered (`synchronous=FULL`).
    """

    def __init__(self, path: Path, busy_seconds: float) -> None:
        self.path = path
        self._busy_seconds = busy_seconds
        self._connection: sqlite3.Connection | None = None
        self._file_id: tuple[int, int] | None = None

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Run the block as one transaction that writes: all of it, or, if it raises, nothing.

        Raises:
            LedgerMissing: there is no ledger in the file, or the file was removed or replaced while in use.
            LedgerUnavailable: another process writes for longer than the retry budget.
            LedgerRefused: it is no ledger of ours, is damaged or closed to this user.
            DiskFull: nothing was written.
        """
        with self._worded(), _whole(self._opened(), "BEGIN IMMEDIATE") as connection:
            yield connection

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Run the block on what the file holds at one moment; a writer is not held up. Raises as `transaction`."""
        with self._worded(), _whole(self._opened(), "BEGIN") as connection:
            yield connection

    @contextmanager
    def created(self) -> Iterator[sqlite3.Connection]:
        """Run the block as `transaction` does, on a file that is made if it is missing and may hold no ledger yet.

        Raises:
            InvalidSettings: its folder does not exist.
        """
        with self._worded():
            if not self.path.parent.is_dir():
                raise InvalidSettings(f"ledger.url: the folder {self.path.parent} does not exist; make it first")
            connection = self._connect("rwc")
            try:
                self._check_ownership(connection, may_be_empty=True)
                connection.execute("PRAGMA journal_mode = WAL")
                with _whole(connection, "BEGIN IMMEDIATE"):
                    yield connection
            finally:
                connection.close()

    def another(self) -> "SqliteFile":
        """Return the same file to be opened once more."""
        return SqliteFile(self.path, self._busy_seconds)

    def missing(self, what: str) -> LedgerMissing:
        """Return the refusal that says what is missing here and how a ledger is made."""
        return LedgerMissing(
            f"{self.path}: {what}. If a ledger was there before, restore it; for one that never was, "
            f"`gmv ledger init --ledger sqlite:///{self.path}` with --log EVENTS or --topic NAME makes it"
        )

    def unregistered(self, topic: str, partition: int) -> LedgerMissing:
        """Return the refusal of a partition that has no position."""
        return LedgerMissing(
            f"{self.path}: there is no position for {topic}[{partition}]. `gmv ledger init --ledger "
            f"sqlite:///{self.path}` with --log {topic}, of a file, or --topic {topic}, of Kafka, registers it; if it "
            "was there before, restore the file"
        )

    def close(self) -> None:
        """Close the file."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _opened(self) -> sqlite3.Connection:
        if self._connection is None:
            if not self.path.exists():
                raise self.missing("there is no such file")
            connection = self._connect("rw")
            try:
                self._check_ownership(connection, may_be_empty=False)
            except BaseException:
                connection.close()
                raise
            self._connection, self._file_id = connection, self._id_on_disk()
        elif self._id_on_disk() != self._file_id:
            # SQLite would go on with the file it has open, which nobody will ever find again.
            raise self.missing("the file was removed or replaced while in use")
        return self._connection

    def _connect(self, mode: str) -> sqlite3.Connection:
        connection = sqlite3.connect(
            f"{self.path.absolute().as_uri()}?mode={mode}",
            uri=True,
            timeout=self._busy_seconds,
            isolation_level=None,
            check_same_thread=False,
        )
        connection.execute("PRAGMA synchronous = FULL")
        return connection

    def _check_ownership(self, connection: sqlite3.Connection, may_be_empty: bool) -> None:
        (application_id,) = connection.execute("PRAGMA application_id").fetchone()
        (user_version,) = connection.execute("PRAGMA user_version").fetchone()
        (tables,) = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        if application_id == 0 and tables == 0:
            if not may_be_empty:
                raise self.missing("the file is empty")
        elif application_id != APPLICATION_ID:
            raise LedgerRefused(f"{self.path} is another program's SQLite file, not a gmv ledger; give another path")
        elif user_version != FORMAT:
            raise LedgerRefused(
                f"{self.path}: the ledger is of format {user_version}, this gmv reads and writes format {FORMAT}; "
                "use the gmv that made it"
            )

    def _id_on_disk(self) -> tuple[int, int] | None:
        try:
            status = self.path.stat()
        except FileNotFoundError:
            return None
        return status.st_dev, status.st_ino

    @contextmanager
    def _worded(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            if not hasattr(error, "sqlite_errorcode"):  # a mistake in calling the module, not SQLite's answer
                raise
            raise self._refusal(error, error.sqlite_errorcode & _PRIMARY_CODE) from error

    def _refusal(self, error: sqlite3.Error, code: int) -> Refusal:
        match code:
            case sqlite3.SQLITE_FULL:
                return DiskFull(f"{self.path}: no space is left; nothing was written. Make space and start again")
            case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
                return LedgerUnavailable(
                    f"{self.path}: another process has been writing for {self._busy_seconds:g} s; "
                    "nothing was written. Stop it, or start again when it is done"
                )
            case sqlite3.SQLITE_IOERR:
                return LedgerUnavailable(f"{self.path}: the disk fails ({error}); nothing is known to be lost")
            case sqlite3.SQLITE_NOTADB:
                return LedgerRefused(f"{self.path} is no SQLite file; give the path of a gmv ledger")
            case sqlite3.SQLITE_CORRUPT:
                return LedgerRefused(f"{self.path} is damaged ({error}); restore a copy of it")
            case _:
                return LedgerRefused(f"{self.path} cannot be opened or written: {error}")


@contextmanager
def _whole(connection: sqlite3.Connection, begin: str) -> Iterator[sqlite3.Connection]:
    connection.execute(begin)
    try:
        yield connection
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # SQLite itself rolls back when the disk is full
            connection.execute("ROLLBACK")
        raise
